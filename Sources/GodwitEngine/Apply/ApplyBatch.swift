import MySQLBinlog
import MySQLTypes
import OrderedCollections

/// A key that an event touched, for the validator: both keys of a move, even when the net effect is nothing.
package struct TouchedKey: Sendable, Hashable {
    package var table: Int
    /// nil for a keyless table: some row of it.
    package var key: RowKey?
}

/// Rows applied to one table, for the report.
package struct ChangeCounts: Sendable, Hashable {
    package var inserts: UInt64 = 0
    package var updates: UInt64 = 0
    package var deletes: UInt64 = 0
}

/// One change of a table with a row filter, kept until the server has said which images the filter takes.
package struct FilteredChange: Sendable {
    package var before: ImageRow?
    package var after: ImageRow?
}

/// A change that has to stand in its place among the changes of its table: part of a row's columns, a unique value or the key
/// among them. In the order of the log no unique value ever clashes: the source has checked each row in that order.
package struct PartialChange: Sendable {
    /// Names the row.
    package var before: ImageRow
    /// The columns that are written.
    package var after: ImageRow
}

/// Changes of a table before the net effects that are still being gathered.
package enum ApplySegment: Sendable {
    case net(NetEffects<ImageRow>)
    case single(PartialChange)
}

/// Consecutive changes of the included tables on their way to one target transaction.
package struct ApplyBatch: Sendable {
    package let shapes: [TableShape]
    /// From the consistency point on; before it every keyed table is absolute. Keyless tables are always exact.
    package let strict: Bool
    /// Tables with a row filter.
    package let filtered: Set<Int>
    package let cascades: CascadeRules
    /// Tables that are strict although the phase is not: they stand at the checkpoint while another one is loaded again.
    package var strictTables: Set<Int> = []

    package private(set) var effects: [Int: NetEffects<ImageRow>] = [:]
    /// What comes before `effects`, in order. Only where images are partial.
    package private(set) var earlier: [Int: [ApplySegment]] = [:]
    package private(set) var keyless: [Int: [KeylessChange]] = [:]
    package private(set) var filteredChanges: [Int: [FilteredChange]] = [:]
    /// Changes of tables whose order counts, see `CascadeComponents`.
    package private(set) var ordered: [OrderedChange] = []
    package private(set) var touched: [TouchedKey] = []
    package private(set) var counts: [Int: ChangeCounts] = [:]
    /// Bytes that the batch holds, nearly: of events, and of what is kept for each row.
    package private(set) var bytes = 0
    package private(set) var rows = 0

    package init(shapes: [TableShape], strict: Bool, filtered: Set<Int>, cascades: CascadeRules = CascadeRules()) {
        self.shapes = shapes
        self.cascades = cascades
        self.strict = strict
        self.filtered = filtered
    }

    package func isStrict(_ table: Int) -> Bool { strict || strictTables.contains(table) }

    /// Memory for a row beside its bytes: image, key and literals.
    private static let rowOverhead = 640

    package var isEmpty: Bool { rows == 0 }
    /// Tables with something to apply, in a stable order.
    package var tables: [Int] { Set(effects.keys).union(earlier.keys).union(keyless.keys).union(filteredChanges.keys).sorted() }

    package mutating func add(table: Int, _ event: RowsEvent) throws {
        bytes += event.bytes.count
        var failure: (any Error)?
        // 2: foreign keys were not looked at; 16: what they did is logged.
        let cascadesUnseen = event.flags & 0x12 == 0
        try RowCompletion(shape: shapes[table]).forEachRow(event) { before, after in
            do { try add(table: table, before: before, after: after, cascades: cascadesUnseen) } catch { failure = error }
            if let failure { throw failure }
        }
    }

    private mutating func add(table: Int, before: ImageRow?, after: ImageRow?, cascades unseen: Bool) throws {
        rows += 1
        bytes += Self.rowOverhead
        switch (before, after) {
        case (nil, .some): counts[table, default: ChangeCounts()].inserts += 1
        case (.some, .some): counts[table, default: ChangeCounts()].updates += 1
        default: counts[table, default: ChangeCounts()].deletes += 1
        }
        let shape = shapes[table]
        if shape.isKeyless {
            let whole = TouchedKey(table: table, key: nil)
            if touched.last != whole { touched.append(whole) }
        } else {
            try touch(table, shape, before, after)
        }
        if cascades.tables.contains(table), Remedy.foreignKeyOrder.isOn {
            // What a cascade does follows from the old row and the new one, all of both.
            guard before?.isComplete != false, after?.isComplete != false else { throw partOfCascade(shape) }
            ordered.append(OrderedChange(table: table, before: before, after: after, cascades: unseen, mark: nil))
        } else if filtered.contains(table) {
            filteredChanges[table, default: []].append(FilteredChange(before: before, after: after))
        } else {
            try merge(table: table, before: before, after: after)
        }
    }

    /// Adds a change whose rows are all within the plan.
    package mutating func merge(table: Int, before: ImageRow?, after: ImageRow?) throws {
        if Fault.ignoreDelete.isOn, after == nil { return }
        let after = Fault.swapImages.isOn && after != nil ? before ?? after : after
        let shape = shapes[table]
        if shape.isKeyless {
            switch (before, after) {
            case (nil, let new?): keyless[table, default: []].append(.insert(new))
            case (let old?, nil): keyless[table, default: []].append(.delete(old))
            case (let old?, let new?): keyless[table, default: []].append(.update(before: old, after: new))
            case (nil, nil): break
            }
            return
        }
        if let before, let after, !after.isComplete { return try mergePartial(table, shape, before, after) }
        let strict = isStrict(table)
        do {
            switch (before, after) {
            case (nil, let new?):
                try effects[table, default: NetEffects()].insert(key: shape.keyBytes(of: new.image), row: new, strict: strict)
            case (let old?, nil):
                // One statement can log a child's row twice: as a row it deletes and as one that a cascade deletes.
                if cascades.loggedTwice.contains(table), let entry = effects[table]?.entries[shape.keyBytes(of: old.image)], entry.after == nil {
                    return
                }
                try effects[table, default: NetEffects()].delete(key: shape.keyBytes(of: old.image), row: old, strict: strict)
            case (let old?, let new?):
                try effects[table, default: NetEffects()].update(
                    oldKey: shape.keyBytes(of: old.image), before: old, newKey: shape.keyBytes(of: new.image), after: new,
                    strict: strict)
            case (nil, nil): break
            }
        } catch {
            throw Self.contradiction(shape, error)
        }
    }

    /// An update that writes some columns of a row only.
    private mutating func mergePartial(
        _ table: Int, _ shape: TableShape, _ before: ImageRow, _ after: ImageRow
    ) throws {
        let strict = isStrict(table)
        let oldKey = shape.keyBytes(of: before.image)
        let newKey = shape.keyBytes(of: after.image)
        var row = after
        if let known = effects[table]?.entries[oldKey]?.after {
            row = try after.resolved(over: known)
            // The whole row came earlier in the batch.
            if known.isComplete, row.diffs.isEmpty {
                return try merge(table: table, before: before, after: row.merged(over: known))
            }
        }
        let changesUnique = shape.uniqueColumns.contains { column in
            after.image.isPresent(column) && !(before.image.isPresent(column) && before.hasSameContent(as: after, in: [column]))
        }
        guard oldKey != newKey || !row.diffs.isEmpty || (strict && (changesUnique || shape.rewriteUpdates)) else {
            do {
                // In place: a copy for each row would be the square of the batch.
                try effects[table, default: NetEffects()].update(oldKey: oldKey, before: before, newKey: newKey, after: row, strict: strict)
            } catch {
                throw Self.contradiction(shape, error)
            }
            return
        }
        guard strict else {
            throw EngineError(
                .failed, "A change of \(shape.source.name) that is not absolute came before the consistency point.",
                cure: "This is an error of Godwit: please report it.")
        }
        if let net = effects.removeValue(forKey: table), !net.isEmpty { earlier[table, default: []].append(.net(net)) }
        earlier[table, default: []].append(.single(PartialChange(before: before, after: row)))
    }

    private func partOfCascade(_ shape: TableShape) -> EngineError {
        EngineError(
            .failed, "A change of \(shape.source.name) carries only part of its columns, and the table has cascading foreign keys that the source does not log.",
            why: "Some session writes with binlog_row_image other than FULL, or with binlog_row_value_options.",
            cure: "SET PERSIST binlog_row_image = FULL and binlog_row_value_options = '', let every application connect anew, and start a new migration.")
    }

    static func contradiction(_ shape: TableShape, _ error: SequenceError) -> EngineError {
        EngineError(
            .failed, "The source's log contradicts itself in table \(shape.source.name): \(error.reason).",
            why: "Events are missing from the log, or changes were made past it (sql_log_bin=0).",
            cure: "Find out who writes without the log, then load the table again.")
    }

    private mutating func touch(_ table: Int, _ shape: TableShape, _ before: ImageRow?, _ after: ImageRow?) throws {
        var last: RowKey?
        for row in Remedy.bothKeysDirty.isOn ? [before, after] : [after ?? before] {
            guard let row else { continue }
            var literals: [String] = []
            for position in shape.key {
                let column = shape.source.columns[position]
                guard let literal = KeyLiteral.sql(value: try row.value(column), column: column) else {
                    throw EngineError(.failed, "A key of \(shape.source.name) holds a value that cannot be a key (column \(column.name)).")
                }
                literals.append(literal)
            }
            let key = RowKey(literals)
            if key != last { touched.append(TouchedKey(table: table, key: key)) }
            last = key
        }
    }

    /// Hands over and forgets the changes of filtered tables.
    package mutating func takeFiltered() -> [Int: [FilteredChange]] {
        defer { filteredChanges = [:] }
        return filteredChanges
    }

    /// The transaction that brought the newest ordered changes is known.
    package mutating func seal(_ mark: MarkPosition) {
        var index = ordered.count - 1
        while index >= 0, ordered[index].mark == nil {
            ordered[index].mark = mark
            index -= 1
        }
    }

    /// Hands over and forgets the touched keys.
    package mutating func takeTouched() -> [TouchedKey] {
        defer { touched = [] }
        return touched
    }

    /// Empties the batch once it is written.
    package mutating func clear() {
        effects = [:]
        earlier = [:]
        keyless = [:]
        ordered = []
        filteredChanges = [:]
        counts = [:]
        bytes = 0
        rows = 0
    }
}

extension Remedy {
    static let bothKeysDirty = Remedy("both-keys-dirty", pitfalls: [5], test: "RemedyRuleTests/bothKeysOfAMoveAreDirty")
}
