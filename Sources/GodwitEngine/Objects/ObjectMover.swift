import Foundation
import MySQLWire
import NIOCore

/// Makes the source's views, routines, triggers and events on the target, and compares them. Everything may run again.
package struct ObjectMover: Sendable {
    let context: RunContext
    let scope: ObjectScope
    let ledger: ObjectLedger

    package init(context: RunContext) {
        self.context = context
        scope = ObjectScope(context)
        ledger = ObjectLedger(task: context.plan.task)
    }

    private var reader: ObjectReader { ObjectReader(scope: scope) }

    /// What was read of the source, and what has come of it.
    package struct Result: Sendable {
        package var fingerprint: [[MySQLRow]] = []
        /// In the order in which they are made.
        package var source: [ObjectDefinition] = []
        /// Objects that are made later, when no statement of the source's log is replayed: see `refresh`.
        package var postponed: [ObjectDefinition] = []
        /// Objects that could not be made now, each with the server's words.
        package var failures: [String] = []
        /// Objects that stand and are not the same, each a sentence.
        package var differences: [String] = []
    }

    /// Brings views, routines and events (switched off) to what the source has now.
    ///
    /// What the target refuses is a failure in the result, not an error: while the log is followed the source's definitions may be
    /// ahead of the target's, and a missing grant can be mended meanwhile. A cutover needs all of them.
    ///
    /// - Parameter isStill: nothing is applied meanwhile. Only then a schema's default collation may be another one for a moment, as
    ///   an object needs that was made before the default was changed: a table that the log creates would take it over.
    package func refresh(source: MySQLConnection, target: MySQLConnection, isStill: Bool) async throws -> Result {
        var result = Result()
        // The fingerprint first: what changes after it is seen the next time.
        result.fingerprint = try await reader.fingerprint(source)
        result.source = try await sourceObjects(source)
        try await ledger.install(on: target)
        let before = try await targetObjects(target)
        let rows = try await ledger.rows(on: target)
        let twins = ObjectTwins(result.source, context.translation)
        var changes = ObjectChanges(
            source: twins.movable, target: before, ledger: rows, kept: Set(result.source.map(\.id)), crosses: twins.crosses)
        if isStill {
            try await ledger.restoreDefaults(on: target)
        } else {
            let defaults = try await defaults(target)
            let later = Set(changes.makes.filter { Self.needsDefault(twins.twin($0), defaults) != nil })
            result.postponed = changes.makes.filter(later.contains)
            changes.makes.removeAll(where: later.contains)
        }
        if !changes.drops.isEmpty || !changes.makes.isEmpty || !changes.notes.isEmpty {
            result.failures = try await withMaker { try await carryOut(changes, twins, $0, target) }
        }
        result.failures += twins.refused
        result.differences = try await differences(result, twins, target)
        return result
    }

    /// What differs but for triggers, which are not there before the cutover.
    private func differences(_ result: Result, _ twins: ObjectTwins, _ target: MySQLConnection) async throws -> [String] {
        let later = Set(result.postponed.map(\.id))
        let wanted = result.source.filter { $0.kind != .trigger && !$0.isExpired && !later.contains($0.id) }
        let found = try await targetObjects(target)
        guard twins.crosses else { return ObjectComparison.sentences(source: wanted, target: found) }
        return ObjectTwins.sentences(source: wanted, target: found, ledger: try await ledger.rows(on: target))
    }

    /// See `ObjectReader.fingerprint`.
    package func fingerprint(_ source: MySQLConnection) async throws -> [[MySQLRow]] { try await reader.fingerprint(source) }

    private func sourceObjects(_ source: MySQLConnection) async throws -> [ObjectDefinition] {
        try await reader.read(source).orThrow("source", account: Preflight.account(context.sourceFacts))
    }

    private func targetObjects(_ target: MySQLConnection) async throws -> [ObjectDefinition] {
        try await reader.read(target).orThrow("target", account: Preflight.account(context.targetFacts))
    }

    /// A session of its own: its settings change with every object.
    private func withMaker<Output: Sendable>(_ body: (MySQLConnection) async throws -> Output) async throws -> Output {
        let maker = try await context.openTarget()
        do {
            let output = try await body(maker)
            await maker.close()
            return output
        } catch {
            await maker.close()
            throw error
        }
    }

    private func carryOut(
        _ changes: ObjectChanges, _ twins: ObjectTwins, _ maker: MySQLConnection, _ target: MySQLConnection
    ) async throws -> [String] {
        for id in changes.drops {
            context.observer.say("info", "The \(id) is gone from the source: dropping it on the target.")
            try await target.query(ObjectStatements.drop(id))
            try await ledger.remove(id, on: target)
        }
        for object in changes.notes { try await ledger.write(.init(object, isMade: true), on: target) }
        var failures: [String] = []
        let defaults = changes.makes.isEmpty ? [:] : try await defaults(target)
        var session: [String] = []
        var standing: [ObjectDefinition] = []
        for object in changes.makes {
            if let failure = try await make(object, twins, maker, &session, target, defaults) {
                failures.append(failure)
            } else {
                standing.append(object)
            }
        }
        if twins.crosses, !standing.isEmpty { failures += try await note(standing, twins, try await targetObjects(target), target) }
        let made = changes.makes.count - failures.count
        if made > 0 { context.observer.say("info", "Made \(made) views, routines and events on the target, events switched off.") }
        return failures
    }

    /// Between the families: what has come of what was made, for every later comparison.
    /// - Returns: what did not come out as it should, each a sentence.
    private func note(
        _ made: [ObjectDefinition], _ twins: ObjectTwins, _ found: [ObjectDefinition], _ target: MySQLConnection
    ) async throws -> [String] {
        let (rows, failures) = twins.noted(made, found: found)
        try await ledger.write(rows, on: target)
        return failures
    }

    /// The server's words and the cure where the target refuses.
    private func make(
        _ object: ObjectDefinition, _ twins: ObjectTwins, _ maker: MySQLConnection, _ session: inout [String], _ target: MySQLConnection,
        _ defaults: [String: String]
    ) async throws -> String? {
        try await ledger.write(.init(object, isMade: false), on: target)
        context.observer.moment("objects.make")
        do {
            // Views are replaced in one statement, so that nobody ever finds none.
            if object.kind != .view { try await target.query(ObjectStatements.drop(object.id)) }
            try await create(twins.twin(object), maker, &session, target, defaults)
        } catch let error as MySQLError {
            guard let refusal = refusal(object, error) else { throw error }
            return refusal
        }
        try await ledger.write(.init(object, isMade: true), on: target)
        context.observer.moment("objects.made")
        return nil
    }

    /// Default collations of the target's schemas.
    private func defaults(_ target: MySQLConnection) async throws -> [String: String] {
        Dictionary(try await Catalog.schemas(target).map { ($0.name, $0.collation) }, uniquingKeysWith: { first, _ in first })
    }

    /// The collation that an object's schema must have while it is made, where that is not the schema's own.
    static func needsDefault(_ object: ObjectDefinition, _ defaults: [String: String]) -> String? {
        guard let wanted = object.databaseCollation, let own = defaults[object.schema] else { return nil }
        return Definitions.canonical(wanted) == Definitions.canonical(own) ? nil : wanted
    }

    /// - Parameter session: what `maker` was set to for the object before.
    private func create(
        _ object: ObjectDefinition, _ maker: MySQLConnection, _ session: inout [String], _ target: MySQLConnection,
        _ defaults: [String: String]
    ) async throws {
        guard let wanted = Self.needsDefault(object, defaults), let own = defaults[object.schema] else {
            return try await create(object, maker, &session)
        }
        try await ledger.rememberDefault(own, of: object.schema, on: target)
        context.observer.moment("objects.default")
        do {
            try await target.query("ALTER DATABASE \(SQL.identifier(object.schema)) COLLATE \(wanted)")
            try await create(object, maker, &session)
        } catch {
            if target.isOpen { try await ledger.restoreDefaults(on: target) }
            throw error
        }
        try await ledger.restoreDefaults(on: target)
    }

    private func create(_ object: ObjectDefinition, _ maker: MySQLConnection, _ session: inout [String]) async throws {
        let statement = try ObjectStatements.create(object)
        let wanted = ObjectStatements.session(object)
        if session != wanted {
            session = []
            for setting in wanted { try await maker.query(setting) }
            session = wanted
        }
        try await maker.query(ByteBuffer(bytes: statement))
    }

    /// What the server's refusal means, with the cure; nil where the error says nothing of the object.
    private func refusal(_ object: ObjectDefinition, _ error: MySQLError) -> String? {
        guard error.code == .server, !error.isConnectionLost, !Retry.isWorthwhile(error) else { return nil }
        let account = Preflight.account(context.targetFacts)
        let cure: String
        switch error.serverCode {
        case 1418, 1419: cure = "SET PERSIST log_bin_trust_function_creators = ON; on the target."
        case 1298: cure = "Load the time zone tables on the target (mysql_tzinfo_to_sql)."
        case 1044, 1142, 1227:
            cure = "GRANT what the message names TO \(account); on the target (`godwit check` lists the statements)."
        case 1370, 1449: cure = "Create the account on the target, with its grants."
        case 1049, 1054, 1146, 1305, 1356: cure = "What it names is not on the target (yet)."
        default: cure = "Mend it on the source, or add `without: [\(object.kind.group.rawValue)]` to the plan."
        }
        return "The \(object.id) (definer \(object.definer)) cannot be made on the target: \(error.message) \(cure)"
    }

    // MARK: Triggers

    /// Makes all triggers of the tables that move, and compares them. Only between the fence of the forward stream and the switch:
    /// what they do is in the log already.
    /// - Returns: what is not the same, each a sentence.
    package func makeTriggers(_ source: [ObjectDefinition], target: MySQLConnection) async throws -> [String] {
        let twins = ObjectTwins(source, context.translation)
        let triggers = twins.movable.filter { $0.kind == .trigger }
        try await ledger.dropTriggers(on: target)
        try await ledger.restoreDefaults(on: target)
        // None that is left: a refresh that refuses one ends the cutover before the pause, or in it.
        guard !triggers.isEmpty else { return twins.refused }
        let defaults = try await defaults(target)
        // The application waits: all at once. Whether one was made does not matter, what is noted is dropped.
        try await ledger.write(triggers.map { .init($0, isMade: false) }, on: target)
        try await withMaker { maker in
            try await ledger.holdTriggerLock(maker)
            var session: [String] = []
            for trigger in triggers {
                try await context.state.checkFence(epoch: context.epoch, phase: .fenced, on: target)
                context.observer.moment("objects.trigger")
                do {
                    try await create(twins.twin(trigger), maker, &session, target, defaults)
                } catch let error as MySQLError {
                    guard let refusal = refusal(trigger, error) else { throw error }
                    throw CutoverFailure(refusal, effect: .none)
                }
            }
        }
        let account = Preflight.account(context.targetFacts)
        let found = try await reader.triggers(target).orThrow("target", account: account)
        guard twins.crosses else { return ObjectComparison.sentences(source: triggers, target: found) }
        return try await note(triggers, twins, found, target) + twins.refused
    }

    /// Switches on what was switched on at the source. Behind the point of no return: asks the target only, and an event that
    /// cannot be switched on keeps nobody from starting the application.
    /// - Returns: what could not be switched on, each a sentence.
    package func enableEvents(target: MySQLConnection) async throws -> [String] {
        try await ledger.install(on: target)
        // In the words of the target, where these are others.
        let events = try await ledger.rows(.event, on: target).filter(\.object.isEnabled).map { $0.printed ?? $0.object }
        guard !events.isEmpty else { return [] }
        return try await withMaker { maker in
            var failures: [String] = []
            for event in events {
                do {
                    for setting in ObjectStatements.session(event) { try await maker.query(setting) }
                    // In the event's own character set: names beyond ASCII are moved only where that is a form of UTF-8.
                    try await maker.query(ObjectStatements.enable(event))
                } catch let error as MySQLError {
                    guard error.code == .server, !error.isConnectionLost else { throw error }
                    failures.append("The \(event.id) could not be switched on: \(error.message)")
                }
            }
            return failures
        }
    }
}
