extension CreateStatement {
    /// What stands behind the list of columns: table options and partitioning.
    struct Tail {
        private let sql: SQLText
        private let range: Range<Int>
        private(set) var options = ""
        private(set) var partitioning = ""
        private(set) var autoIncrement: UInt64?
        private(set) var storageClauses: [String] = []
        private(set) var isEncrypted = false

        init(_ sql: SQLText, _ range: Range<Int>) {
            self.sql = sql
            self.range = range
        }

        mutating func read() throws(SQLTokenError) {
            var partition = range.first { sql.keyword($0) == "PARTITION" && sql.keyword($0 + 1) == "BY" } ?? range.upperBound
            if partition > range.lowerBound, partition < range.upperBound, sql.kind(partition - 1) == .versionStart {
                partition -= 1
            }
            options = keep(range.lowerBound..<partition, isPartitioning: false)
            partitioning = keep(partition..<range.upperBound, isPartitioning: true)
        }

        /// The text of the tokens without the clauses that do not move.
        private mutating func keep(_ tokens: Range<Int>, isPartitioning: Bool) -> String {
            var pieces: [String] = []
            var at = tokens.lowerBound
            var kept = at
            func flush(_ end: Int) {
                let text = sql.text(kept..<end)
                if !text.isEmpty { pieces.append(text) }
            }
            while at < tokens.upperBound {
                let length = clause(at, tokens.upperBound, isPartitioning: isPartitioning)
                if length > 0 {
                    flush(at)
                    at += length
                    kept = at
                } else {
                    at += 1
                }
            }
            flush(at)
            return pieces.joined(separator: " ")
        }

        /// Number of tokens of a clause at `at` that is left out; 0: none there.
        private mutating func clause(_ at: Int, _ end: Int, isPartitioning: Bool) -> Int {
            // A version comment around one storage clause goes as a whole.
            if sql.kind(at) == .versionStart, sql.keyword(at + 1) == "TABLESPACE",
                let close = (at..<end).first(where: { sql.kind($0) == .versionEnd })
            {
                storageClauses.append(sql.text(at + 1..<close))
                return close + 1 - at
            }
            let equals = sql.raw(at + 1) == "=" ? 1 : 0
            switch sql.keyword(at) {
            case "AUTO_INCREMENT" where !isPartitioning:
                guard let value = UInt64(sql.raw(at + 1 + equals)) else { return 0 }
                autoIncrement = value
                return 2 + equals
            case "ENCRYPTION" where !isPartitioning:
                if sql.raw(at + 1 + equals).uppercased() == "'Y'" { isEncrypted = true }
                return 0
            case "TABLESPACE":
                // Unquoted and without `=` it is a partition's name.
                guard equals == 1 || sql.kind(at + 1) == .identifier, sql.name(at + 1 + equals) != nil else { return 0 }
                storageClauses.append(sql.text(at..<at + 2 + equals))
                return 2 + equals
            case "DATA", "INDEX":
                guard sql.keyword(at + 1) == "DIRECTORY" else { return 0 }
                let assign = sql.raw(at + 2) == "=" ? 1 : 0
                guard sql.kind(at + 2 + assign) == .string else { return 0 }
                storageClauses.append(sql.text(at..<at + 3 + assign))
                return 3 + assign
            default: return 0
            }
        }
    }
}
