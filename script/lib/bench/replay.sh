# The rows of script/bench that replay a backlog: Godwit beside a native replica with four workers, same durability.

# A replica of the source as it is now: the source's own files, cleanly shut down once.
make_replica() {
    [ -z "$replica_pid" ] || return 0
    start_mysql replica --innodb-buffer-pool-size=1G --innodb-redo-log-capacity=1G --max-allowed-packet=256M \
        --sync-binlog=1 --innodb-flush-log-at-trx-commit=1 --replica-parallel-workers=4
    "$here/lib/mysql9" mysqldump --protocol=socket --socket="$work/source/s" --user=root --single-transaction \
        --set-gtid-purged=ON --databases "$1" 2>"$work/dump.log" | sql replica
    sql replica <<<"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = $source_port, SOURCE_USER = 'bench',
        SOURCE_PASSWORD = 'bench', SOURCE_AUTO_POSITION = 1, SOURCE_SSL = 1"
    printf 'set -e\n%q mysql --protocol=socket --socket=%q --user=root -e "START REPLICA; SELECT WAIT_FOR_EXECUTED_GTID_SET('"'\$1'"')"\n' \
        "$here/lib/mysql9" "$work/replica/s" >"$work/replay-native"
}

# replay_row ROW SCHEMA BACKLOG: BACKLOG is a function that writes changes on the source; each round replays one of its own.
replay_row() {
    local round backlog="$3"
    bench_row="$1" bench_schema="$2"
    write_plan "$1" "$2"
    forget_target "$2"
    "$bin/godwit" migrate -c "$work/$1.yml" --until caught-up </dev/null >"$work/out.txt" 2>&1 ||
        { tail "$work/out.txt" >&2 && fail "$1: the load before the backlog failed"; }
    make_replica "$2"
    for ((round = 0; round < rounds; round++)); do
        "$backlog"
        # The replica's relay log counts as the reading of the log does on Godwit's side: both start from nothing.
        in_turn "$round" replay_godwit replay_native
    done
    forget_target "$2"
    stop_process "$replica_pid"
    replica_pid=''
    rm -rf "${work:?}/replica"
    sql source <<<"DROP DATABASE $2"
}

replay_godwit() {
    timed "$bench_row" godwit "$bin/godwit" migrate -c "$work/$bench_row.yml" --until caught-up
    must_equal "$bench_row" godwit "$bench_schema"
}
replay_native() {
    local executed
    executed="$(sql source <<<'SELECT @@GLOBAL.gtid_executed' | tr -d '\n')"
    timed "$bench_row" 'native replica, 4 workers' bash "$work/replay-native" "$executed"
    must_equal "$bench_row" 'native replica' "$bench_schema" replica
    sql replica <<<"STOP REPLICA"
}

# writes LUA COUNT: that many sysbench transactions on the source, at relaxed durability there only, since making them is not timed.
writes() {
    sql source <<<"SET GLOBAL sync_binlog = 0, GLOBAL innodb_flush_log_at_trx_commit = 2"
    sysbench "$1" --db-driver=mysql --mysql-socket="$work/source/s" --mysql-user=root --mysql-db="$bench_schema" --tables=4 \
        --table-size=$((500000 / scale)) --threads=8 --events="$2" --time=0 "${@:3}" run >"$work/sysbench.log" 2>&1 </dev/null ||
        { tail "$work/sysbench.log" >&2 && fail "sysbench $1 failed"; }
    sql source <<<"SET GLOBAL sync_binlog = 1, GLOBAL innodb_flush_log_at_trx_commit = 1"
}

backlog_mixed() { writes oltp_write_only $((56000 / scale)); }
backlog_inserts() { writes oltp_insert $((200000 / scale)); }
backlog_hot_row() {
    {
        local i
        for ((i = 0; i < 100000 / scale; i++)); do echo "UPDATE hot.counter SET n = n + 1 WHERE id = 1;"; done
    } >"$work/hot.sql"
    sql source <<<"SET GLOBAL sync_binlog = 0, GLOBAL innodb_flush_log_at_trx_commit = 2"
    sql source <"$work/hot.sql"
    sql source <<<"SET GLOBAL sync_binlog = 1, GLOBAL innodb_flush_log_at_trx_commit = 1"
}

row_replay() {
    sysbench_tables backlog 4 $((500000 / scale))
    replay_row replay backlog backlog_mixed
}
row_inserts() {
    sysbench_tables growing 4 $((500000 / scale))
    replay_row inserts growing backlog_inserts
}
row_hot_row() {
    sql source <<<"CREATE DATABASE hot; CREATE TABLE hot.counter (id INT PRIMARY KEY, n BIGINT NOT NULL); INSERT INTO hot.counter VALUES (1, 0), (2, 0)"
    replay_row hot-row hot backlog_hot_row
}
