import MySQLTypes

/// What is known to be equal when an attempt ends early, for the next attempt of the same process: a lost connection, or a change
/// of one table's definition, is no reason to compare terabytes again.
///
/// It holds because each event's keys are marked before the target commits it: what was compared and is not marked has not changed,
/// whichever commits went through. It does not hold for tables that something other than their events has changed, nor if
/// another runner, another server or a restored backup came between.
struct KeptValidation: Sendable {
    /// What an attempt works on.
    struct Circumstances: Sendable {
        /// Every taking of the task has its own, counted up.
        var epoch: UInt64
        var source: String
        /// nil: the server has none (MariaDB).
        var target: String?
        /// Without those whose changes are not applied.
        var tables: [TableName: PreparedTable]
        /// At an attempt's end: the newest one that it saw stored. At its start: the target's.
        var checkpoint: ReplicationPosition?
    }

    let knowledge: ValidationBoard.Knowledge
    private let then: Circumstances

    /// - Parameters:
    ///   - start: the checkpoint at the attempt's start, of one that ended before it saw another.
    ///   - changed: tables whose rows or definition something else than their events has changed.
    init(knowledge: ValidationBoard.Knowledge, of context: RunContext, start: ReplicationPosition, changed: Set<TableName>) {
        self.knowledge = knowledge
        var then = Circumstances(context, checkpoint: knowledge.checkpoint ?? start)
        then.tables = then.tables.filter { !changed.contains($0.key) }
        self.then = then
    }

    /// The tables of which it still holds.
    func same(_ now: Circumstances) -> Set<TableName> { Self.same(then, now) }

    /// Pure.
    static func same(_ then: Circumstances, _ now: Circumstances) -> Set<TableName> {
        guard Remedy.keptValidation.isOn else { return Set(now.tables.keys) }
        // Nobody has taken the task in between, and the target has not been set back.
        guard now.epoch == then.epoch + 1, now.source == then.source, now.target == then.target,
            let checkpoint = now.checkpoint, then.checkpoint.map({ checkpoint.covers($0) }) ?? true
        else { return [] }
        return Set(now.tables.filter { then.tables[$0.key] == $0.value }.keys)
    }
}

extension KeptValidation.Circumstances {
    init(_ context: RunContext, checkpoint: ReplicationPosition?) {
        self.init(
            epoch: context.epoch, source: context.sourceUUID, target: context.targetFacts.serverUUID,
            tables: Dictionary(
                context.tables.filter { $0.suspension == nil && $0.exceptions == 0 }.map { ($0.source.name, $0.prepared) },
                uniquingKeysWith: { first, _ in first }),
            checkpoint: checkpoint)
    }
}

extension Remedy { static let keptValidation = Remedy("kept-validation", pitfalls: [42], test: "KeptValidationTests/whatChangedIsComparedAgain") }
