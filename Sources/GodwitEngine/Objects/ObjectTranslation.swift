import Foundation

/// Views, routines, triggers and events from MySQL to MariaDB and back: as the target must make them, or why it must not. Pure.
///
/// Both keep a program's body as it was written, so it is moved word by word: every word that is not known to mean the same on both
/// keeps the object from moving, by name. Collations and modes are given the target's names. Whether the target understands the text
/// and has the functions is asked of the target itself: see `ObjectProbe`.
package struct ObjectTranslation: Hashable, Sendable {
    package let dialect: DialectTranslation
    /// Stored functions that move too, in lower case.
    let stored: Set<String>

    package init(_ dialect: DialectTranslation, objects: [ObjectDefinition] = []) {
        self.dialect = dialect
        stored = Set(objects.filter { $0.kind == .function }.map { $0.name.table.lowercased() })
    }

    package struct Outcome: Hashable, Sendable {
        /// As it is made on the target.
        package var object: ObjectDefinition
        /// What keeps it from moving, each a sentence.
        package var objections: [String] = []
        /// What may come out otherwise on the target, each a sentence.
        package var remarks: [String] = []
        /// Native functions that it calls, in upper case.
        package var functions: Set<String> = []
    }

    package func translated(_ object: ObjectDefinition) -> Outcome {
        var outcome = Outcome(object: object)
        guard dialect.crosses else { return outcome }
        translateSettings(&outcome)
        guard case .none = LeadBytes(characterSet: object.characterSetClient) else {
            outcome.objections.append("It was made by a client in \(object.characterSetClient), a character set whose texts Godwit does not read.")
            return outcome
        }
        do {
            var reading = ObjectReading(object, dialect: dialect, stored: stored)
            try reading.read()
            outcome.object.statement = reading.result
            outcome.objections += Self.once(reading.objections)
            outcome.remarks += Self.once(reading.remarks)
            outcome.functions = reading.functions
        } catch {
            outcome.objections.append("Its text cannot be read: \(error.reason).")
        }
        return outcome
    }

    // MARK: Settings

    private func translateSettings(_ outcome: inout Outcome) {
        func mapped(_ name: String, _ what: String) -> String {
            guard let found = dialect.collation(name) else {
                outcome.objections.append("Its \(what), \(name), has no equal on the target.")
                return name
            }
            if !found.isExact { outcome.remarks.append("What it compares by \(name) it compares by \(found.name) there: accents and new characters may come out otherwise.") }
            return found.name
        }
        outcome.object.collationConnection = mapped(outcome.object.collationConnection, "collation")
        if let collation = outcome.object.databaseCollation { outcome.object.databaseCollation = mapped(collation, "schema's collation") }
        outcome.remarks = Self.once(outcome.remarks)
        guard let mode = outcome.object.sqlMode else { return }
        do {
            outcome.object.sqlMode = try modes(mode)
        } catch {
            outcome.objections.append(error.reason)
        }
    }

    /// The target's words for a mode. Fractions of a second that do not fit are rounded by MySQL and cut off by MariaDB, unless a
    /// mode of each says otherwise.
    func modes(_ text: String) throws(SQLTokenError) -> String {
        var found: [String] = []
        var isOther = false
        let other = dialect.fromMariaDB ? "TIME_ROUND_FRACTIONAL" : "TIME_TRUNCATE_FRACTIONAL"
        for mode in text.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces).uppercased() }) where !mode.isEmpty {
            if mode == other {
                isOther = true
            } else if ObjectWords.modes.contains(mode) {
                found.append(mode)
            } else if !ObjectWords.silentModes.contains(mode) {
                throw SQLTokenError(offset: 0, reason: "It runs in sql_mode \(mode), which the target does not have.")
            }
        }
        if !isOther { found.append(dialect.fromMariaDB ? "TIME_TRUNCATE_FRACTIONAL" : "TIME_ROUND_FRACTIONAL") }
        return found.joined(separator: ",")
    }

    /// A mode without the words that say nothing of how a program runs.
    static func plain(_ mode: String?) -> Set<String>? {
        mode.map { Set($0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).uppercased() }).subtracting(ObjectWords.silentModes) }
    }

    private static func once(_ sentences: [String]) -> [String] {
        var seen: Set<String> = []
        return sentences.filter { seen.insert($0).inserted }
    }
}
