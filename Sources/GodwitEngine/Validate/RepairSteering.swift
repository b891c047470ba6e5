import MySQLTypes
import MySQLWire

/// When rows are repaired while the task follows, and when what was passed over before is made good.
struct RepairSteering {
    let context: RunContext
    let parts: FollowParts
    /// The operator wants it, by `--repair` or from another terminal.
    var isAsked: Bool
    /// Rounds in which rows were rewritten: what differs again and again has a writer of its own on the target.
    private var rounds = 0
    private var gaveUp = false
    /// Tables with changes passed over that are not made good yet.
    private var open: Set<TableName>
    private static let roundsMax = 20

    init(context: RunContext, parts: FollowParts, isAsked: Bool) {
        self.context = context
        self.parts = parts
        self.isAsked = isAsked
        open = Set(context.tables.filter { $0.exceptions > 0 }.map(\.source.name))
    }

    /// A difference is no reason to stop yet.
    var mayHelp: Bool { isAsked && !gaveUp && !context.tables.contains { $0.suspension != nil } }

    /// With a repair wanted: everything that was passed over is made good.
    var isSettled: Bool { !isAsked || open.isEmpty }

    mutating func step(on target: MySQLConnection) async throws {
        guard isAsked, parts.validates else { return }
        if !gaveUp, await !parts.validation.failures.isEmpty {
            let outcome = try await TaskRepair(context: context, parts: parts).run()
            for line in outcome.left { context.observer.say("error", "Not repaired: \(line)") }
            rounds += 1
            gaveUp = !outcome.left.isEmpty || rounds >= Self.roundsMax
        }
        try await clear(on: target)
    }

    /// What was passed over up to now is made good in a table that is Validated after it: every row compared after its last change,
    /// those among them that a policy had left aside.
    private mutating func clear(on target: MySQLConnection) async throws {
        let status = await context.board.snapshot()
        for table in status.tables where (table.skipped ?? 0) > 0 {
            let name = TableName(schema: table.schema, table: table.table)
            let last = try await context.state.lastException(of: name, on: target)
            guard await parts.validation.isValidated(name) else {
                open.insert(name)
                continue
            }
            try await context.state.clearExceptions(name, through: last, on: target)
            let left = try await context.state.openExceptions(on: target)[name]
            await context.board.set(skipped: left, of: name)
            if left == nil {
                open.remove(name)
                context.observer.say("info", "The changes of \(name) that were passed over are made good: it was compared whole, and is equal.")
            }
        }
    }
}
