/// Printed by MySQL 9.7: a table with every kind of definition and hostile names.
let hostileCreateStatement = #"""
    CREATE TABLE `we``ird, (x'y"` (
      `id` bigint unsigned NOT NULL AUTO_INCREMENT,
      `na``me, (''"` varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'a,''b`(\\n' COMMENT 'it''s, a (comment) \n `x` -- /* */ #',
      `en` enum('a,b','c''d','e)f','`') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'c''d',
      `st` set('x','y unsigned') NOT NULL DEFAULT 'x',
      `b3` binary(3) DEFAULT 'a\0\0',
      `vb` varbinary(4) DEFAULT 0xFFFE,
      `bt` bit(5) DEFAULT b'101',
      `d` decimal(65,30) unsigned zerofill DEFAULT NULL,
      `f` float DEFAULT NULL,
      `db` double DEFAULT '15000000000',
      `ts` timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
      `dt` datetime(3) DEFAULT '2020-01-01 00:00:00.123',
      `y` year DEFAULT NULL,
      `t` time(2) DEFAULT NULL,
      `j` json DEFAULT (json_object(_utf8mb4'a',_utf8mb4'it\'s, "q" \\ `')),
      `g` geometry NOT NULL /*!80003 SRID 4326 */,
      `pt` point DEFAULT NULL,
      `ve` vector(3) DEFAULT NULL,
      `gv` int GENERATED ALWAYS AS (length(concat(`en`,_latin1'it\'s, (',char(10)))) VIRTUAL COMMENT 'v,',
      `gs` varchar(100) GENERATED ALWAYS AS (concat(`st`,_utf8mb4'\n`')) STORED NOT NULL,
      `inv` int DEFAULT '3' /*!80023 INVISIBLE */,
      `u1` int DEFAULT NULL,
      `u2` varchar(30) NOT NULL,
      `par_id` int DEFAULT NULL,
      PRIMARY KEY (`id`),
      UNIQUE KEY `pre` (`u2`(10)),
      UNIQUE KEY `u,n` (`u1`) COMMENT 'x, (',
      UNIQUE KEY `fnc` ((lower(`u2`)),`u1`),
      KEY `inv` (`inv` DESC) /*!80000 INVISIBLE */,
      SPATIAL KEY `sp` (`g`),
      KEY `fk1` (`par_id`),
      KEY `fk,2` (`u2`),
      KEY `mv` ((cast(json_extract(`j`,_utf8mb4'$.a[*]') as unsigned array))),
      FULLTEXT KEY `ft` (`u2`) /*!50100 WITH PARSER `ngram` */ ,
      FULLTEXT KEY `ft2` (`na``me, (''"`),
      CONSTRAINT `fk,2` FOREIGN KEY (`u2`) REFERENCES `par` (`k`),
      CONSTRAINT `fk1` FOREIGN KEY (`par_id`) REFERENCES `par` (`id`) ON DELETE CASCADE ON UPDATE SET NULL,
      CONSTRAINT `c,k` CHECK (((`u1` > 0) and (`u2` <> _utf8mb4'a,)\'b'))) /*!80016 NOT ENFORCED */
    ) ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci STATS_PERSISTENT=1 ROW_FORMAT=DYNAMIC COMMENT='t,''a)ble; PARTITION BY AUTO_INCREMENT=9'
    """#

/// Tables with every kind of definition, to be run by the servers' own client in an empty schema.
let featureTables = #"""
SET sql_mode = '';
create table par (id int not null auto_increment, k varchar(20) not null, o int, primary key(id), unique key k(k), key o(o));
create table `we``ird, (x'y"` (
 `id` bigint unsigned not null auto_increment,
 `na``me, (''"` varchar(50) collate utf8mb4_bin default 'a,''b`(\\n' comment 'it''s, a (comment) \n `x` -- /* */ #',
 en enum('a,b','c''d','e)f','`') character set latin1 default 'c''d',
 st set('x','y unsigned') not null default 'x',
 b3 binary(3) default 'a\0', vb varbinary(4) default 0xFFFE, bt bit(5) default b'101',
 d decimal(65,30) unsigned zerofill, f float, db double default 1.5e10,
 ts timestamp(6) not null default current_timestamp(6) on update current_timestamp(6),
 dt datetime(3) default '2020-01-01 00:00:00.123', y year, t time(2),
 j json default (json_object('a', 'it''s, "q" \\ `')), g geometry not null srid 4326, pt point, ve vector(3),
 gv int generated always as (length(concat(en,'it\'s, (',char(10)))) virtual comment 'v,', gs varchar(100) as (concat(st,'\n`')) stored not null, inv int invisible default 3,
 u1 int, u2 varchar(30) not null, par_id int,
 primary key (id),
 unique key `u,n` (u1) comment 'x, (', unique key fnc ((lower(u2)), u1), unique key pre (u2(10)) , key inv (inv desc) invisible,
 key mv ((cast(j->'$.a[*]' as unsigned array))), fulltext key ft (u2) with parser ngram, spatial key sp (g), fulltext key ft2 (`na``me, (''"`),
 constraint `c,k` check (u1 > 0 and u2 <> 'a,)''b') not enforced, constraint fk1 foreign key (par_id) references par(id) on delete cascade on update set null,
 constraint `fk,2` foreign key (u2) references par(k)
) engine=innodb auto_increment=77 comment='t,''a)ble; PARTITION BY AUTO_INCREMENT=9' row_format=dynamic stats_persistent=1;
create table part (id int not null, c int, key(c)) comment='p' partition by range (id) subpartition by hash(c) subpartitions 2 (partition p0 values less than (10), partition `p,1` values less than maxvalue);
create table ai (u varchar(10) not null, a int not null auto_increment, b int, unique key(u), unique key a(a));
create table nokey (a int, b text);
create table funcpos (a int, b int, key ((a+1)));
alter table funcpos add column c int;
alter table funcpos drop column b, algorithm=instant;
alter table funcpos add column d int first, algorithm=instant;
set sql_generate_invisible_primary_key=1; create table gipk (x int); set sql_generate_invisible_primary_key=0;
create table fts (FTS_DOC_ID bigint unsigned not null auto_increment primary key, t text, fulltext key(t));
create table ref2 (id int primary key, a int, foreign key (a) references par(id), constraint chk2 check (a<>3));
create table latinbin (a varchar(10) character set latin1 default _latin1 0xE4, b varbinary(5) default (0xff00)) comment 'ä€😀';
create trigger tr before insert on ref2 for each row set new.a=new.a;
create view v as select 1;
"""#
