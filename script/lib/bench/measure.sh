# Timing, comparing and reporting for script/bench. Needs $work, $rounds, $scale, $bin.

# The servers of a run: all with the same memory and full durability; what differs would be no comparison.
bench_servers() {
    make_data
    mkdir -p "$work/files"
    local common=(--innodb-buffer-pool-size=1G --innodb-redo-log-capacity=1G --max-allowed-packet=256M
        --sync-binlog=1 --innodb-flush-log-at-trx-commit=1 --secure-file-priv="$work/files")
    start_mysql source "${common[@]}"
    start_mysql target "${common[@]}"
    local side
    for side in source target; do
        sql "$side" <<<"CREATE USER bench IDENTIFIED BY 'bench'; GRANT ALL ON *.* TO bench WITH GRANT OPTION;"
    done
    printf '%s' bench >"$work/password"
    chmod 600 "$work/password"
}

# write_plan NAME SCHEMA: a plan of its own per row, since a task is named after its file.
write_plan() {
    cat >"$work/$1.yml" <<PLAN
source: { host: 127.0.0.1, port: $source_port, user: bench, password: { file: password }, tls: { mode: required } }
target: { host: 127.0.0.1, port: $target_port, user: bench, password: { file: password }, tls: { mode: required } }
tables: { include: ["$2.*"] }
PLAN
}

# timed ROW SUBJECT COMMAND...: runs it under time(1) and keeps wall, processor seconds and peak memory of the command.
timed() {
    local row="$1" subject="$2" out="$work/time.txt"
    shift 2
    if ! /usr/bin/time -o "$out" -f '%e %U %S %M' "$@" </dev/null >"$work/out.txt" 2>&1; then
        tail -n 20 "$work/out.txt" >&2
        fail "$row: $subject failed; its last words are above."
    fi
    local wall user system peak
    read -r wall user system peak < <(tail -n 1 "$out")
    printf '%s\t%s\t%s\t%s\t%s\n' "$row" "$subject" "$wall" \
        "$(awk -v a="$user" -v b="$system" 'BEGIN { print a + b }')" "$((peak / 1024))" >>"$work/results.tsv"
    say "  $row: $subject: $wall s"
}

# must_equal ROW SUBJECT SCHEMA [NAME]: the source's content and the other server's (target unless named).
must_equal() {
    fingerprint source "$3" >"$work/left.txt"
    fingerprint "${4:-target}" "$3" >"$work/right.txt"
    [ -s "$work/left.txt" ] || fail "$1: nothing to compare."
    diff "$work/left.txt" "$work/right.txt" >&2 || fail "$1: $2 ended unequal: no result."
}

# forget_target SCHEMA: an empty target again.
forget_target() {
    sql target <<<"DROP DATABASE IF EXISTS \`$1\`; DROP DATABASE IF EXISTS godwit;"
}

# in_turn ROUND FIRST SECOND...: calls each function, in an order that turns with the round.
in_turn() {
    local round="$1" count position
    shift
    count=$#
    for ((position = 0; position < count; position++)); do
        "${@:$(((position + round) % count + 1)):1}"
    done
}

median_lines() {
    sort -t $'\t' -k 1,1 -k 2,2 -k 3,3n "$work/results.tsv" | awk -F '\t' '
        function flush() {
            if (n) printf "%s\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t%d\t%d\n", row, subject, n % 2 ? wall[(n + 1) / 2] : (wall[n / 2] + wall[n / 2 + 1]) / 2,
                wall[1], wall[n], cpu / n, peak, n
        }
        $1 != row || $2 != subject { flush(); n = cpu = peak = 0; row = $1; subject = $2 }
        { wall[++n] = $3; cpu += $4; if ($5 > peak) peak = $5 }
        END { flush() }'
}

# Ratio: this subject's median over Godwit's in the same row; above 1 Godwit is the faster one.
report() {
    printf '%-10s %-24s %9s %17s %9s %9s %7s\n' row subject 'median s' 'least–greatest' 'cpu s' 'peak MB' 'ratio'
    median_lines | awk -F '\t' '{ line[NR] = $0; if ($2 == "godwit") own[$1] = $3 }
        END { for (i = 1; i <= NR; i++) { split(line[i], f, "\t")
            printf "%-10s %-24s %9.2f %8.2f–%8.2f %9.2f %9d %7.2f\n", f[1], f[2], f[3], f[4], f[5], f[6], f[7],
                own[f[1]] ? f[3] / own[f[1]] : 0 } }'
}

report_page() {
    cat <<PAGE
# Benchmarks

Written by \`script/bench\`, $(date -u +%F). $(nproc) processors ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)), $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo).
MySQL $(sql source <<<'SELECT VERSION()') on all sides, \`sync_binlog=1\`, \`innodb_flush_log_at_trx_commit=1\`, binary logs on; $rounds rounds in turns; the content was
compared after every run. *Ratio* is the subject's median over Godwit's: above 1 Godwit was the faster one. *cpu* and *peak* are the
command's own, without the servers.

| row | subject | median s | least–greatest | cpu s | peak MB | ratio |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
PAGE
    median_lines | awk -F '\t' '{ line[NR] = $0; if ($2 == "godwit") own[$1] = $3 }
        END { for (i = 1; i <= NR; i++) { split(line[i], f, "\t")
            printf "| %s | %s | %.2f | %.2f–%.2f | %.2f | %d | %.2f |\n", f[1], f[2], f[3], f[4], f[5], f[6], f[7],
                own[f[1]] ? f[3] / own[f[1]] : 0 } }'
}
