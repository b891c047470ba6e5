import MySQLTypes
import MySQLWire

/// Views, routines, triggers and events for `verify`: compares, changes nothing.
package struct ObjectVerification: Sendable {
    let plan: Plan
    /// Compared tables: source name to target name.
    let tables: [TableName: TableName]

    package init(plan: Plan, tables: [TableName: TableName]) {
        self.plan = plan
        self.tables = tables
    }

    /// Sentences; also of what could not be read, which is never taken for equal.
    package func differences(source: MySQLConnection, target: MySQLConnection) async throws -> [String] {
        // Under another schema's name definitions mean something else: such objects are refused by the migration, too.
        let kept = tables.filter { $0.key.schema == $0.value.schema }
        let scope = ObjectScope(tables: kept, without: plan.without, mappings: plan.mappings)
        guard !scope.schemas.isEmpty else { return [] }
        let reader = ObjectReader(scope: scope)
        let left = try await reader.read(source)
        let right = try await reader.read(target)
        let sentences = unreadable(left, "source") + unreadable(right, "target")
        let hidden = Set((left.unreadable + right.unreadable).map(\.id))
        // Triggers of a task that is not cut over are made in the cutover.
        let isUnderWay = try await isUnderWay(on: target)
        let wanted = left.objects.filter { !$0.isExpired && !hidden.contains($0.id) && !(isUnderWay && $0.kind == .trigger) }
        guard source.server.isMariaDB != target.server.isMariaDB else {
            return sentences + ObjectComparison.sentences(source: wanted, target: right.objects)
        }
        return sentences + ObjectTwins.sentences(source: wanted, target: right.objects, ledger: try await notes(on: target))
    }

    /// What a task noted when it made them; none where no task did.
    private func notes(on target: MySQLConnection) async throws -> [ObjectLedger.Row] {
        let columns = try await target.query(
            "SELECT 1 FROM information_schema.columns WHERE table_schema = 'godwit' AND table_name = 'objects' AND column_name = 'printed'")
        return columns.rows.isEmpty ? [] : try await ObjectLedger(task: plan.task).rows(on: target)
    }

    private func unreadable(_ found: ObjectReader.Found, _ side: String) -> [String] {
        found.unreadable.map { "The \($0.id) could not be compared: the \(side) does not show its definition\($0.message.isEmpty ? "" : " (\($0.message))")." }
    }

    private func isUnderWay(on target: MySQLConnection) async throws -> Bool {
        let state = TargetState(task: plan.task)
        guard try await state.readTask(on: target) != nil else { return false }
        return try await state.phase(on: target).phase != .cutOver
    }
}
