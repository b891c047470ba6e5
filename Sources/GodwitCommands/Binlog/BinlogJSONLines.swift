import MySQLBinlog
import MySQLTypes

/// Renders events as JSON lines, as `docs/binlog-json.md` describes. One object per event, but one per row for rows
/// events. A compressed transaction gives its own object; the caller appends its events, at the position of the whole.
///
/// JSON columns appear as JSON values (nested, not as a string of JSON text), rendered as the server renders them: so
/// their DECIMAL and temporal members look like numbers and strings.
package struct BinlogJSONLines {
    private var line = JSONLineBuffer()
    /// How the columns of tables are written, by table id.
    private var tables: [UInt64: (map: TableMap, columns: [ColumnJSON])] = [:]

    package init() {}

    /// The lines rendered since the last call of `take`, bytes.
    package var count: Int { line.bytes.count }

    /// Hands over the rendered lines and starts anew.
    package mutating func take() -> [UInt8] {
        defer { line.bytes.removeAll(keepingCapacity: false) }
        return line.bytes
    }

    /// Renders `event`, which stands at `position` of `file`. On an error nothing of the event is left in the output.
    package mutating func append(_ event: BinlogEvent, position: UInt64, file: String) throws {
        let start = line.bytes.count
        do {
            try render(event, position, file)
        } catch {
            line.bytes.removeSubrange(start...)
            throw error
        }
    }

    private mutating func open(_ type: StaticString, _ header: EventHeader, _ position: UInt64) {
        line.raw("{\"type\":\"")
        line.raw(type)
        line.raw("\",\"position\":")
        line.integer(position)
        line.key("timestamp")
        line.integer(UInt64(header.timestamp))
        line.key("server_id")
        line.integer(UInt64(header.serverID))
    }

    private mutating func close() { line.raw("}\n") }

    private mutating func render(_ event: BinlogEvent, _ position: UInt64, _ file: String) throws {
        let header = event.header
        switch event.body {
        case .rows(let rows): return try render(rows, header, position)
        case .transactionPayload(let payload):
            open("transaction_payload", header, position)
            line.key("compression")
            line.string(payload.compression == .zstd ? "zstd" : "none")
            line.key("size")
            line.integer(UInt64(payload.size))
            if let size = payload.uncompressedSize {
                line.key("uncompressed_size")
                line.integer(size)
            }
        case .formatDescription(let format):
            open("format_description", header, position)
            line.key("file")
            line.string(file)
            line.key("server_version")
            line.string(format.serverVersion)
            line.key("checksum")
            line.bool(format.hasChecksum)
        case .rotate(let target):
            open("rotate", header, position)
            render(target)
        case .previousGTIDs(let set):
            open("previous_gtids", header, position)
            line.key("gtids")
            line.plain(set.description)
        case .gtid(let gtid):
            open(gtid.gtid == nil ? "anonymous_gtid" : "gtid", header, position)
            render(gtid)
        case .query(let query):
            open("query", header, position)
            render(query)
        case .xid(let number):
            open("xid", header, position)
            line.key("xid")
            line.integer(number)
        case .tableMap(let map):
            open("table_map", header, position)
            render(map)
        case .rowsQuery(let text):
            open("rows_query", header, position)
            line.key("query")
            line.string(text)
        case .heartbeat(let target):
            open("heartbeat", header, position)
            if let target { render(target) }
        case .xaPrepare(let prepare):
            open("xa_prepare", header, position)
            render(prepare)
        case .mariaGTID(let event):
            open("mariadb_gtid", header, position)
            render(event)
        case .mariaGTIDList(let list):
            open("gtid_list", header, position)
            line.key("gtids")
            line.plain(list.map(\.description).joined(separator: ","))
        case .binlogCheckpoint(let file):
            open("binlog_checkpoint", header, position)
            line.key("checkpoint_file")
            line.string(file)
        case .startEncryption: open("start_encryption", header, position)
        case .stop: open("stop", header, position)
        case .ignorable:
            open("ignorable", header, position)
            line.key("event_type")
            line.integer(UInt64(header.type))
        case .unsupported(let name):
            open("unsupported", header, position)
            line.key("name")
            line.string(name)
        }
        close()
    }

    private mutating func render(_ target: BinlogCoordinates) {
        line.key("next_file")
        line.string(target.file)
        line.key("next_position")
        line.integer(target.offset)
    }

    private mutating func render(_ event: GTIDEvent) {
        if let gtid = event.gtid {
            line.key("gtid")
            line.plain(gtid.description)
        }
        line.key("last_committed")
        line.integer(event.lastCommitted)
        line.key("sequence_number")
        line.integer(event.sequenceNumber)
        line.key("immediate_commit_us")
        line.integer(event.immediateCommitMicroseconds)
        line.key("original_commit_us")
        line.integer(event.originalCommitMicroseconds)
        line.key("transaction_length")
        line.integer(event.transactionLength)
    }

    private mutating func render(_ event: MariaDBGTIDEvent) {
        line.key("gtid")
        line.plain(event.gtid.description)
        line.key("standalone")
        line.bool(event.isStandalone)
        line.key("transactional")
        line.bool(event.isTransactional)
        line.key("ddl")
        line.bool(event.isDDL)
        if let commit = event.commitID {
            line.key("commit_id")
            line.integer(commit)
        }
        if let xid = event.xid {
            line.key("xa")
            line.plain(event.isPreparedXA ? "prepare" : "complete")
            renderXID(xid)
        }
        if event.isStartAlter || event.isCommitAlter || event.isRollbackAlter {
            line.key("alter")
            line.plain(event.isStartAlter ? "start" : event.isCommitAlter ? "commit" : "rollback")
        }
    }

    private mutating func render(_ event: QueryEvent) {
        line.key("schema")
        line.string(event.schema)
        line.key("thread_id")
        line.integer(UInt64(event.threadID))
        line.key("error_code")
        line.integer(UInt64(event.errorCode))
        line.key("query")
        line.textOrBase64(event.statement)
    }

    private mutating func render(_ map: TableMap) {
        line.key("table_id")
        line.integer(map.tableID)
        line.key("schema")
        line.string(map.schema)
        line.key("table")
        line.string(map.table)
        line.key("columns")
        line.integer(UInt64(map.columns.count))
    }

    private mutating func render(_ prepare: XAPrepare) {
        line.key("one_phase")
        line.bool(prepare.onePhase)
        renderXID(prepare)
    }

    private mutating func renderXID(_ prepare: XAPrepare) {
        line.key("format_id")
        line.integer(Int64(prepare.formatID))
        line.key("gtrid")
        line.textOrBase64(prepare.globalID)
        line.key("bqual")
        line.textOrBase64(prepare.branch)
    }

    private mutating func render(_ rows: RowsEvent, _ header: EventHeader, _ position: UInt64) throws {
        let columns = columns(of: rows.map)
        // All but the images is the same for every row.
        let start = line.bytes.count
        open("rows", header, position)
        line.key("schema")
        line.string(rows.map.schema)
        line.key("table")
        line.string(rows.map.table)
        line.key("kind")
        line.plain(rows.kind.rawValue)
        line.key("before")
        let prefix = Array(line.bytes[start...])
        line.bytes.removeSubrange(start...)
        try rows.forEachRow { before, after in
            line.bytes += prefix
            try render(before, rows.map, columns)
            line.key("after")
            try render(after, rows.map, columns)
            close()
        }
    }

    private mutating func columns(of map: TableMap) -> [ColumnJSON] {
        if let known = tables[map.tableID], known.map == map { return known.columns }
        let columns = map.columns.indices.map { ColumnJSON(map.columns[$0], at: $0) }
        if tables.count >= 512 { tables.removeAll() }
        tables[map.tableID] = (map, columns)
        return columns
    }

    private mutating func render(_ image: RowImage?, _ map: TableMap, _ columns: [ColumnJSON]) throws {
        guard let image else { return line.raw("null") }
        line.raw("{")
        var isFirst = true
        for (index, column) in columns.enumerated() where image.isPresent(index) {
            if !isFirst { line.raw(",") }
            isFirst = false
            line.bytes += column.key
            if image.isPartial(index) {
                try render(try image.jsonDiffs(at: index))
            } else if column.isASCIIText, let range = try image.byteRange(at: index, in: map), line.quoted(ifPlain: image.bytes[range]) {
                continue
            } else if column.isAmbiguous, !image.isNull(index) {
                try column.appendAmbiguous(
                    signed: try image.value(at: index, in: map, isUnsigned: false),
                    unsigned: try image.value(at: index, in: map, isUnsigned: true), to: &line)
            } else {
                let value = try image.value(at: index, in: map)
                do {
                    try column.append(value, to: &line)
                } catch let error as BinlogError {
                    // JSON tells the place in its document.
                    let offset = image.offset + UInt64(image.range(index).lowerBound) + error.offset
                    throw BinlogError(offset: offset, reason: error.reason)
                }
            }
        }
        line.raw("}")
    }

    /// The changes of a JSON column that is logged partially.
    private mutating func render(_ diffs: [JSONDiff]) throws {
        line.raw("{\"json_diff\":[")
        for (place, diff) in diffs.enumerated() {
            line.raw(place == 0 ? "{\"op\":\"" : ",{\"op\":\"")
            switch diff.operation {
            case .replace: line.raw("replace")
            case .insert: line.raw("insert")
            case .remove: line.raw("remove")
            }
            line.raw("\",\"path\":")
            line.string(diff.path)
            if let value = diff.value {
                line.key("value")
                line.bytes += try BinaryJSON.renderUTF8(value)
            }
            line.raw("}")
        }
        line.raw("]}")
    }
}
