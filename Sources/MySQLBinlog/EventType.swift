/// Event type codes. Source: MySQL source documentation, `Log_event_type`; MariaDB manual, "Replication Protocol".
enum EventType: UInt8, CaseIterable {
    case startV3 = 1, query = 2, stop = 3, rotate = 4, intvar = 5, load = 6, slave = 7, createFile = 8
    case appendBlock = 9, execLoad = 10, deleteFile = 11, newLoad = 12, rand = 13, userVar = 14
    case formatDescription = 15, xid = 16, beginLoadQuery = 17, executeLoadQuery = 18, tableMap = 19
    case preWriteRows = 20, preUpdateRows = 21, preDeleteRows = 22
    case writeRowsV1 = 23, updateRowsV1 = 24, deleteRowsV1 = 25
    case incident = 26, heartbeat = 27, ignorable = 28, rowsQuery = 29
    case writeRows = 30, updateRows = 31, deleteRows = 32
    case gtid = 33, anonymousGTID = 34, previousGTIDs = 35, transactionContext = 36, viewChange = 37
    case xaPrepare = 38, partialUpdateRows = 39, transactionPayload = 40, heartbeatV2 = 41, gtidTagged = 42
    case mariaAnnotateRows = 160, mariaBinlogCheckpoint = 161, mariaGTID = 162, mariaGTIDList = 163
    case mariaStartEncryption = 164, mariaQueryCompressed = 165
    case mariaWriteRowsCompressedV1 = 166, mariaUpdateRowsCompressedV1 = 167, mariaDeleteRowsCompressedV1 = 168
    case mariaWriteRowsCompressed = 169, mariaUpdateRowsCompressed = 170, mariaDeleteRowsCompressed = 171

    /// The server's own name, for messages and output.
    var serverName: String {
        switch self {
        case .startV3: "START_EVENT_V3"
        case .query: "QUERY_EVENT"
        case .stop: "STOP_EVENT"
        case .rotate: "ROTATE_EVENT"
        case .intvar: "INTVAR_EVENT"
        case .load: "LOAD_EVENT"
        case .slave: "SLAVE_EVENT"
        case .createFile: "CREATE_FILE_EVENT"
        case .appendBlock: "APPEND_BLOCK_EVENT"
        case .execLoad: "EXEC_LOAD_EVENT"
        case .deleteFile: "DELETE_FILE_EVENT"
        case .newLoad: "NEW_LOAD_EVENT"
        case .rand: "RAND_EVENT"
        case .userVar: "USER_VAR_EVENT"
        case .formatDescription: "FORMAT_DESCRIPTION_EVENT"
        case .xid: "XID_EVENT"
        case .beginLoadQuery: "BEGIN_LOAD_QUERY_EVENT"
        case .executeLoadQuery: "EXECUTE_LOAD_QUERY_EVENT"
        case .tableMap: "TABLE_MAP_EVENT"
        case .preWriteRows: "PRE_GA_WRITE_ROWS_EVENT"
        case .preUpdateRows: "PRE_GA_UPDATE_ROWS_EVENT"
        case .preDeleteRows: "PRE_GA_DELETE_ROWS_EVENT"
        case .writeRowsV1: "WRITE_ROWS_EVENT_V1"
        case .updateRowsV1: "UPDATE_ROWS_EVENT_V1"
        case .deleteRowsV1: "DELETE_ROWS_EVENT_V1"
        case .incident: "INCIDENT_EVENT"
        case .heartbeat: "HEARTBEAT_LOG_EVENT"
        case .ignorable: "IGNORABLE_LOG_EVENT"
        case .rowsQuery: "ROWS_QUERY_LOG_EVENT"
        case .writeRows: "WRITE_ROWS_EVENT"
        case .updateRows: "UPDATE_ROWS_EVENT"
        case .deleteRows: "DELETE_ROWS_EVENT"
        case .gtid: "GTID_LOG_EVENT"
        case .anonymousGTID: "ANONYMOUS_GTID_LOG_EVENT"
        case .previousGTIDs: "PREVIOUS_GTIDS_LOG_EVENT"
        case .transactionContext: "TRANSACTION_CONTEXT_EVENT"
        case .viewChange: "VIEW_CHANGE_EVENT"
        case .xaPrepare: "XA_PREPARE_LOG_EVENT"
        case .partialUpdateRows: "PARTIAL_UPDATE_ROWS_EVENT"
        case .transactionPayload: "TRANSACTION_PAYLOAD_EVENT"
        case .heartbeatV2: "HEARTBEAT_LOG_EVENT_V2"
        case .gtidTagged: "GTID_TAGGED_LOG_EVENT"
        case .mariaAnnotateRows: "MariaDB ANNOTATE_ROWS_EVENT"
        case .mariaBinlogCheckpoint: "MariaDB BINLOG_CHECKPOINT_EVENT"
        case .mariaGTID: "MariaDB GTID_EVENT"
        case .mariaGTIDList: "MariaDB GTID_LIST_EVENT"
        case .mariaStartEncryption: "MariaDB START_ENCRYPTION_EVENT"
        case .mariaQueryCompressed: "MariaDB QUERY_COMPRESSED_EVENT"
        case .mariaWriteRowsCompressedV1: "MariaDB WRITE_ROWS_COMPRESSED_EVENT_V1"
        case .mariaUpdateRowsCompressedV1: "MariaDB UPDATE_ROWS_COMPRESSED_EVENT_V1"
        case .mariaDeleteRowsCompressedV1: "MariaDB DELETE_ROWS_COMPRESSED_EVENT_V1"
        case .mariaWriteRowsCompressed: "MariaDB WRITE_ROWS_COMPRESSED_EVENT"
        case .mariaUpdateRowsCompressed: "MariaDB UPDATE_ROWS_COMPRESSED_EVENT"
        case .mariaDeleteRowsCompressed: "MariaDB DELETE_ROWS_COMPRESSED_EVENT"
        }
    }
}

extension EventHeader {
    /// The server's name of the event type, or `event type N`.
    public var typeName: String { EventType(rawValue: type)?.serverName ?? "event type \(type)" }
}
