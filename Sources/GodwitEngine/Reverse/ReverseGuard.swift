import MySQLWire

extension Remedy { static let silentReverse = Remedy("silent-reverse", pitfalls: [15, 40], test: "ReverseTests/switchesBackWithoutLosingARow") }

/// What on the old source would do something by itself while it follows the target: its triggers, which would do again what the log
/// holds already, and its events. Both are made again in the rollback, as the target has them then.
struct ReverseGuard: Sendable {
    let context: RunContext

    /// Before the first change is applied, in every attempt; may run again.
    func silence() async throws {
        guard Remedy.silentReverse.isOn else { return }
        let target = try await context.openTarget()
        do {
            try await dropTriggers(target)
            let result = try await ObjectMover(context: context).refresh(source: context.sourceControl, target: target, isStill: true)
            for line in result.failures + result.differences {
                context.observer.say("warning", line + " It is tried again before the rollback.")
            }
            await context.board.set(objectDifferences: result.failures)
        } catch {
            await target.close()
            throw error
        }
        await target.close()
        context.observer.moment("reverse.silent")
    }

    /// Their definitions are kept first, in `godwit.objects` of the old source, under the name of the forward task.
    private func dropTriggers(_ target: MySQLConnection) async throws {
        var scope = ObjectScope(context)
        // Also where the plan leaves the target's triggers alone: these stand on tables that are written to.
        scope.without = []
        let found = try await ObjectReader(scope: scope).triggers(target)
            .orThrow("old source", account: Preflight.account(context.targetFacts))
        guard !found.isEmpty else { return }
        let kept = ObjectLedger(task: context.plan.task + ".kept")
        try await kept.install(on: target)
        try await kept.write(found.map { .init($0, isMade: true) }, on: target)
        for trigger in found { try await target.query(ObjectStatements.drop(trigger.id)) }
        context.observer.say("info", "Dropped \(found.count) triggers on the old source: what they do comes with the target's log.")
    }
}

/// The write block of the forward cutover, once the rollback has switched the application back.
struct ForwardBlock: Sendable {
    let forward: Plan.Forward
    let servers: CutoverServers

    private static let limit = Duration.seconds(25)

    /// May run again.
    func lift() async throws {
        switch forward.block {
        case .readOnly:
            try await servers.onTarget { try await SourceReadOnly($0).open(timeout: Self.limit) }
            let scheduler = OldScheduler(forward: forward)
            let wasOn = try await servers.onSource { try await scheduler.wasStopped(rememberedOn: $0) }
            if wasOn { try await servers.onTarget { _ = try await $0.query("SET GLOBAL event_scheduler = ON") } }
        case .accounts:
            // Kept on the target of the cutover, which is read here.
            let task = forward.task
            let names = try await servers.onSource { try await SourceBlock.locked(by: task, $0) }
            try await servers.onTarget { try await SourceBlock.unlock(names, on: $0) }
        case .application: break
        }
    }
}

/// The old source's event scheduler while it follows the target. That it was on is remembered on the target: the old source takes no
/// writes yet when it is stopped.
struct OldScheduler: Sendable {
    let forward: Plan.Forward

    private var task: String { SQL.string(forward.task) }

    func stop(_ old: MySQLConnection, rememberedOn target: MySQLConnection) async throws {
        guard Remedy.stoppedScheduler.isOn else { return }
        let value = try await old.query("SELECT @@GLOBAL.event_scheduler").rows.first?.string(0)?.uppercased() ?? ""
        guard ["ON", "1"].contains(value) else { return }
        // Once only: after a restart of the old source in the middle of a rollback it is on again, and the target takes no writes.
        if !(try await wasStopped(rememberedOn: target)) {
            try await target.query(
                "CREATE TABLE IF NOT EXISTS `godwit`.`stopped_scheduler` (`task` VARCHAR(191) NOT NULL PRIMARY KEY) ENGINE=InnoDB COLLATE utf8mb4_bin")
            try await target.query("INSERT IGNORE INTO `godwit`.`stopped_scheduler` (task) VALUES (\(task))")
        }
        try await old.query("SET GLOBAL event_scheduler = OFF")
    }

    func wasStopped(rememberedOn target: MySQLConnection) async throws -> Bool {
        let exists = try await target.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'godwit' AND table_name = 'stopped_scheduler'")
        guard !exists.rows.isEmpty else { return false }
        return try await !target.query("SELECT 1 FROM `godwit`.`stopped_scheduler` WHERE task = \(task)").rows.isEmpty
    }
}

extension Remedy { static let stoppedScheduler = Remedy("stopped-scheduler", pitfalls: [40], test: "ReverseTests/anApplicationGoesThereAndBack") }
