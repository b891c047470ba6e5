import MySQLWire
import Testing

@testable import GodwitEngine

/// A plan's text and the files around it, as values.
struct PlanFixture {
    var files: [String: String] = [
        "/p/source-ca.pem": "pem", "/p/rds-ca.pem": "pem", "/p/secrets/target": "s3cret\n",
        "/p/table-mappings.json": guideMappings, "/p/task-settings.json": "{}",
    ]
    var environment = ["GODWIT_SOURCE_PASSWORD": "hunter2"]

    func parse(_ yaml: String) throws -> Plan {
        let files = files
        return try Plan.parse(
            yaml: yaml, path: "/p/godwit.yml",
            files: PlanFiles(environment: environment) { (path) throws(PlanFiles.Unreadable) in
                guard let text = files[path] else { throw .init(reason: "no such file or directory") }
                return Array(text.utf8)
            })
    }

    /// The sentence of the refusal, which must be a plan error.
    func refusal(_ yaml: String) -> String {
        do {
            _ = try parse(yaml)
            return "(accepted)"
        } catch let error as EngineError {
            return error.kind == .plan ? error.description : "(kind \(error.kind)) \(error)"
        } catch {
            return "(other error) \(error)"
        }
    }

    static let minimal = """
        source: { host: a, user: s, password: { env: GODWIT_SOURCE_PASSWORD } }
        target: { host: b, user: t, password: { file: secrets/target } }
        tables: { include: ["app.*"] }

        """
}

/// The design's own example.
let designPlan = """
    source:
      host: db.internal        # port 3306; or socket: path
      user: aws
      password: { env: GODWIT_SOURCE_PASSWORD }      # or { file: path }; never on the command line
      tls: { mode: verify-ca, ca: source-ca.pem }    # disabled | required | verify-ca | verify-identity; cert:, key: for mutual
    target:
      host: app.cluster-x.us-east-1.rds.amazonaws.com
      user: external
      password: { file: secrets/target }
      tls: { mode: verify-identity, ca: rds-ca.pem }
    tables: table-mappings.json      # DMS table-mapping JSON
    settings: task-settings.json     # DMS task settings, or inline under `task:`
    application:
      profile: packagecloud          # packagecloud | omnibus | commands | none
      stop: [["systemctl", "stop", "web"]]      # timeout: 60s
      start: [["systemctl", "start", "web"]]
      switch: ["point-app-at-target.sh"]
      health: ["curl", "-fsS", "http://127.0.0.1/health"]
    """

@Suite struct PlanLoadTests {
    @Test func designExample() throws {
        let plan = try PlanFixture().parse(designPlan)
        #expect(plan.task == "godwit")
        #expect(plan.source.address == .tcp(host: "db.internal", port: 3306))
        #expect(plan.source.user == "aws")
        #expect(plan.source.password == "hunter2")
        #expect(plan.source.tls == MySQLTLS(mode: .verifyCA, caFile: "/p/source-ca.pem"))
        #expect(plan.target.password == "s3cret")
        #expect(plan.target.tls == MySQLTLS(mode: .verifyIdentity, caFile: "/p/rds-ca.pem"))
        #expect(plan.application.profile == .packagecloud)
        #expect(plan.application.stop == [["systemctl", "stop", "web"]])
        #expect(plan.application.switch == [["point-app-at-target.sh"]])
        #expect(plan.application.health == [["curl", "-fsS", "http://127.0.0.1/health"]])
        #expect(plan.application.timeout == .seconds(60))
        #expect(plan.stateFolder == "/p/.godwit")
        #expect(plan.settings == TaskSettings())
        #expect(plan.warnings == [])
        #expect(throws: EngineError.self) { try plan.application.checkForCutover() }
    }

    @Test func defaults() throws {
        let plan = try PlanFixture().parse(PlanFixture.minimal)
        #expect(plan.source.tls == MySQLTLS(mode: .verifyCA))
        #expect(plan.target.tls == MySQLTLS(mode: .verifyIdentity))
        #expect(plan.application.profile == .none)
        #expect(plan.settings.enableValidation)
        #expect(plan.mappings.decision(for: TableName(schema: "app", table: "t")) != nil)
    }

    @Test func namesStateAndSockets() throws {
        let plan = try PlanFixture().parse(
            """
            name: shop
            state: /var/lib/godwit
            source: { socket: run/mysqld.sock, user: root }
            target: { host: "::1", port: 3307, user: t, tls: { mode: disabled } }
            tables: { include: ["app.*"] }
            """)
        #expect(plan.task == "shop")
        #expect(plan.stateFolder == "/var/lib/godwit")
        #expect(plan.source.address == .unix(path: "/p/run/mysqld.sock"))
        #expect(plan.source.tls == .disabled)
        #expect(plan.source.password == nil)
        #expect(plan.target.address == .tcp(host: "::1", port: 3307))
    }

