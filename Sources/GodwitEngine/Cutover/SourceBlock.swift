import MySQLWire

/// What keeps writers off the source between a cutover's first step and its end. Which of the three it is, the plan says
/// (`application: { block: … }`); none is ever taken in place of another, since they promise different things:
///
/// - `read-only` (the default): see `SourceReadOnly`. No client's write commits, whoever it is.
/// - `accounts`: every account but the server's own and Godwit's is locked and its sessions are ended. A restart changes nothing.
///   Those accounts (root, a cloud's administrator), events and replicas can still write; up to the switch that is noticed.
/// - `application`: the plan's stop commands alone. Godwit waits until the source stands still, and sees up to the switch whether it
///   does; what somebody writes after that is lost.
struct SourceBlock: Sendable {
    let context: RunContext
    let servers: CutoverServers

    /// Longest wait for statements that run on the source, seconds.
    private static let seconds = 10
    private static let statementLimit = Duration.seconds(2 * seconds + 5)
    /// How long the source must stand still where nothing holds its writers.
    private static let stillness = Duration.seconds(1)

    private var kind: Plan.Application.Block { context.plan.application.block }
    private var lock: String { context.lock.name("block") }

    /// Returns when no client's commit is under way any more.
    func set() async throws {
        switch kind {
        case .readOnly: try await setReadOnly()
        case .accounts:
            try await lockAccounts()
            try await waitUntilStill()
        case .application: try await waitUntilStill()
        }
    }

    /// Right before the switch: does it still hold?
    func check() async throws {
        switch kind {
        case .readOnly:
            try await servers.onSource { source in
                guard try await SourceReadOnly(source).isClosed() else {
                    throw CutoverFailure("The source is not blocked any more.", effect: .none)
                }
                try await SourceReadOnly(source).checkSessions()
            }
        case .accounts:
            let names = try await lockedNames()
            let open = try await servers.onSource { source in
                var open: [AccountName] = []
                for name in names where try await !Self.isLocked(name, source) { open.append(name) }
                return open
            }
            guard open.isEmpty else {
                throw CutoverFailure(
                    "The source is not blocked any more: \(open.map(\.description).joined(separator: ", ")) can log in.", effect: .none)
            }
        case .application: break
        }
    }

    func lift() async throws {
        switch kind {
        case .readOnly: try await liftReadOnly()
        case .accounts:
            let names = try await lockedNames()
            try await servers.onSource { try await Self.unlock(names, on: $0) }
            let task = SQL.string(context.plan.task)
            try await servers.onTarget { _ = try await $0.query("DELETE FROM `godwit`.`locked` WHERE task = \(task)") }
        case .application: break
        }
    }

    // MARK: Read-only

    private func setReadOnly() async throws {
        let lock = lock
        let persisted = try await servers.onSource { source in
            // Named, so that undoing can find and end this very session: a server thread that waits for the lock outlives its
            // client, and would block the source after it was unblocked.
            let free = try await source.query("SELECT GET_LOCK('\(lock)', 5)").rows.first?.int(0)
            guard free == 1 else { throw CutoverFailure("Another session is blocking or unblocking the source.", effect: .none) }
            try await source.query("SET SESSION lock_wait_timeout = \(Self.seconds)")
            return try await SourceReadOnly(source).close(timeout: Self.statementLimit)
        }
        if !persisted {
            context.observer.say("warning", "The source cannot persist read-only: a restart of it would end the write block, which is noticed up to the switch.")
        }
    }

    private func liftReadOnly() async throws {
        let lock = lock
        try await servers.onSource { source in
            if let holder = try await source.query("SELECT NULLIF(IS_USED_LOCK('\(lock)'), CONNECTION_ID())").rows.first?.int(0) {
                try await Self.kill(holder, source)
            }
            guard try await source.query("SELECT GET_LOCK('\(lock)', 30)").rows.first?.int(0) == 1 else {
                throw CutoverFailure("The session that blocked the source does not end.")
            }
            try await SourceReadOnly(source).open(timeout: Self.statementLimit)
            try await source.query("SELECT RELEASE_ALL_LOCKS()")
        }
    }

    private static func kill(_ session: Int64, _ source: MySQLConnection) async throws {
        do {
            try await source.query("KILL \(session)")
        } catch {
            // 1094: it has ended by itself.
            if error.serverCode != 1094 { throw error }
        }
    }

    // MARK: Accounts

