import Foundation
import Testing

@testable import GodwitEngine

/// Definitions as values: their order, their statements, what is the same and what has to be done.
@Suite("Views, routines, triggers and events as values")
struct ObjectDecisionTests {
    static func object(
        _ kind: ObjectDefinition.Kind, _ name: String, _ text: String = "CREATE X", schema: String = "app", client: String = "utf8mb4",
        _ change: (inout ObjectDefinition) -> Void = { _ in }
    ) -> ObjectDefinition {
        var object = ObjectDefinition(
            id: .init(kind, TableName(schema: schema, table: name)), statement: Data(text.utf8), sqlMode: kind == .view ? nil : "A,B",
            characterSetClient: client, collationConnection: "utf8mb4_0900_ai_ci",
            databaseCollation: kind == .view ? nil : "utf8mb4_0900_ai_ci", definer: "u@%")
        change(&object)
        return object
    }

    static func event(_ text: String, client: String = "utf8mb4") -> ObjectDefinition { object(.event, "e", text, client: client) }

    // MARK: Order

    @Test func viewsComeAfterWhatTheyRead() {
        func view(_ name: String, _ uses: [String], schema: String = "app") -> ObjectDefinition {
            Self.object(.view, name, schema: schema) {
                $0.uses = uses.map { TableName(schema: $0.hasPrefix("b") ? "other" : "app", table: $0) }
            }
        }
        let objects = [
            view("a1", ["b2"]), view("b2", ["a3", "t"], schema: "other"), view("a3", ["a4"]), view("a4", []), Self.object(.event, "a"),
            Self.object(.procedure, "a"), Self.object(.function, "z"),
        ]
        for _ in 0..<20 {
            let order = ObjectOrder.sorted(objects.shuffled()).map(\.name.table)
            #expect(order == ["z", "a", "a4", "a3", "b2", "a1", "a"])
        }
    }

    /// Views of random shape, by a printed seed: everything that a view reads stands before it.
    @Test(arguments: 0..<50) func randomViews(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let names = (0..<30).map { "v\($0)" }.shuffled(using: &random)
        let views = names.enumerated().map { index, name in
            Self.object(.view, name) { view in
                view.uses = names.prefix(index).shuffled(using: &random).prefix(3).map { TableName(schema: "app", table: $0) }
            }
        }
        var made: Set<TableName> = []
        for view in ObjectOrder.sorted(views.shuffled(using: &random)) {
            #expect(view.uses.allSatisfy { made.contains($0) }, "seed \(seed): \(view.name)")
            made.insert(view.name)
        }
        #expect(made.count == 30)
    }

    @Test func viewsInACircleEnd() {
        let name = { TableName(schema: "app", table: $0) }
        let views = [Self.object(.view, "a") { $0.uses = [name("b")] }, Self.object(.view, "b") { $0.uses = [name("a"), name("b")] }]
        #expect(ObjectOrder.sorted(views).count == 2)
    }

    @Test func triggersKeepTheirPlaces() {
        func trigger(_ name: String, _ timing: String, _ event: String, _ order: Int) -> ObjectDefinition {
            Self.object(.trigger, name) { $0.place = .init(table: "t", timing: timing, event: event, order: order) }
        }
        let triggers = [trigger("a", "BEFORE", "INSERT", 2), trigger("b", "AFTER", "INSERT", 1), trigger("z", "BEFORE", "INSERT", 1), trigger("c", "BEFORE", "INSERT", 10)]
        #expect(ObjectOrder.sorted(triggers.reversed()).map(\.name.table) == ["b", "z", "a", "c"])
    }

    // MARK: Statements