    @Test func inlineSettings() throws {
        let plan = try PlanFixture().parse(
            PlanFixture.minimal + """
                task:
                  FullLoadSettings: { TargetTablePrepMode: TRUNCATE_BEFORE_LOAD, MaxFullLoadSubTasks: 2 }
                  ValidationSettings: { EnableValidation: false }
                  TargetMetadata: { LobMaxSize: 64 }
                """)
        #expect(plan.settings.preparation == .truncateBeforeLoad)
        #expect(plan.settings.maxFullLoadSubTasks == 2)
        #expect(!plan.settings.enableValidation)
        #expect(plan.warnings.count == 1)
        #expect(plan.warnings.first?.contains("TargetMetadata.LobMaxSize") == true)
        #expect(plan.warnings.first?.contains("/p/godwit.yml:7:") == true)
    }

    @Test func commands() throws {
        let plan = try PlanFixture().parse(
            PlanFixture.minimal + """
                application:
                  stop: ["./stop.sh", 1, ""]
                  start: [["a", "b c"], ["/bin/d"]]
                  switch: ["sw"]
                  switch_back: ["sb"]
                  timeout: 1500ms
                """)
        let application = plan.application
        #expect(application.profile == .commands)
        #expect(application.stop == [["/p/./stop.sh", "1", ""]])
        #expect(application.start == [["a", "b c"], ["/bin/d"]])
        #expect(application.switchBack == [["sb"]])
        #expect(application.timeout == .milliseconds(1500))
        #expect(throws: Never.self) { try application.checkForCutover() }
    }

    @Test(arguments: [("500ms", Duration.milliseconds(500)), ("60s", .seconds(60)), ("5m", .seconds(300)), ("24h", .seconds(86400))])
    func durations(text: String, expected: Duration) throws {
        let yaml = PlanFixture.minimal + "application: { timeout: \(text) }\n"
        #expect(try PlanFixture().parse(yaml).application.timeout == expected)
    }

