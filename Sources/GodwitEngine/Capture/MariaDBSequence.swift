import MySQLBinlog
import MySQLTypes

extension RowsEvent {
    /// Does the event have the shape of a change of a MariaDB sequence? They are logged as inserted rows of a table of the sequence's
    /// name, and carried over as objects, not as tables. Where the log has column names (binlog_row_metadata=FULL) they decide.
    var isOfSequence: Bool {
        let columns = map.columns
        guard kind == .insert, columns.count == 8, columns[6].type == .tiny else { return false }
        guard columns.enumerated().allSatisfy({ $0.offset == 6 || $0.element.type == .longlong }) else { return false }
        guard let first = columns[0].name else { return true }
        return first == "next_not_cached_value" && columns[6].name == "cycle_option"
    }
}