    static let events: [(text: String, disabled: String)] = [
        ("CREATE DEFINER=`r`@`%` EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE ENABLE DO SELECT 1", "PRESERVE DISABLE DO SELECT 1"),
        ("CREATE DEFINER=`r`@`%` EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE DISABLE DO SELECT 1", "PRESERVE DISABLE DO SELECT 1"),
        ("CREATE EVENT `e` ON SCHEDULE AT '2030-01-01' ON COMPLETION NOT PRESERVE DISABLE ON REPLICA COMMENT 'x' DO SELECT 1", "PRESERVE DISABLE COMMENT 'x' DO SELECT 1"),
        ("CREATE EVENT `e` ON SCHEDULE AT '2030-01-01' ON COMPLETION NOT PRESERVE DISABLE ON SLAVE DO SELECT 1", "PRESERVE DISABLE DO SELECT 1"),
        ("CREATE EVENT `PRESERVE ENABLE``'\\` ON SCHEDULE EVERY '1:10' MINUTE_SECOND ON COMPLETION PRESERVE ENABLE COMMENT 'PRESERVE ENABLE' DO x", "PRESERVE DISABLE COMMENT 'PRESERVE ENABLE' DO x"),
        ("CREATE EVENT \"PRESERVE ENABLE\" ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE ENABLE DO SELECT 'ENABLE'", "PRESERVE DISABLE DO SELECT 'ENABLE'"),
    ]

    @Test(arguments: events) func eventsAreMadeSwitchedOff(row: (text: String, disabled: String)) throws {
        let made = String(decoding: try ObjectStatements.create(Self.event(row.text)), as: UTF8.self)
        #expect(made.hasSuffix(row.disabled), "\(made)")
        #expect(row.text.hasPrefix(made.dropLast(row.disabled.count)))
    }

    @Test func aQuoteInTheSecondByteIsNoQuote() throws {
        // In GBK 0x81 0x60 is one character; 0x60 alone is a backtick.
        var event = Self.event("", client: "gbk")
        event.statement = Data("CREATE EVENT `".utf8) + [0x81, 0x60] + Data("` ON COMPLETION PRESERVE ENABLE DO x".utf8)
        #expect(try ObjectStatements.create(event).suffix(12) == Data("DISABLE DO x".utf8))
        event.characterSetClient = "latin1"
        #expect(throws: EngineError.self) { try ObjectStatements.create(event) }
    }

    @Test(arguments: ["CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1", "", "CREATE EVENT `PRESERVE ENABLE", "CREATE EVENT e ON COMPLETION PRESERVE DO ENABLE"])
    func otherTextsOfEventsAreRefused(text: String) {
        #expect(throws: EngineError.self) { try ObjectStatements.create(Self.event(text)) }
    }

