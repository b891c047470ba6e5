import Foundation
import Testing

@testable import GodwitEngine

/// What stands against moving views, routines, triggers and events.
@Suite("Preflight's findings on views, routines, triggers and events")
struct PreflightObjectsTests {
    /// The pair of `PreflightTests`, nothing renamed, and one object of each kind that nothing speaks against.
    static func facts() -> PreflightFacts {
        var facts = PreflightTests.facts()
        let table = facts.tables[0].name
        facts.decisions = [table: TableDecision(target: table)]
        facts.target.variables["log_bin_trust_function_creators"] = "ON"
        facts.objects.source = ObjectDefinition.Kind.allCases.map { kind in
            ObjectDecisionTests.object(kind, "o", "CREATE DEFINER=`u`@`%` something that reads `t`") {
                if kind == .trigger { $0.place = .init(table: table.table, timing: "BEFORE", event: "INSERT", order: 1) }
                if kind == .view { $0.uses = [table, TableName(schema: "sys", table: "version")] }
            }
        }
        facts.objects.accounts = ["u@%"]
        facts.objects.systemAccounts = []
        facts.objects.privileges = ["SET_ANY_DEFINER", "ALLOW_NONEXISTENT_DEFINER", "SYSTEM_USER"]
        return facts
    }

    static func change(_ facts: inout PreflightFacts, _ kind: ObjectDefinition.Kind, _ body: (inout ObjectDefinition) -> Void) {
        for index in facts.objects.source.indices where facts.objects.source[index].kind == kind { body(&facts.objects.source[index]) }
    }

    static let all = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, PROCESS"
    static let made = "CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, TRIGGER, EVENT"

    @Test func aGoodPairHasOnlyGoodNews() {
        let findings = Preflight.findings(Self.facts())
        #expect(findings.allSatisfy { $0.severity == .ok }, "\(findings.filter { $0.severity != .ok })")
    }

