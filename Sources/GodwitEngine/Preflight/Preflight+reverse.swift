// `reverse` in the plan: the target as a source, and the source as a target, looked at before the start; the cutover tries it out.
extension Preflight {
    static func wayBack(_ facts: PreflightFacts) -> [Finding] {
        guard let block = facts.reverseBlock else { return [] }
        guard facts.source.isMariaDB == facts.target.isMariaDB else {
            return [
                Finding(
                    .refusal, "reverse", "target", "`reverse` is not offered between MySQL and MariaDB yet.",
                    why: "Types that became others on the way there would have to become the first ones again.", cure: "Remove `reverse` from the plan.")
            ]
        }
        var back = PreflightFacts(source: facts.target, target: facts.source, tables: facts.tables, decisions: facts.decisions)
        back.block = block
        back.without = facts.without
        back.objects.source = facts.objects.source
        let found = sourceLog(back) + sourceGrants(back) + targetGrants(back) + objectGrants(back) + functionCreators(back) + passesReadOnly(facts)
        let open = found.filter { $0.severity != .ok && $0.severity != .info }
        guard !open.isEmpty else { return [Finding(.ok, "reverse", "target", "The way back: both accounts and the target's log have what it takes.")] }
        return open.map { finding in
            var turned = finding
            turned.check = "reverse-" + finding.check
            turned.what = "For the way back, on which target and source change places: " + finding.what
            return turned
        }
    }

    /// The old source stays read-only for all but Godwit.
    private static func passesReadOnly(_ facts: PreflightFacts) -> [Finding] {
        let source = facts.source
        let needed = source.isMariaDB ? ["READ_ONLY ADMIN", "SUPER"] : ["CONNECTION_ADMIN", "SUPER"]
        guard facts.block == .readOnly, !source.grants.allowsAny(needed) else { return [] }
        return [
            Finding(
                .error, "target-grants", "source", "The account \(account(source)) lacks \(needed[0]) on the old source.",
                why: "It stays read-only for everybody else while it follows.", cure: "GRANT \(needed[0]) ON *.* TO \(account(source));")
        ]
    }
}