    @Test func statements() throws {
        let view = try ObjectStatements.create(Self.object(.view, "v", "CREATE ALGORITHM=MERGE VIEW `v` AS SELECT 1"))
        #expect(view == Data("CREATE OR REPLACE ALGORITHM=MERGE VIEW `v` AS SELECT 1".utf8))
        #expect(ObjectStatements.drop(.init(.trigger, TableName(schema: "a`", table: "b"))) == "DROP TRIGGER IF EXISTS `a```.`b`")
        let event = Self.object(.event, "e") {
            $0.definer = "o'x@y@%"
            $0.timeZone = "+03:00"
            $0.characterSetClient = "latin1"
        }
        #expect(ObjectStatements.enable(event) == "ALTER DEFINER = `o'x@y`@`%` EVENT `app`.`e` ENABLE")
        #expect(
            ObjectStatements.session(event) == [
                "SET NAMES utf8mb4", "USE `app`", "SET SESSION sql_mode = 'A,B'", "SET SESSION time_zone = '+03:00'",
                "SET SESSION character_set_client = latin1, SESSION collation_connection = utf8mb4_0900_ai_ci",
            ])
    }

    // MARK: Comparison

    static let changes: [(String, @Sendable (inout ObjectDefinition) -> Void)] = [
        ("text", { $0.statement = Data("CREATE Y".utf8) }), ("sql_mode", { $0.sqlMode = "A" }),
        ("character_set_client", { $0.characterSetClient = "latin1" }), ("collation_connection", { $0.collationConnection = "latin1_bin" }),
        ("database collation", { $0.databaseCollation = "latin1_bin" }), ("time zone", { $0.timeZone = "UTC" }), ("definer", { $0.definer = "v@%" }),
        ("place", { $0.place?.order = 2 }), ("moment", { $0.place?.timing = "AFTER" }), ("table", { $0.place?.table = "u" }),
    ]

    @Test(arguments: changes) func everyDifferenceIsSeen(row: (String, @Sendable (inout ObjectDefinition) -> Void)) {
        let object = Self.object(.trigger, "x") { $0.place = .init(table: "t", timing: "BEFORE", event: "INSERT", order: 1) }
        var other = object
        row.1(&other)
        let found = ObjectComparison.differences(object, other)
        #expect(found.count == 1 && found[0].contains(row.0), "\(found)")
        #expect(ObjectComparison.sentences(source: [object], target: [other]).count == 1)
    }

    @Test func whatMayDiffer() {
        let modes = Self.object(.function, "f") { $0.sqlMode = "B,A" }
        #expect(ObjectComparison.isSame(Self.object(.function, "f"), modes))
        let names = Self.object(.function, "f") { $0.characterSetClient = "utf8" }
        #expect(ObjectComparison.isSame(names, Self.object(.function, "f") { $0.characterSetClient = "utf8mb3" }))
        #expect(ObjectComparison.isSame(Self.event(Self.events[0].text), Self.event(Self.events[0].text.replacing("ENABLE", with: "DISABLE ON REPLICA"))))
        #expect(!ObjectComparison.isSame(Self.event(Self.events[0].text), Self.event(Self.events[0].text.replacing("SELECT 1", with: "SELECT 2"))))
        #expect(ObjectComparison.sentences(source: [], target: [modes]) == [])
        #expect(ObjectComparison.sentences(source: [modes], target: []) == ["The function app.f is not on the target."])
    }

    // MARK: What has to be done

    @Test func changesOfTheTarget() {
        let old = Self.object(.function, "f", "CREATE 1")
        let new = Self.object(.function, "f", "CREATE 2")
        typealias Row = ObjectLedger.Row
        func changes(_ source: [ObjectDefinition], _ target: [ObjectDefinition], _ ledger: [Row]) -> ObjectChanges {
            ObjectChanges(source: source, target: target, ledger: ledger)
        }
        // Nothing there; there and the same; there and another.
        #expect(changes([new], [], []).makes == [new])
        #expect(changes([new], [new], []).notes == [new])
        #expect(changes([new], [old], []).makes == [new])
        // Known: as it stands, changed on the source, gone from the target, begun only, printed in another way by the target.
        #expect(changes([new], [new], [Row(new, isMade: true)]) == changes([], [], []))
        #expect(changes([new], [old], [Row(old, isMade: true)]).makes == [new])
        #expect(changes([new], [], [Row(new, isMade: true)]).makes == [new])
        #expect(changes([new], [old], [Row(new, isMade: false)]).makes == [new])
        #expect(changes([new], [Self.object(.function, "f", "create 2")], [Row(new, isMade: true)]) == changes([], [], []))
        // Gone from the source: only what Godwit made goes.
        #expect(changes([], [new], [Row(new, isMade: true)]).drops == [new.id])
        #expect(changes([], [new], []) == changes([], [], []))
    }

    @Test func triggersAndExpiredEventsAreNotMade() {
        let trigger = Self.object(.trigger, "x")
        let expired = Self.object(.event, "e") { $0.isExpired = true }
        #expect(ObjectChanges(source: [trigger, expired], target: [], ledger: [.init(trigger, isMade: true)]) == ObjectChanges(source: [], target: [], ledger: []))
    }

    @Test func anEventThatIsOnIsMadeAgain() {
        let event = Self.event(Self.events[0].text)
        var off = event
        off.isEnabled = false
        #expect(ObjectChanges(source: [event], target: [event], ledger: [.init(event, isMade: true)]).makes == [event])
        #expect(ObjectChanges(source: [event], target: [off], ledger: [.init(event, isMade: true)]).makes == [])
        // Switched off on the source meanwhile: only noted, for the point of no return.
        #expect(ObjectChanges(source: [off], target: [off], ledger: [.init(event, isMade: true)]).notes == [off])
    }

    @Test func theLedgerKeepsEveryByte() throws {
        var object = Self.object(.trigger, "x") { $0.place = .init(table: "t", timing: "BEFORE", event: "INSERT", order: 1) }
        object.statement = Data((0...255).map { UInt8($0) })
        #expect(try TargetState.decode(ObjectDefinition.self, TargetState.json(object)) == object)
    }
}