    @Test(arguments: [
        // (what is appended to the minimal plan, or a whole plan), what the sentence must hold
        ("tabels: x\n", ["/p/godwit.yml:4:1", "tabels", "Did you mean tables?"]),
        ("zzzz: x\n", ["no key zzzz", "Known keys: name, source"]),
        ("state: [a]\n", ["/p/godwit.yml:4:8", "state must be a text, not a list"]),
        ("name: \"\"\n", ["name is empty"]),
        ("settings: a.json\ntask: {}\n", ["settings twice", "Keep one"]),
        ("settings: nowhere.json\n", ["/p/nowhere.json", "no such file", "relative to the plan's folder"]),
        ("application: { stop: systemctl stop web, start: [a] }\n", ["application.stop must be a list", "no shell"]),
        ("application: { stop: [a, [b]], start: [a] }\n", ["mixes words and lists"]),
        ("application: { stop: [[]], start: [a] }\n", ["empty command"]),
        ("application: { stop: [\"\"], start: [a] }\n", ["is empty"]),
        ("application: { stop: [a] }\n", ["stop and no start"]),
        ("application: { switch_back: [a] }\n", ["switch_back and no switch"]),
        ("application: { switchback: [a] }\n", ["Did you mean switch_back?"]),
        ("application: { profile: comands }\n", ["can't be comands", "Did you mean commands?"]),
        ("application: { timeout: 60 }\n", ["can't be 60", "60s"]),
        ("application: { timeout: 0s }\n", ["can't be 0s"]),
        ("application: { timeout: 25h }\n", ["more than a day"]),
        ("task: { FullLoadSettings: { CommitRate: 50001 } }\n", ["4:41", "50001", "1 to 50000"]),
    ])
    func refusals(appended: String, fragments: [String]) {
        let sentence = PlanFixture().refusal(PlanFixture.minimal + appended)
        for fragment in fragments { #expect(sentence.contains(fragment), "\(sentence)") }
    }

    @Test(arguments: [
        ("", ["empty"]),
        ("- a\n", ["must be a map, not a list"]),
        ("source: {host: a\n", ["/p/godwit.yml:", "no YAML"]),
        ("source: {}\nsource: {}\n", ["twice", "source"]),
        ("target: {}\n", ["The plan has no source"]),
        ("source: { user: a }\n", ["source has no host", "1:9"]),
        ("source: { host: a }\n", ["source has no user"]),
        ("source: { host: a, socket: b, user: c }\n", ["both host and socket"]),
        ("source: { socket: b, port: 1, user: c }\n", ["no port"]),
        ("source: { host: a, port: 65536, user: c }\n", ["65536", "1 to 65535"]),
        ("source: { host: a, prot: 1, user: c }\n", ["1:20", "Did you mean port?"]),
        ("source: { host: a, user: c, password: { env: NOT_SET } }\n", ["NOT_SET", "is not set"]),
        ("source: { host: a, user: c, password: { file: nope } }\n", ["/p/nope", "no such file"]),
        ("source: { host: a, user: c, password: { file: a, env: b } }\n", ["one of env and file"]),
        ("source: { host: a, user: c, tls: { mode: verify_ca } }\n", ["Did you mean verify-ca?"]),
        ("source: { host: a, user: c, tls: { ca: gone.pem } }\n", ["/p/gone.pem"]),
        ("source: { host: a, user: c, tls: { cert: rds-ca.pem } }\n", ["only one of cert and key"]),
        ("source: { socket: a, user: c, tls: { mode: verify-identity } }\n", ["no name to verify"]),
    ])
    func refusalsOfWholePlans(yaml: String, fragments: [String]) {
        let sentence = PlanFixture().refusal(yaml)
        for fragment in fragments { #expect(sentence.contains(fragment), "\(sentence)") }
    }

    @Test func tablesMustBeGiven() {
        let yaml = "source: { host: a, user: s }\ntarget: { host: b, user: t }\n"
        #expect(PlanFixture().refusal(yaml).contains("no tables"))
        #expect(PlanFixture().refusal(yaml + "tables: { include: [app] }\n").contains("app names no schema and table"))
        #expect(PlanFixture().refusal(yaml + "tables: { exclude: [\"app.x\"] }\n").contains("includes nothing"))
        #expect(PlanFixture().refusal(yaml + "tables: { include: [\"mysql.*\"] }\n").contains("belongs to the server"))
    }

    /// Literal passwords work with a warning; no message ever holds one.
    @Test func passwordsAreNeverShown() throws {
        let secret = "Tr0ub4dor"
        let plans = [
            "source: { host: a, user: c, password: \(secret) }\ntarget: { host: b, user: t }\ntables: { include: [\"a.*\"] }\n",
        ]
        for yaml in plans {
            let plan = try PlanFixture().parse(yaml)
            #expect(plan.source.password == secret)
            #expect(plan.warnings.count == 1)
            #expect(!plan.warnings.joined().contains(secret))
        }
        for broken in [
            "source: { host: a, user: c, password: [\(secret)] }\n", "source: { host: a, password: \(secret), user: }\n",
            "source: { host: a, user: c, password: { env: \"\(secret)!\" } }\n",
            "source:\n  password: \(secret): x: y\n", "source:\n  password: \"\(secret)\n", "source: {password: \(secret)\n",
            "source:\n  password: \(secret)\n bad\n", "source: { tls: { mode: a }, password: \(secret) }\n",
        ] {
            let sentence = PlanFixture().refusal(broken)
            #expect(sentence.contains("/p/godwit.yml"), "\(broken): \(sentence)")
            #expect(!sentence.contains(secret), "\(broken): \(sentence)")
        }
    }

    @Test(arguments: [("p\n", "p"), ("p\r\n", "p"), ("p", "p"), ("p\n\n", "p\n"), (" p ", " p "), ("", "")])
    func passwordFiles(content: String, expected: String) throws {
        var fixture = PlanFixture()
        fixture.files["/p/secrets/target"] = content
        #expect(try fixture.parse(PlanFixture.minimal).target.password == expected)
    }

    @Test func tlsFilesWithoutEffectAreNamed() throws {
        let plan = try PlanFixture().parse(
            """
            source: { host: a, user: s, tls: { mode: required, ca: source-ca.pem } }
            target: { host: b, user: t, tls: { mode: disabled, ca: rds-ca.pem } }
            tables: { include: ["app.*"] }
            """)
        #expect(plan.warnings.count == 2)
        #expect(plan.warnings.allSatisfy { $0.contains("tls.ca has no effect") })
    }

    /// The way back has both sides exchanged, and the commands that switch.
    @Test func reverse() throws {
        let commands = "application: { profile: commands, switch: [[a]], switch_back: [[b]], health: [[c]], block: application, stop: [[d]], start: [[e]] }\n"
        let plan = try PlanFixture().parse(PlanFixture.minimal + commands + "reverse: { block: accounts }\n")
        let back = try plan.reversed()
        #expect(back.task == "godwit.reverse" && back.forward == Plan.Forward(task: "godwit", block: .application))
        #expect(back.source.user == "t" && back.target.user == "s")
        #expect(back.application.switch == [["b"]] && back.application.switchBack == [["a"]] && back.application.health == [["c"]])
        #expect(back.application.block == .accounts)
        #expect(back.reverse == nil && plan.forward == nil)
        #expect(try PlanFixture().parse(PlanFixture.minimal + commands + "reverse: true\n").reversed().application.block == .application)
        for none in ["", "reverse: false\n"] {
            let plan = try PlanFixture().parse(PlanFixture.minimal + none)
            #expect(throws: EngineError.self) { try plan.reversed() }
        }
    }

    @Test(arguments: [
        ("application: { profile: commands, switch: [[a]] }\nreverse: true\n", "switch_back"),
        ("without: [triggers]\nreverse: true\n", "triggers"), ("reverse: maybe\n", "reverse"), ("reverse: { bloc: accounts }\n", "bloc"), ("reverse: { block: nothing }\n", "reverse.block"),
    ])
    func reverseIsRefused(text: String, word: String) {
        let refusal = PlanFixture().refusal(PlanFixture.minimal + text)
        #expect(refusal.contains(word) && refusal.contains("godwit.yml:"), "\(refusal)")
    }

    @Test func missingPlanFile() {
        #expect {
            _ = try Plan.load(path: "/nonexistent/godwit.yml")
        } throws: { error in
            (error as? EngineError)?.kind == .plan && "\(error)".contains("no such file") && "\(error)".contains("godwit init")
        }
    }
}
