import GodwitEngine
import MySQLWire
import Testing

@testable import GodwitCommands

@Suite struct PlanTemplateTests {
    @Test(
        arguments: [
            ("db", .tcp(host: "db", port: 3306)), ("db:3307", .tcp(host: "db", port: 3307)),
            ("10.0.0.1:1", .tcp(host: "10.0.0.1", port: 1)), ("::1", .tcp(host: "::1", port: 3306)),
            ("fe80::1:2", .tcp(host: "fe80::1:2", port: 3306)), ("[::1]", .tcp(host: "::1", port: 3306)),
            ("[::1]:3310", .tcp(host: "::1", port: 3310)), ("/run/mysqld.sock", .socket(path: "/run/mysqld.sock")),
        ] as [(String, PlanTemplate.Address)])
    func addresses(text: String, address: PlanTemplate.Address) throws {
        #expect(try PlanTemplate.Address.parse(text, flag: "--source") == address)
    }

    @Test(arguments: ["", ":3306", "db:", "db:x", "db:0", "db:65536", "[::1", "[::1]x", "[]:1", "a b"])
    func noAddresses(text: String) {
        #expect(throws: EngineError.self) { try PlanTemplate.Address.parse(text, flag: "--source") }
    }

    /// Whatever is typed comes back from the plan's own reader as it was typed.
    @Test func theReaderUnderstandsEveryTemplate() throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("aZ0 '\"\\#:{}[],&*!|>%@`~-?\té表😀")
        func text(_ range: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: range, using: &random)).compactMap { _ in alphabet.randomElement(using: &random) })
        }
        for _ in 0..<200 {
            let user = "u" + text(0...12)
            let file = "f" + text(0...12)
            let template = PlanTemplate(
                source: try .init(
                    address: "old:3307", user: user, password: .file(file), tls: "disabled", ca: nil, flag: "--source"),
                target: try .init(
                    address: "/tmp/new.sock", user: "external", password: .environment("GODWIT_TARGET_PASSWORD"),
                    tls: "required", ca: nil, flag: "--target"),
                include: ["app.*"])
            let files = PlanFiles(environment: ["GODWIT_TARGET_PASSWORD": "p w"]) {
                (path) throws(PlanFiles.Unreadable) in
                guard path == "/plans/\(file)" else { throw PlanFiles.Unreadable(reason: "no such file") }
                return Array("secret\n".utf8)
            }
            let plan: Plan
            do {
                plan = try Plan.parse(yaml: template.text, path: "/plans/shop.yml", files: files)
            } catch {
                Issue.record("seed \(seed): \(error)\n\(template.text)")
                return
            }
            #expect(plan.source.user == user, "seed \(seed)")
            #expect(plan.source.address == .tcp(host: "old", port: 3307))
            #expect(plan.source.password == "secret")
            #expect(plan.target.address == .unix(path: "/tmp/new.sock"))
            #expect(plan.target.password == "p w")
            #expect(plan.task == "shop")
            #expect(plan.warnings.isEmpty)
            #expect(plan.mappings.decision(for: TableName(schema: "app", table: "t")) != nil)
            #expect(plan.mappings.decision(for: TableName(schema: "other", table: "t")) == nil)
        }
    }

    @Test func defaultsAreTheStrictModes() throws {
        let side = try PlanTemplate.Side(
            address: "h", user: "u", password: .environment("X"), tls: nil, ca: nil, flag: "--source")
        let text = PlanTemplate(source: side, target: side, include: ["*.*"]).text
        let plan = try Plan.parse(
            yaml: text, path: "godwit.yml",
            files: PlanFiles(environment: ["X": "y"]) { (_) throws(PlanFiles.Unreadable) in
                throw PlanFiles.Unreadable(reason: "none")
            })
        #expect(plan.source.tls.mode == .verifyCA)
        #expect(plan.target.tls.mode == .verifyIdentity)
    }
}
