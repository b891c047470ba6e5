import MySQLTypes

/// Why a table cannot be loaded again now.
struct ReloadRefused: Error {
    var reason: String
}

/// `godwit reload`: one table is loaded again in a task that follows; the others wait for it, each at the checkpoint, and go on from
/// there strictly. The table is absolute up to a consistency point of its own, as every table is at first.
struct TableReload: Sendable {
    let context: RunContext
    let control: FollowControl

    /// - Parameter command: `reload schema.table`, names in backticks where they hold a dot.
    func run(_ command: String, answer: (String) async throws -> Void) async throws {
        let wanted = String(command.dropFirst("reload ".count))
        let known = context.tables.map(\.source.name)
        guard let name = known.first(where: { $0.description == wanted || "\($0.schema).\($0.table)" == wanted }) else {
            throw ReloadRefused(reason: "the task has no table \(wanted)")
        }
        await control.requestStop()
        while await !control.isStopped {
            try Task.checkCancellation()
            try await Task.sleep(for: .milliseconds(20))
        }
        // Not before: until it stands still, the applier may be in a statement of which only it can say what it changes.
        await control.changes(nil)
        try await answer("reloading")
        try await TableReset(context: context).run([name], in: .following, because: "Asked for by godwit reload")
    }
}
