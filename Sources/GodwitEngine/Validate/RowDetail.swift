import MySQLWire

/// What differs in one row, for people.
package struct RowDetail: Sendable, Hashable, Codable {
    package struct Column: Sendable, Hashable, Codable {
        package var name: String
        /// Shortened text, bytes in hex; nil is NULL.
        package var source: String?
        package var target: String?
        /// More of the two values than is shown: length and checksum of each, where the shown parts are the same.
        package var note: String?

        package init(name: String, source: String?, target: String?, note: String? = nil) {
            self.name = name
            self.source = source
            self.target = target
            self.note = note
        }
    }
    package var key: RowKey
    package var kind: RowDifference.Kind
    /// Empty for a row that is missing on one side.
    package var columns: [Column]
    /// Names of the key's columns.
    package var keyColumns: [String]?

    package init(key: RowKey, kind: RowDifference.Kind, columns: [Column], keyColumns: [String]? = nil) {
        self.key = key
        self.kind = kind
        self.columns = columns
        self.keyColumns = keyColumns
    }
}

extension TableComparer {
    /// Reads rows that differ again, column by column. A row that has become equal meanwhile is left out.
    package func details(_ differences: [RowDifference]) async throws -> [RowDetail] {
        guard !differences.isEmpty else { return [] }
        let keys = differences.map(\.key)
        let read = try await both(source: sql.cells(.source, keys: keys), target: sql.cells(.target, keys: keys))
        let source = try cells(read.source)
        let target = try cells(read.target)
        let names = sql.keyColumns.map(\.name)
        return differences.compactMap { difference in
            switch (source[difference.key], target[difference.key]) {
            case (let left?, let right?):
                let columns = self.columns(left, right)
                return columns.isEmpty ? nil : RowDetail(key: difference.key, kind: .different, columns: columns, keyColumns: names)
            case (.some, nil): return RowDetail(key: difference.key, kind: .missing, columns: [], keyColumns: names)
            case (nil, .some): return RowDetail(key: difference.key, kind: .extra, columns: [], keyColumns: names)
            case (nil, nil): return nil
            }
        }
    }

    private func cells(_ result: MySQLResult) throws -> [RowKey: [[UInt8]?]] {
        var rows: [RowKey: [[UInt8]?]] = [:]
        let width = sql.keyColumns.count
        for row in result.rows {
            guard row.values.count == width + 2 * sql.columns.count else {
                throw EngineError(.failed, "The cell query of \(sql.source.name) gave \(row.values.count) columns.")
            }
            rows[RowKey(try sql.literals(row.values[..<width]))] = Array(row.values[width...])
        }
        return rows
    }

    private func columns(_ source: [[UInt8]?], _ target: [[UInt8]?]) -> [RowDetail.Column] {
        sql.columns.indices.compactMap { index in
            let (left, right) = (source[2 * index], target[2 * index])
            guard left != right else { return nil }
            let shown = [source[2 * index + 1], target[2 * index + 1]].map { value in
                value.map { String(decoding: $0, as: UTF8.self) }
            }
            let note = shown[0] == shown[1] ? "\(Self.summary(left)) / \(Self.summary(right))" : nil
            return RowDetail.Column(name: sql.columns[index].name, source: shown[0], target: shown[1], note: note)
        }
    }

    /// The start of a canonical text: of long values its length in bytes and its checksum.
    private static func summary(_ text: [UInt8]?) -> String {
        text.map { String(decoding: $0.prefix(40), as: UTF8.self) } ?? "not computed"
    }
}