    static let rows: [PreflightTests.Row] = [
        .init("a renamed schema", "objects-renamed", .refusal, "app.o", cure: "without: [views]") {
            $0.decisions = [$0.tables[0].name: TableDecision(target: TableName(schema: "new", table: "t"))]
        },
        .init("a renamed table", "objects-renamed", .refusal, "app.o", cure: "without: [triggers]") {
            $0.decisions = [$0.tables[0].name: TableDecision(target: TableName(schema: "app", table: "x"))]
        },
        .init("two character sets", "objects-text", .refusal, "app.o", cure: "SET NAMES utf8mb4") {
            change(&$0, .procedure) {
                $0.hasWideHead = true
                $0.characterSetClient = "latin1"
            }
        },
        .init("an expired event", "objects", .warning, "app.o") { change(&$0, .event) { $0.isExpired = true } },
        .init("a view over what stays", "objects-view", .refusal, "app.o", cure: "without: [views]") {
            change(&$0, .view) { $0.uses.append(TableName(schema: "app", table: "not_moved")) }
        },
        .init("a view that cannot be resolved", "objects-invalid", .refusal, "app.o", cure: "DROP VIEW `app`.`o`;") {
            change(&$0, .view) { $0.invalid = "View … references invalid" }
            $0.objects.broken[.init(.view, TableName(schema: "app", table: "o"))] = "Table 'app.gone' doesn't exist"
        },
        .init("a view whose definer lacks rights", "objects-invalid", .warning, "app.o") { change(&$0, .view) { $0.invalid = "View … references invalid" } },
        .init("a definition that is not shown", "source-grants", .error, "app.o", cure: "GRANT SHOW_ROUTINE ON *.* TO 'u'@'%';") {
            $0.objects.sourceUnreadable = [.init(id: .init(.procedure, TableName(schema: "app", table: "o")), message: "")]
        },
        .init("an excluded view", "objects", .info, "app.w") { $0.objects.excluded = [TableName(schema: "app", table: "w")] },
        .init("another definition there", "target-object", .error, "app.o", cure: "DROP FUNCTION IF EXISTS `app`.`o`;") {
            $0.objects.target = [ObjectDecisionTests.object(.function, "o", "CREATE other")]
        },
        .init("another definition there, replaced", "target-object", .warning, "app.o") {
            $0.objects.target = [ObjectDecisionTests.object(.function, "o", "CREATE other")]
            $0.preparation = .dropAndCreate
        },
        .init("the event is on there", "target-events", .error, "app.o", cure: "ALTER EVENT `app`.`o` DISABLE;") {
            $0.objects.target = $0.objects.source.filter { $0.kind == .event }
        },
        .init("a table there", "target-object", .error, "app.o") { $0.objects.tables = [TableName(schema: "app", table: "o")] },
        .init("no scheduler", "event-scheduler", .warning, "target", cure: "event_scheduler = ON") { $0.target.variables["event_scheduler"] = "OFF" },
        .init("other definers", "target-grants", .error, "target", cure: "GRANT SET_ANY_DEFINER ON *.* TO 'u'@'%';") {
            change(&$0, .view) { $0.definer = "v@%" }
            $0.objects.accounts?.insert("v@%")
            $0.target.grants = Grants(["GRANT \(all), \(made) ON *.* TO `u`@`%`"])
        },
        .init("other definers on 8.0", "target-grants", .error, "target", cure: "GRANT SET_USER_ID ON *.* TO 'u'@'%';") {
            change(&$0, .view) { $0.definer = "v@%" }
            $0.objects.accounts?.insert("v@%")
            $0.objects.privileges = ["SET_USER_ID"]
            $0.target.grants = Grants(["GRANT \(all), \(made) ON *.* TO `u`@`%`"])
        },
        .init("a definer that is not there", "definer", .warning, "v@%", cure: "CREATE USER `v`@`%`") {
            change(&$0, .view) { $0.definer = "v@%" }
        },
        .init("a definer that is not there and may not be missing", "definer", .error, "v@%", cure: "GRANT ALLOW_NONEXISTENT_DEFINER ON *.* TO 'u'@'%';") {
            change(&$0, .view) { $0.definer = "v@%" }
            $0.target.grants = Grants(["GRANT \(all), \(made) ON *.* TO `u`@`%`", "GRANT SET_ANY_DEFINER ON *.* TO `u`@`%`"])
        },
        .init("definers that cannot be looked up", "definer", .warning, "target", cure: "GRANT SELECT ON `mysql`.`user`") {
            change(&$0, .view) { $0.definer = "v@%" }
            $0.objects.accounts = nil
            $0.target.grants = Grants(["GRANT \(all), \(made) ON *.* TO `u`@`%`", "GRANT SET_ANY_DEFINER ON *.* TO `u`@`%`"])
        },
        .init("a definer of the system", "target-grants", .error, "root@localhost", cure: "GRANT SYSTEM_USER ON *.* TO 'u'@'%';") {
            change(&$0, .view) { $0.definer = "root@localhost" }
            $0.objects.accounts?.insert("root@localhost")
            $0.objects.systemAccounts = ["root@localhost"]
            $0.target.grants = Grants(["GRANT \(all), \(made) ON *.* TO `u`@`%`", "GRANT SET_ANY_DEFINER ON *.* TO `u`@`%`"])
        },
        .init("nothing may be made", "target-grants", .error, "app", cure: "GRANT \(made) ON `app`.* TO 'u'@'%';") {
            $0.target.grants = Grants(["GRANT \(all) ON *.* TO `u`@`%`"])
        },
        .init("functions are not trusted", "function-creators", .error, "target", cure: "SET PERSIST log_bin_trust_function_creators = ON;") {
            $0.target.variables["log_bin_trust_function_creators"] = "OFF"
            $0.target.grants = Grants(["GRANT \(all), \(made) ON *.* TO `u`@`%`"])
        },
        .init("an unsafe function is not trusted", "function-creators", .error, "target") {
            $0.target.variables["log_bin_trust_function_creators"] = "OFF"
            change(&$0, .function) { $0.isUnsafeForLog = true }
        },
        .init("routines cannot be seen", "source-grants", .error, "source", cure: "GRANT SHOW_ROUTINE ON *.* TO 'u'@'%';") {
            $0.source.grants = Grants(["GRANT REPLICATION SLAVE, REPLICATION CLIENT, SUPER, PROCESS ON *.* TO `u`@`%`", "GRANT ALL PRIVILEGES ON `app`.* TO `u`@`%`"])
        },
        .init("events cannot be seen", "source-grants", .error, "app", cure: "GRANT EVENT ON `app`.* TO 'u'@'%';") {
            $0.source.grants = Grants(["GRANT SELECT, TRIGGER, REPLICATION SLAVE, REPLICATION CLIENT, SUPER, PROCESS ON *.* TO `u`@`%`"])
        },
        .init("views cannot be seen", "source-grants", .error, "app", cure: "GRANT SELECT, SHOW VIEW ON `app`.* TO 'u'@'%';") {
            $0.sourceObjects.objects = [.init(kind: .view, name: TableName(schema: "app", table: "o"))]
            $0.source.grants = Grants(["GRANT SELECT, TRIGGER, EVENT, REPLICATION SLAVE, REPLICATION CLIENT, SUPER, PROCESS ON *.* TO `u`@`%`"])
        },
    ]

    @Test(arguments: rows) func aFactAndItsFinding(row: PreflightTests.Row) {
        var facts = Self.facts()
        row.change(&facts)
        let findings = Preflight.findings(facts).filter { $0.check == row.check && $0.severity == row.severity && $0.subject == row.subject }
        #expect(!findings.isEmpty, "\(Preflight.findings(facts).filter { $0.severity != .ok })")
        #expect(row.cure.isEmpty || findings.contains { $0.cure.contains(row.cure) }, "\(findings.map(\.cure))")
        #expect((Preflight.refusal(Preflight.findings(facts)) != nil) == (row.severity >= .error))
    }

    @Test func whatStaysBehindIsNotLookedFor() {
        var facts = Self.facts()
        facts.objects = ObjectFacts()
        facts.without = Set(ObjectKind.allCases)
        facts.source.grants = Grants(["GRANT REPLICATION SLAVE, REPLICATION CLIENT, SUPER, PROCESS ON *.* TO `u`@`%`", "GRANT SELECT ON `app`.* TO `u`@`%`"])
        facts.target.grants = Grants(["GRANT \(Self.all) ON *.* TO `u`@`%`"])
        #expect(Preflight.findings(facts).allSatisfy { $0.severity == .ok })
    }

    @Test func whatAnEarlierRunMadeIsNotJudgedAgain() {
        var facts = Self.facts()
        facts.objects.target = [ObjectDecisionTests.object(.function, "o", "CREATE other")]
        facts.prepared = [facts.tables[0].name]
        #expect(Preflight.refusal(Preflight.findings(facts)) == nil)
    }
}
