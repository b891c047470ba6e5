# Two real MySQL 9 servers for a script, in its own folder, gone with it. Source after common.sh; needs $work (a folder) and
# $here (this checkout's script folder).

# A port below the range of outgoing connections on which nobody answers now.
free_port() {
    local port
    while :; do
        port=$((12000 + RANDOM % 20000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

# make_data: initialises one data folder; start_mysql copies it.
make_data() {
    "$here/lib/mysql9" mysqld --initialize-insecure --datadir="$work/fresh" --innodb-redo-log-capacity=16M \
        --mysqlx=OFF >"$work/initialise.log" 2>&1 || {
        tail -n 5 "$work/initialise.log" >&2
        fail "mysqld could not initialise a data folder."
    }
    rm -f "$work/fresh/auto.cnf"
}

# start_mysql NAME ARGUMENT...: sets NAME_port and NAME_pid. The server dies with this script, even by kill -9.
start_mysql() {
    local name="$1" folder="$work/$1" port pid try
    shift
    mkdir -p "$folder/tmp"
    cp -a --reflink=auto "$work/fresh" "$folder/data"
    for try in 1 2 3 4 5; do
        port="$(free_port)"
        : >"$folder/log"
        setpriv --pdeathsig KILL "$here/lib/mysql9" mysqld --datadir="$folder/data" --tmpdir="$folder/tmp" \
            --socket="$folder/s" --pid-file="$folder/pid" --bind-address=127.0.0.1 --port="$port" --server-id="$port" \
            --mysqlx=OFF --log-bin=binlog --gtid-mode=ON --enforce-gtid-consistency=ON --binlog-row-metadata=FULL \
            --local-infile=1 --innodb-buffer-pool-size=256M --innodb-redo-log-capacity=512M "$@" \
            >"$folder/log" 2>&1 </dev/null &
        pid=$!
        # Its end is reported by stop_mysql, not by the shell.
        disown "$pid"
        until grep -q ': ready for connections' "$folder/log"; do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        if kill -0 "$pid" 2>/dev/null; then
            printf -v "${name}_port" '%s' "$port"
            printf -v "${name}_pid" '%s' "$pid"
            return
        fi
        grep -qE 'Address already in use|port already in use' "$folder/log" || break
    done
    tail -n 5 "$folder/log" >&2
    fail "the MySQL server '$name' did not start; its last words are above (try $try)."
}

# sql NAME [ARGUMENT...]: the server's own client, as root over the socket; statements on standard input.
sql() {
    local name="$1"
    shift
    "$here/lib/mysql9" mysql --protocol=socket --socket="$work/$name/s" --user=root --batch --raw --skip-column-names "$@"
}

# fingerprint NAME SCHEMA: one line per table: name, rows, rows not hashed, four sums. See fingerprint.sql.
fingerprint() {
    local statements
    statements="$({
        printf "SET @schema = '%s';\n" "$2"
        cat "$here/lib/fingerprint.sql"
    } | sql "$1")"
    printf "SET time_zone = '+00:00', sql_mode = '';\n%s\n" "$statements" | sql "$1"
}

# stop_process PID: ends one process of ours and waits until it is gone.
stop_process() {
    local pid="${1:-}" try
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || return 0
    for try in $(seq 1 150); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}