    /// On the target before the first is locked, so that exactly these are unlocked again, whatever happens in between.
    private func lockAccounts() async throws {
        let own = Set([AccountName.parsed(context.sourceFacts.currentUser)])
        let task = SQL.string(context.plan.task)
        let names = try await servers.onSource { source in
            try await source.query("SELECT User, Host FROM `mysql`.`user` WHERE account_locked = 'N'").rows
                .map { AccountName($0.string(0) ?? "", $0.string(1) ?? "") }
                .filter { !$0.isSystem && !own.contains($0) }
        }
        try await servers.onTarget { target in
            try await target.query(
                """
                CREATE TABLE IF NOT EXISTS `godwit`.`locked` (
                  `task` VARCHAR(191) NOT NULL, `user` VARCHAR(128) NOT NULL, `host` VARCHAR(255) NOT NULL, PRIMARY KEY (`task`, `user`, `host`)
                ) ENGINE=InnoDB COLLATE utf8mb4_bin
                """)
            for name in names {
                try await target.query(
                    "INSERT IGNORE INTO `godwit`.`locked` (task, user, host) VALUES (\(task), \(SQL.string(name.user)), \(SQL.string(name.host)))")
            }
        }
        context.observer.moment("block.accounts")
        let users = Set(names.map(\.user))
        try await servers.onSource { source in
            for name in names { try await source.query("ALTER USER IF EXISTS \(name.sql) ACCOUNT LOCK") }
            // A lock keeps nobody out who is in.
            let start = ContinuousClock.now
            while true {
                let mine = try await source.query("SELECT CONNECTION_ID()").rows.first?.int(0)
                let sessions = try await source.query("SHOW PROCESSLIST").rows
                    .filter { users.contains($0.string(1) ?? "") && $0.int(0) != mine }.compactMap { $0.int(0) }
                if sessions.isEmpty { return }
                guard ContinuousClock.now - start < .seconds(2 * Self.seconds) else {
                    throw CutoverFailure("\(sessions.count) sessions of locked accounts do not end on the source.", effect: .none)
                }
                for session in sessions { try await Self.kill(session, source) }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private func lockedNames() async throws -> [AccountName] {
        let task = context.plan.task
        return try await servers.onTarget { try await Self.locked(by: task, $0) }
    }

    /// The accounts that a task's cutover has locked on the source, as its target remembers them.
    static func locked(by task: String, _ target: any SQLSession) async throws -> [AccountName] {
        let exists = try await target.query(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'godwit' AND table_name = 'locked'")
        guard !exists.rows.isEmpty else { return [] }
        return try await target.query("SELECT user, host FROM `godwit`.`locked` WHERE task = \(SQL.string(task))").rows
            .map { AccountName($0.string(0) ?? "", $0.string(1) ?? "") }
    }

    static func unlock(_ names: [AccountName], on server: any SQLSession) async throws {
        for name in names { try await server.query("ALTER USER IF EXISTS \(name.sql) ACCOUNT UNLOCK") }
    }

    private static func isLocked(_ name: AccountName, _ source: MySQLConnection) async throws -> Bool {
        let row = try await source.query(
            "SELECT account_locked FROM `mysql`.`user` WHERE User = \(SQL.string(name.user)) AND Host = \(SQL.string(name.host))").rows.first
        return row.map { $0.string(0) == "Y" } ?? true
    }

    // MARK: Standing still

    /// Nothing was logged for a while, and no commit is between the log and the tables.
    private func waitUntilStill() async throws {
        guard Remedy.stillSource.isOn else { return }
        let positions = context.positions
        let start = ContinuousClock.now
        try await servers.onSource { source in
            var last = try await positions.end(on: source)
            var since = ContinuousClock.now
            while true {
                try await Task.sleep(for: .milliseconds(50))
                let now = try await positions.end(on: source)
                let owned = positions.usesGTIDs ? try await source.query("SELECT @@GLOBAL.gtid_owned").rows.first?.string(0) ?? "" : ""
                if now != last || !owned.isEmpty {
                    last = now
                    since = ContinuousClock.now
                }
                if ContinuousClock.now - since >= Self.stillness { return }
                guard ContinuousClock.now - start < .seconds(Self.seconds) else {
                    throw CutoverFailure("The source does not stand still: somebody still writes to it.", effect: .none)
                }
            }
        }
    }
}

extension AccountName {
    /// `user@host` as CURRENT_USER() prints it.
    static func parsed(_ text: String) -> AccountName {
        guard let at = text.lastIndex(of: "@") else { return AccountName(text, "") }
        return AccountName(String(text[..<at]), String(text[text.index(after: at)...]))
    }
}

/// Where nothing holds the source's writers, the cutover begins only once it stands still.
extension Remedy { static let stillSource = Remedy("still-source", pitfalls: [39, 44], test: "RestrictedServerTests/allRestrictionsAtOnce") }
