# The row of script/bench that decodes a binary log file: godwit binlog beside mysqlbinlog -v.

row_decode() {
    local round file
    sysbench_tables decoded 4 $((500000 / scale))
    bench_schema=decoded
    sql source <<<"FLUSH BINARY LOGS"
    file="$(sql source <<<'SHOW BINARY LOG STATUS' | cut -f 1)"
    writes oltp_write_only $((330000 / scale))
    sql source <<<"FLUSH BINARY LOGS"
    cp "$work/source/data/$file" "$work/decode.binlog"
    say "  decode: $(stat -c %s "$work/decode.binlog") bytes"
    printf 'exec %q binlog %q\n' "$bin/godwit" "$work/decode.binlog" >"$work/decode-godwit"
    printf 'exec %q mysqlbinlog -v --base64-output=decode-rows %q\n' "$here/lib/mysql9" "$work/decode.binlog" >"$work/decode-native"
    for ((round = 0; round < rounds; round++)); do
        in_turn "$round" decode_godwit decode_native
    done
    rm -f "$work/decode.binlog"
    sql source <<<"DROP DATABASE decoded"
}
decode_godwit() { timed decode godwit bash "$work/decode-godwit"; }
decode_native() { timed decode 'mysqlbinlog -v' bash "$work/decode-native"; }
