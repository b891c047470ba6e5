// The way back: the plan with both sides exchanged.
extension Plan {
    /// `reverse:` of a plan: after the cutover the old source follows the target, so that `godwit rollback` loses nothing.
    package struct Reverse: Sendable, Hashable {
        /// What keeps writers off the target in a rollback; nil: what the cutover uses on the source.
        package var block: Application.Block?
        package init(block: Application.Block? = nil) { self.block = block }
    }

    /// The migration that a reversed plan turns around.
    package struct Forward: Sendable, Hashable {
        package var task: String
        /// What its cutover has put on the source, which takes writes again in a rollback.
        package var block: Application.Block
    }

    /// The plan of the way back. What the source of this plan is called stays: names are the same on both sides.
    /// - Throws: `EngineError.plan` where the plan asks for no way back, or for one that cannot be gone.
    package func reversed() throws(EngineError) -> Plan {
        guard let reverse else {
            throw EngineError(
                .plan, "The plan asks for no way back.", why: "What it needs is looked at before the cutover, which keeps it open.",
                cure: "Add `reverse: true` to the plan before the cutover.")
        }
        if let objection = mappings.objectionToReversal {
            throw EngineError(.plan, "`reverse` is not offered with \(objection).", why: "What is left out or renamed on the way there has no way back.", cure: "Remove `reverse`, or the rule.")
        }
        if without.contains(.triggers) {
            throw EngineError(
                .plan, "`reverse` is not offered with `without: [triggers]`.",
                why: "The old source's triggers are dropped while it follows, and the target would have none to make again.",
                cure: "Remove `reverse`, or let triggers move.")
        }
        var commands = application
        commands.switch = application.switchBack
        commands.switchBack = application.switch
        commands.block = reverse.block ?? application.block
        if commands.switch.isEmpty, !application.switch.isEmpty {
            throw EngineError(
                .plan, "The plan has `reverse` and no application.switch_back.", why: "A rollback switches the application back with it.",
                cure: "Add `switch_back:`, or remove `reverse`.")
        }
        var plan = Plan(
            task: task + ".reverse", source: target, target: source, mappings: mappings, settings: settings, application: commands,
            stateFolder: stateFolder)
        plan.without = without
        plan.forward = Forward(task: task, block: application.block)
        return plan
    }
}

extension TableMappings {
    /// What of the rules cannot be turned around; nil: nothing.
    var objectionToReversal: String? {
        if !renamings.isEmpty { return "rules that rename (\(renamings.map(\.id).map(String.init).joined(separator: ", ")))" }
        if let filtered = selections.first(where: { !$0.filters.isEmpty }) { return "row filters (\(filtered.label))" }
        return nil
    }
}
