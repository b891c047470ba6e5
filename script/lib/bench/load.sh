# The rows of script/bench that load: Godwit beside LOAD DATA from ready files, mysqldump | mysql, and mydumper + myloader.

# sysbench_tables SCHEMA TABLES ROWS: the well-known narrow tables, on the source.
sysbench_tables() {
    sql source <<<"CREATE DATABASE $1"
    sysbench oltp_write_only --db-driver=mysql --mysql-socket="$work/source/s" --mysql-user=root --mysql-db="$1" \
        --tables="$2" --table-size="$3" --threads=2 prepare >"$work/sysbench.log" 2>&1 </dev/null ||
        { tail "$work/sysbench.log" >&2 && fail "sysbench prepare failed"; }
}

# export_files SCHEMA: every table of it as a file in LOAD DATA's default format.
export_files() {
    local table
    rm -f "$work/files/$1".*
    for table in $(sql source <<<"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '$1'"); do
        sql source <<<"SELECT * FROM $1.$table INTO OUTFILE '$work/files/$1.$table' CHARACTER SET binary"
    done
    "$here/lib/mysql9" mysqldump --protocol=socket --socket="$work/source/s" --user=root --no-data --set-gtid-purged=OFF "$1" >"$work/files/$1.sql"
}

# The four subjects as programs of their own, so that time(1) sees all of each.
write_load_subjects() {
    local client="'$here/lib/mysql9' mysql --protocol=socket --socket='$work/target/s' --user=root"
    cat >"$work/load-data" <<SH
set -e
$client -e "CREATE DATABASE \$1"
$client \$1 <'$work/files/'\$1.sql
running=()
for file in '$work/files/'\$1.*; do
    [ "\$file" = '$work/files/'\$1.sql ] && continue
    $client \$1 -e "SET unique_checks = 0; LOAD DATA INFILE '\$file' INTO TABLE \${file##*.} CHARACTER SET binary" &
    running+=(\$!)
done
for one in "\${running[@]}"; do wait "\$one"; done
SH
    cat >"$work/mysqldump-pipe" <<SH
set -e -o pipefail
$client -e "CREATE DATABASE \$1"
'$here/lib/mysql9' mysqldump --protocol=socket --socket='$work/source/s' --user=root --single-transaction --set-gtid-purged=OFF --hex-blob \$1 | $client \$1
SH
    cat >"$work/mydumper-pair" <<SH
set -e
rm -rf '$work/dump'
mydumper -S '$work/source/s' -u root -B \$1 -t 4 -r 100000 -o '$work/dump'
myloader -S '$work/target/s' -u root -d '$work/dump' -t 4
SH
}

# load_row ROW SCHEMA: all subjects in turns, each into an empty target, each compared.
load_row() {
    local round
    bench_row="$1" bench_schema="$2"
    write_plan "$1" "$2"
    write_load_subjects
    export_files "$2"
    for ((round = 0; round < rounds; round++)); do
        in_turn "$round" load_godwit load_files load_mysqldump load_mydumper
    done
    forget_target "$2"
    sql source <<<"DROP DATABASE $2"
    rm -f "$work/files/$2".*
}

load_with() {
    forget_target "$bench_schema"
    timed "$bench_row" "$@"
    must_equal "$bench_row" "$2" "$bench_schema"
}
load_godwit() { load_with godwit "$bin/godwit" migrate -c "$work/$bench_row.yml" --until loaded; }
load_files() { load_with 'LOAD DATA from files' bash "$work/load-data" "$bench_schema"; }
load_mysqldump() { load_with 'mysqldump | mysql' bash "$work/mysqldump-pipe" "$bench_schema"; }
load_mydumper() { load_with 'mydumper + myloader' bash "$work/mydumper-pair" "$bench_schema"; }

row_load() {
    sysbench_tables narrow 4 $((500000 / scale))
    load_row load narrow
}

row_one_table() {
    sysbench_tables single 1 $((2000000 / scale))
    load_row one-table single
}

row_wide() {
    sql source <<SQL
CREATE DATABASE wide;
CREATE TABLE wide.blobs (id INT PRIMARY KEY, body LONGBLOB NOT NULL);
SET SESSION cte_max_recursion_depth = 100000;
INSERT INTO wide.blobs WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $((400 / scale)))
SELECT i, REPEAT(RANDOM_BYTES(1024), 1024) FROM n;
SQL
    load_row wide wide
}

row_indexed() {
    local table
    sysbench_tables indexed 4 $((250000 / scale))
    for table in 1 2 3 4; do
        sql source <<<"ALTER TABLE indexed.sbtest$table ADD INDEX a (c(20)), ADD INDEX b (pad(20)), ADD INDEX d (k, c(10)),
            ADD INDEX e (pad(10), k), ADD INDEX f (c(40), k)"
    done
    load_row indexed indexed
}
