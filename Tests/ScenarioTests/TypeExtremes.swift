/// A table with a column of every type, and rows at the types' extremes.
enum TypeExtremes {
    static let definition = #"""
        CREATE TABLE ty.t (id INT PRIMARY KEY, ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, mi MEDIUMINT, mu MEDIUMINT UNSIGNED, i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED,
         f FLOAT, d DOUBLE, d2 DOUBLE(20,4), de DECIMAL(65,30), dz DECIMAL(10,2), da DATE, ti6 TIME(6), ti0 TIME, dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL, y YEAR,
         c CHAR(10), cb CHAR(10) CHARACTER SET latin1, vc VARCHAR(300), u2 VARCHAR(20) CHARACTER SET ucs2, u16 VARCHAR(20) CHARACTER SET utf16, u32 VARCHAR(20) CHARACTER SET utf32, sj VARCHAR(20) CHARACTER SET sjis, gb VARCHAR(20) CHARACTER SET gb18030, bn BINARY(8), vb VARBINARY(300), tx TEXT, lt LONGTEXT, bl BLOB, lb LONGBLOB,
         e ENUM('a','b','','3','ü'), s SET('x','y','z'), b1 BIT(1), b64 BIT(64), j JSON, g GEOMETRY, p POINT SRID 4326, v VECTOR(3), gen INT GENERATED ALWAYS AS (id*2) STORED, gv INT GENERATED ALWAYS AS (id+1) VIRTUAL, inv INT INVISIBLE DEFAULT 5)
        """#

    static let columns = "id,ti,tu,si,mi,mu,i,iu,b,bu,f,d,d2,de,dz,da,ti6,ti0,dt,dt6,ts,ts6,y,c,cb,vc,u2,u16,u32,sj,gb,bn,vb,tx,lt,bl,lb,e,s,b1,b64,j,g,p,v,inv"

    /// Values of all columns but the key, as SQL.
    static let rows: [String] = [
        #"-128,0,-32768,-8388608,0,-2147483648,0,-9223372036854775808,0,-3.402823466e38,-1.7976931348623157e308,-123456789012.1234,-99999999999999999999999999999999999.999999999999999999999999999999,-0.01,'0000-00-00','-838:59:59.000000','-838:59:59','0000-00-00 00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00','1970-01-01 00:00:01.000001','0000','','','','','','','','','','','','','','','','',b'0',b'0','null',ST_GeomFromText('POINT(0 0)'),ST_GeomFromText('POINT(0 0)',4326),TO_VECTOR('[0,-1,3.4e38]'),0"#,
        #"127,255,32767,8388607,16777215,2147483647,4294967295,9223372036854775807,18446744073709551615,3.402823466e38,1.7976931348623157e308,123456789012.1234,99999999999999999999999999999999999.999999999999999999999999999999,99999999.99,'9999-12-31','838:59:59.000000','838:59:59','9999-12-31 23:59:59','9999-12-31 23:59:59.999999','2038-01-19 03:14:07','2038-01-19 03:14:07.999999',2155,'üöäß😀 ','ÿÀé',REPEAT('é',300),'añ☃','a😀','a😀',_utf8mb4'表示ソ',_utf8mb4'你好\\',0x0100000000000000,0x00FF0A0D5C27090000,REPEAT('x\t\n\\''\0',100),REPEAT('長',1000),0x000102,0xFF00,'ü','x,y,z',b'1',b'1111111111111111111111111111111111111111111111111111111111111111','{"a": [1, 1.5, -0.0, 1e300, true, null, "x\\ny"], "big": 18446744073709551615, "u": "\\u00e9😀"}',ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1),POLYGON((0 0,0 1,1 1,0 0)))'),ST_GeomFromText('POINT(10 20)',4326),TO_VECTOR('[1.5,-0.0,1e-37]'),NULL"#,
        #"NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL"#,
        #"-1,1,-1,-1,1,-1,1,-1,1,-0.0,-0.0,-0.0,-0.000000000000000000000000000001,0.1,'2020-02-31','-00:00:00.000001','-00:00:01','2020-00-00 00:00:00','1000-01-01 00:00:00.5','1970-01-01 00:00:01','2000-02-29 12:34:56.123456',1901,' a',' a','trail  ','t ','t ','t ','t ','t ',0x2020,0x2020,'trail  ','\\N','\\N',0x5C4E,'3','y',NULL,b'101','[]',ST_GeomFromText('MULTIPOINT(1 1,2 2)'),NULL,TO_VECTOR('[1,2,3]'),7"#,
        #"1,1,1,1,1,1,1,1,1,0.1,0.1,0.1,0.1,0.1,'2024-02-29','00:00:00.1','12:00:00','2024-02-29 00:00:00','2024-02-29 00:00:00.000001','2024-02-29 00:00:00','2024-02-29 00:00:00.5',2024,'A','a','x','y','z','w','v','u',0x41,0x4100,'t','l',0x0,0x00,0,'',b'1',b'1','"s"',NULL,NULL,NULL,1"#,
        #"1,1,1,1,1,1,1,1,1,1.17549435e-38,4.9e-324,0.1,0.1,0.1,'2024-02-29','00:00:00.1','12:00:00','2024-02-29 00:00:00','2024-02-29 00:00:00.000001','2024-02-29 00:00:00','2024-02-29 00:00:00.5',2024,'A','a','x','y','z','w','v','u',0x41,0x4100,'t','l',0x0,0x00,'','x',b'1',b'1','{"k": 123456789.125, "e": 1e-7, "f": 0.1, "g": 100000000000000000000}',NULL,NULL,NULL,1"#
    ]

    /// Inserts every row once, with keys from `first` on. Sessions allow what real old data holds.
    static func inserts(from first: Int) -> String {
        let session = "SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'; SET NAMES utf8mb4;"
        return session + rows.enumerated().map { "INSERT INTO ty.t (\(columns)) VALUES (\(first + $0), \($1));" }.joined(separator: "\n")
    }
}
