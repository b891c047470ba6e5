/// What `godwit verify` found.
package struct VerifyReport: Codable, Sendable, Hashable {
    package struct Table: Codable, Sendable, Hashable {
        /// The source's name and the target's.
        package var schema: String
        package var table: String
        package var target: String
        /// Rows compared on each side.
        package var sourceRows: UInt64
        package var targetRows: UInt64
        /// False also where the table could not be compared: `error` says why.
        package var isEqual: Bool
        /// Rows that differ, kinds apart. For a keyless table 0: its rows can't be told apart.
        package var different: Int
        package var missing: Int
        package var extra: Int
        /// There are more differences than were counted.
        package var hasMore: Bool
        /// The first of them, column by column.
        package var rows: [RowDetail]
        package var error: String?

        enum CodingKeys: String, CodingKey {
            case schema, table, target, different, missing, extra, rows, error
            case sourceRows = "source_rows"
            case targetRows = "target_rows"
            case isEqual = "equal"
            case hasMore = "has_more"
        }

        package init(source: TableName, target: TableName) {
            schema = source.schema
            table = source.table
            self.target = target.description
            sourceRows = 0
            targetRows = 0
            isEqual = false
            different = 0
            missing = 0
            extra = 0
            hasMore = false
            rows = []
            error = nil
        }
    }
    package var tables: [Table]
    package var seconds: Double
    /// Rows that `--repair` rewrote.
    package var repaired: [RepairedRow] = []
    /// Views, routines, triggers and events that are not the same, or could not be compared: a sentence each.
    package var objects: [String] = []

    package init(tables: [Table], seconds: Double) {
        self.tables = tables
        self.seconds = seconds
    }

    /// At least one table was compared, and all were equal.
    package var isEqual: Bool { !tables.isEmpty && tables.allSatisfy(\.isEqual) && objects.isEmpty }

    /// The error that gives the command its exit code when something differs or was not compared.
    package var failure: EngineError? {
        if isEqual { return nil }
        if tables.isEmpty {
            return EngineError(
                .plan, "No table was compared.", why: "The plan's table mappings include none.",
                cure: "Check the include rules.")
        }
        let unequal = tables.filter { !$0.isEqual && $0.error == nil }
        if let broken = tables.first(where: { $0.error != nil }), unequal.isEmpty {
            return EngineError(
                .failed, "\(broken.schema).\(broken.table) could not be compared.", why: broken.error ?? "")
        }
        if unequal.isEmpty, let first = objects.first {
            return EngineError(
                .unequal, "The tables are equal; not the same on both sides: \(first)\(objects.count > 1 ? " (and \(objects.count - 1) more)" : "")",
                cure: "Compare SHOW CREATE on both sides, and mend the target's.")
        }
        return EngineError(
            .unequal, "\(unequal.count) of \(tables.count) tables differ: "
                + unequal.prefix(5).map { "\($0.schema).\($0.table)" }.joined(separator: ", ")
                + (unequal.count > 5 ? " …" : "."))
    }
}
