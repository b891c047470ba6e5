import GodwitEngine

/// What a status is worth, in one sentence. Green is only for: every table loaded, compared and equal.
struct Verdict: Sendable, Hashable {
    enum Result: String, Sendable, Hashable {
        /// Every table Validated.
        case validated
        /// Nothing is known to be wrong, and not everything is proven.
        case unproven
        /// A table failed.
        case failed
        /// Both sides were compared and differ.
        case unequal
    }
    var result: Result
    var summary: String

    var tone: Paint.Tone {
        switch result {
        case .validated: .good
        case .unproven: .warning
        case .failed, .unequal: .bad
        }
    }

    init(result: Result, summary: String) {
        self.result = result
        self.summary = summary
    }

    init(_ status: MigrationStatus) {
        let tables = status.tables
        let unequal = tables.filter { Self.isUnequal($0) }
        let failed = tables.filter { Self.isFailed($0) }
        let validated = tables.filter { Self.isValidated($0) }
        guard unequal.isEmpty else {
            self.init(
                result: .unequal,
                summary:
                    "\(Self.tables(unequal.count)) NOT EQUAL: \(Self.names(unequal) { "\($0.failed) rows differ" })")
            return
        }
        if let objects = status.objectDifferences, let first = objects.first {
            let more = objects.count > 1 ? " (and \(objects.count - 1) more)" : ""
            self.init(result: .unequal, summary: "Not the same on both sides: \(Format.sentence(first))\(more)")
            return
        }
        guard failed.isEmpty, status.state != .failed else {
            let why = status.error.map { " \(Format.sentence($0))" } ?? ""
            let what =
                failed.isEmpty
                ? "The migration FAILED."
                : "\(Self.tables(failed.count)) FAILED: \(Self.names(failed) { $0.problems?.first.map(TextWidth.printable) })"
            self.init(result: .failed, summary: what + why)
            return
        }
        let skipped = tables.filter { Self.hasSkipped($0) }
        guard skipped.isEmpty else {
            self.init(
                result: .failed,
                summary:
                    "\(Self.tables(skipped.count)) NOT WHOLE: \(Self.names(skipped) { Self.skippedWords($0) })")
            return
        }
        guard !tables.isEmpty else {
            self.init(result: .unproven, summary: "No tables: nothing was compared.")
            return
        }
        guard validated.count == tables.count else {
            let open = tables.filter { !Self.isValidated($0) }
            let names = Self.names(open) {
                $0.pending > 0 ? "\(Format.count($0.pending)) rows pending" : $0.validationState
            }
            self.init(
                result: .unproven,
                summary:
                    "Not proven equal yet: \(validated.count) of \(Self.tables(tables.count)) Validated; open: \(names)"
            )
            return
        }
        self.init(
            result: .validated,
            summary: (tables.count == 1 ? "The table is Validated." : "All \(tables.count) tables are Validated.")
                + (status.notes.map { " Note: \($0.joined(separator: " "))" } ?? ""))
    }

    /// A table that is loaded and proven, with nothing pending, differing or given up.
    static func isValidated(_ table: MigrationStatus.Table) -> Bool {
        table.validationState == "Validated" && table.state == .loaded && table.pending == 0 && table.failed == 0
            && table.suspended == 0 && !hasSkipped(table)
    }

    /// A policy passed over changes or statements, or took the table out.
    static func hasSkipped(_ table: MigrationStatus.Table) -> Bool {
        (table.skipped ?? 0) > 0 || table.problems?.isEmpty == false
    }

    private static func skippedWords(_ table: MigrationStatus.Table) -> String {
        let skipped = table.skipped ?? 0
        let changes = skipped == 0 ? nil : "\(Format.count(skipped)) \(skipped == 1 ? "change" : "changes") passed over"
        return ([changes].compactMap { $0 } + (table.problems ?? []).prefix(1)).map(TextWidth.printable).joined(separator: "; ")
    }

    static func isUnequal(_ table: MigrationStatus.Table) -> Bool {
        table.failed > 0 || table.validationState == "Mismatched records"
    }

    static func isFailed(_ table: MigrationStatus.Table) -> Bool {
        table.state == .failed || ["Table error", "Error"].contains(table.validationState)
    }

    static func tone(_ table: MigrationStatus.Table) -> Paint.Tone {
        if isUnequal(table) || isFailed(table) || hasSkipped(table) { return .bad }
        return isValidated(table) ? .good : .warning
    }

    private static func tables(_ count: Int) -> String { count == 1 ? "1 table" : "\(count) tables" }

    /// At most five names, then how many more.
    private static func names(
        _ tables: [MigrationStatus.Table], _ detail: (MigrationStatus.Table) -> String?
    ) -> String {
        let shown = tables.prefix(5).map { table in
            let name = TextWidth.printable("\(table.schema).\(table.table)")
            return detail(table).map { "\(name) (\($0))" } ?? name
        }
        let more = tables.count - shown.count
        return shown.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "") + "."
    }
}
