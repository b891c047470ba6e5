/// Lets only some addresses reach a port, and takes that back; each change is in the ledger first.
package struct FirewallExposure: Sendable {
    package struct Report: Sendable, Hashable {
        package var tool: FirewallTool
        /// What was not there before.
        package var made: [String]
        /// What an earlier exposure of this name had made and this one does not want.
        package var removed: [UndoOutcome]
    }
    let ledger: UndoLedger
    let shell: FirewallShell
    private let moment: @Sendable (String) -> Void

    /// `moment`: is told the names of the moments at which a crash would leave something half done.
    package init(ledger: UndoLedger, shell: FirewallShell = FirewallShell(), moment: @escaping @Sendable (String) -> Void = { _ in }) {
        self.ledger = ledger
        self.shell = shell
        self.moment = moment
    }

    package func expose(_ request: FirewallRequest, tool: FirewallTool) async throws -> Report {
        let plan = try FirewallPlan(request, on: try await shell.read(), tool: tool)
        var report = Report(tool: plan.tool, made: [], removed: [])
        for step in plan.steps {
            try Task.checkCancellation()
            let numbers = try await write(step.changes, request)
            moment("firewall-planned")
            if let command = step.command {
                try await shell.run(command)
                report.made += step.changes.map(\.what)
            }
            moment("firewall-made")
            for number in numbers { try await ledger.mark(number, .done) }
        }
        report.removed = try await remove(request) { !$0.isLeftover && !plan.inverses.contains($0) }
        try await verify(request, tool: plan.tool)
        return report
    }

    /// Takes back all that was made under a name; what is left, and why, is in the outcomes.
    package static func unexpose(
        _ name: String, ledger: UndoLedger, told: @Sendable (UndoOutcome) -> Void = { _ in }
    ) async throws -> [UndoOutcome] {
        try await UndoPlayer(actions: HostUndo()).play(ledger, only: { $0.exposure == name }, told: told)
    }

    /// Writes down what is not in the ledger yet; the numbers of those that are not known to be done.
    private func write(_ changes: [FirewallPlan.Change], _ request: FirewallRequest) async throws -> [Int] {
        let due = await ledger.due
        var numbers: [Int] = []
        for change in changes {
            let inverse = UndoInverse.firewall(change.inverse, exposure: request.name)
            if let entry = due.first(where: { $0.inverse == inverse }) {
                if entry.state == .planned { numbers.append(entry.number) }
            } else {
                numbers.append(try await ledger.plan(change.what, inverse: inverse))
            }
        }
        return numbers
    }

    private func remove(_ request: FirewallRequest, _ isObsolete: @escaping @Sendable (FirewallInverse) -> Bool) async throws -> [UndoOutcome] {
        try await UndoPlayer(actions: HostUndo()).play(
            ledger,
            only: { entry in
                guard case .firewall(let inverse, request.name) = entry.inverse else { return false }
                return isObsolete(inverse)
            })
    }

    /// A rule behind a broader one protects nothing: the rules are read again and have to stand where they work.
    private func verify(_ request: FirewallRequest, tool: FirewallTool) async throws {
        let plan = try FirewallPlan(request, on: try await shell.read(), tool: tool)
        guard plan.isInForce else {
            throw HostError(
                .failed, "The rules of '\(request.name)' do not stand where they work.", why: "Something else changes the firewall at the same time.",
                cure: "Run the command again; `godwit source unexpose --name \(request.name)` takes it all back.")
        }
    }
}

/// Takes back whatever a ledger of a host can hold.
package struct HostUndo: UndoActions {
    private let files = FileUndo()
    private let shell = FirewallShell()
    package init() {}

    package func standing(of inverse: UndoInverse) async throws -> UndoStanding {
        if case .firewall(let inverse, _) = inverse { try await shell.standing(of: inverse) } else { try await files.standing(of: inverse) }
    }

    package func undo(_ inverse: UndoInverse) async throws {
        if case .firewall(let inverse, _) = inverse { try await shell.undo(inverse) } else { try await files.undo(inverse) }
    }
}
