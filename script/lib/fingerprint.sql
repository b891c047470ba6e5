-- Writes one SELECT per base table of the schema named by @schema. Each answers: table, rows, rows that could not be
-- hashed (must be 0), and four sums over the 64-bit quarters of every row's SHA-256. Plain SQL for MySQL and MariaDB,
-- run by the servers' own client (with --raw --skip-column-names): the proof owes nothing to Godwit.
--
-- The sums see the rows as a multiset, so no order and no key is needed and equal rows do not cancel out. In a row's hash
-- NULL, empty, zero and minus zero, trailing pads and letter case all differ; FLOAT counts with its full precision,
-- ENUM and SET with number and name. Of a system-versioned table all versions count, with their periods.
SET SESSION group_concat_max_len = 4194304, time_zone = '+00:00', sql_mode = '';

SELECT CONCAT(
    'SELECT ', QUOTE(s.name), ', COUNT(*), COALESCE(SUM(h IS NULL), 0)',
    ', COALESCE(SUM(CAST(CONV(SUBSTR(h, 1, 16), 16, 10) AS UNSIGNED)), 0)',
    ', COALESCE(SUM(CAST(CONV(SUBSTR(h, 17, 16), 16, 10) AS UNSIGNED)), 0)',
    ', COALESCE(SUM(CAST(CONV(SUBSTR(h, 33, 16), 16, 10) AS UNSIGNED)), 0)',
    ', COALESCE(SUM(CAST(CONV(SUBSTR(h, 49, 16), 16, 10) AS UNSIGNED)), 0)',
    ' FROM (SELECT SHA2(CONCAT(', s.columns, s.period, '), 256) AS h FROM ', s.place, ') AS hashed;')
FROM (
    SELECT
        t.TABLE_NAME AS name,
        CONCAT('`', REPLACE(t.TABLE_SCHEMA, '`', '``'), '`.`', REPLACE(t.TABLE_NAME, '`', '``'), '`',
            IF(t.TABLE_TYPE = 'SYSTEM VERSIONED', ' FOR SYSTEM_TIME ALL', '')) AS place,
        IF(t.TABLE_TYPE = 'SYSTEM VERSIONED' AND MAX(c.is_period) = 0, ', row_start, ''|'', row_end', '') AS period,
        GROUP_CONCAT(
            CONCAT('IF(', c.quoted, ' IS NULL, ''n'', CONCAT(''v'', ',
                CASE
                    WHEN c.kind IN ('float') THEN CONCAT('CAST(CAST(', c.quoted, ' AS DOUBLE) AS CHAR)')
                    WHEN c.kind IN ('bit') THEN CONCAT('CAST(', c.quoted, ' + 0 AS CHAR)')
                    WHEN c.kind IN ('json') THEN CONCAT('SHA2(CAST(', c.quoted, ' AS CHAR), 256)')
                    WHEN c.kind IN ('enum', 'set') THEN CONCAT(c.quoted, ' + 0, '':'', SHA2(', c.quoted, ', 256)')
                    WHEN c.kind IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'double', 'date',
                        'time', 'datetime', 'timestamp', 'year') THEN CONCAT('CAST(', c.quoted, ' AS CHAR)')
                    WHEN c.kind IN ('geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring',
                        'multipolygon', 'geomcollection', 'geometrycollection')
                        THEN CONCAT('ST_SRID(', c.quoted, '), '':'', SHA2(ST_AsWKB(', c.quoted, '), 256)')
                    ELSE CONCAT('SHA2(', c.quoted, ', 256)')
                END, ', '';''))')
            ORDER BY c.position SEPARATOR ', ') AS columns
    FROM information_schema.TABLES AS t
    JOIN (
        SELECT TABLE_SCHEMA AS place, TABLE_NAME AS name, ORDINAL_POSITION AS position, COALESCE(GENERATION_EXPRESSION, '') = 'ROW START' AS is_period, LOWER(DATA_TYPE) AS kind,
            CONCAT('`', REPLACE(COLUMN_NAME, '`', '``'), '`') AS quoted
        FROM information_schema.COLUMNS
    ) AS c ON c.place = t.TABLE_SCHEMA AND c.name = t.TABLE_NAME
    WHERE t.TABLE_SCHEMA = @schema AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
    GROUP BY t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE
) AS s
ORDER BY CAST(s.name AS BINARY);
