SET time_zone='+00:00', sql_mode='', SESSION column_compression_zlib_wrap=0;
CREATE TABLE types (id int unsigned not null primary key, u uuid, i6 inet6, i4 inet4, cv varchar(300) compressed character set utf8mb4,
 cb blob compressed, ct longtext compressed character set latin1, y year, u8 tinyint unsigned, i8 tinyint, u64 bigint unsigned, i64 bigint,
 d0 decimal(65,30), t0 time, dt0 datetime, ts0 timestamp null, t6 time(6), dt6 datetime(6), ts6 timestamp(6) null, da date,
 f float, d double, b bit(9), e enum('a','b','ü'), s set('x','y','z'), c char(10), bi binary(16), vb varbinary(300), js json,
 g geometry, gv int as (u8 + 1) stored, inv int invisible default 7);
INSERT INTO types VALUES
(1,'123e4567-e89b-12d3-a456-426655440000','::1','1.2.3.4',repeat('ä',200),repeat('b',300),'short',2001,255,-128,18446744073709551615,-9223372036854775808,
 -99999999999999999999999999999999999.999999999999999999999999999999,'-838:59:59','1000-01-01 00:00:00','1970-01-01 00:00:01','-838:59:58.999999','1000-01-01 00:00:00.000001',
 '1970-01-01 00:00:01.000001','0000-00-00',-3.4028234663852886e38,-1.7976931348623157e308,0,'a','','', '', '', '{"a": 1}',ST_GeomFromText('POINT(1 2)'),default),
(2,'01890a5d-ac96-774b-bcce-b302099a8057','2001:db8::ff00','0.0.0.0','','',repeat('xyz',300),1901,0,127,0,9223372036854775807,
 0.5,'838:59:59','9999-12-31 23:59:59','2038-01-19 03:14:07','838:59:58.999999','9999-12-31 23:59:59.999999','2038-01-19 03:14:07.999999','9999-12-31',
 1.5,1e-300,511,'ü','x,z','ab  ',unhex('00ff00'),unhex('00ff0000'),'[]',null,default),
(3,'00000000-0000-0000-0000-000000000000','::','255.255.255.0',null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,default),
(4,'ffffffff-ffff-8fff-ffff-ffffffffffff','::ffff:1.2.3.4','10.0.0.0','tiny',repeat('c',700),'',2155,7,0,1,-1,
 -0.000000000000000000000000000001,'-00:00:01','0000-00-00 00:00:00',0,'-00:00:00.000001','0000-00-00 00:00:00','2001-09-09 01:46:40.5','2024-02-29',
 0,0,1,0,'x,y,z','0123456789',unhex('ffffffffffffffffffffffffffffff00'),repeat('v',300),'"ü"',ST_GeomFromText('LINESTRING(0 0,1 1)'),default);
INSERT INTO types(id, u, i6, i4) VALUES
(5,'ffffffff-ffff-ffff-ffff-ffffffffffff','1:0:2:3:4:5:6:7','0.0.0.1'), (6,'123e4567-e89b-12d3-0456-426655440000','1:0:0:2:0:0:0:3','1.0.0.0'),
(7,'00112233-4455-6677-8899-aabbccddeeff','::1.2.3.4',null), (8,'00112233-4455-6677-4899-aabbccddeeff','::ffff:0:0',null),
(9,'00112233-4455-0677-8899-aabbccddeeff','fe80::',null), (10,'f47ac10b-58cc-4372-a567-0e02b2c3d479','0:1::',null),
(11,null,'1:2:3:4:5:6:7:8',null), (12,null,'1:0:0:2:3:0:0:4',null), (13,null,'::1:0:0',null), (14,null,'0:0:1:0:0:1:2:3',null), (15,null,'1:2:3:4:5:6:7:0',null);
SET SESSION column_compression_zlib_wrap=1;
INSERT INTO types(id, cv, cb) VALUES (16, repeat('w',250), repeat('q',800));
