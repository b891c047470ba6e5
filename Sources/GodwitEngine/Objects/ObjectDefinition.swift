import Foundation

/// A view, routine, trigger or event as its server defines it: the text, and the settings under which it was made.
package struct ObjectDefinition: Hashable, Sendable, Codable {
    /// In the order in which kinds are made: views may call functions.
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
        case function, procedure, view, event, trigger

        /// As the plan's `without` names it.
        package var group: ObjectKind {
            switch self {
            case .function, .procedure: .routines
            case .view: .views
            case .event: .events
            case .trigger: .triggers
            }
        }
        /// As SQL names it.
        package var keyword: String { rawValue.uppercased() }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    /// A function and a procedure of one name are two objects.
    package struct ID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
        package var kind: Kind
        package var name: TableName
        package init(_ kind: Kind, _ name: TableName) {
            self.kind = kind
            self.name = name
        }
        package var description: String { "\(kind.rawValue) \(name)" }
        package static func < (left: Self, right: Self) -> Bool { (left.kind, left.name) < (right.kind, right.name) }
    }

    /// Where and when a trigger fires. SHOW CREATE TRIGGER does not print its place among triggers of one moment; making them
    /// in this order gives each its place.
    package struct TriggerPlace: Hashable, Sendable, Codable, Comparable {
        package var table: String
        /// BEFORE, AFTER.
        package var timing: String
        /// INSERT, UPDATE, DELETE.
        package var event: String
        /// From 1.
        package var order: Int
        package init(table: String, timing: String, event: String, order: Int) {
            self.table = table
            self.timing = timing
            self.event = event
            self.order = order
        }
        package static func < (left: Self, right: Self) -> Bool {
            (left.table, left.timing, left.event, left.order) < (right.table, right.timing, right.event, right.order)
        }
    }

    package var id: ID
    /// SHOW CREATE's text, byte for byte: the body is in `characterSetClient`, whatever that is.
    package var statement: Data
    /// nil for views, which keep none.
    package var sqlMode: String?
    package var characterSetClient: String
    package var collationConnection: String
    /// The schema's default when the object was made; nil for views.
    package var databaseCollation: String?
    /// Events only.
    package var timeZone: String?
    /// `user@host`.
    package var definer: String
    /// nil for all but triggers.
    package var place: TriggerPlace?
    /// False for an event that is switched off; true for everything else.
    package var isEnabled = true
    /// Tables and views that a view reads directly.
    package var uses: [TableName] = []
    /// The server's words where a view cannot be read: something that it names is gone, or its definer lacks rights.
    package var invalid: String?
    /// A function that a server with a binary log takes from trusted creators only (error 1418): it says neither DETERMINISTIC, nor
    /// NO SQL, nor READS SQL DATA.
    package var isUnsafeForLog = false
    /// An event whose last time has passed: a server drops it as soon as it is made.
    package var isExpired = false
    /// Name, comment or table have characters beyond ASCII. The server prints these in UTF-8, and the body in `characterSetClient`.
    package var hasWideHead = false

    package init(
        id: ID, statement: Data, sqlMode: String?, characterSetClient: String, collationConnection: String,
        databaseCollation: String? = nil, timeZone: String? = nil, definer: String, place: TriggerPlace? = nil
    ) {
        self.id = id
        self.statement = statement
        self.sqlMode = sqlMode
        self.characterSetClient = characterSetClient
        self.collationConnection = collationConnection
        self.databaseCollation = databaseCollation
        self.timeZone = timeZone
        self.definer = definer
        self.place = place
    }

    package var kind: Kind { id.kind }
    package var name: TableName { id.name }
    package var schema: String { id.name.schema }
    /// The table whose changes fire a trigger.
    package var table: TableName? { place.map { TableName(schema: schema, table: $0.table) } }

    /// The text holds UTF-8 and another character set at once, and cannot be sent as it is.
    package var isMixedText: Bool {
        hasWideHead && kind != .view && !["utf8mb4", "utf8mb3", "utf8", "binary"].contains(characterSetClient.lowercased())
    }
}
