import GodwitTesting
import Testing

/// What a user gets wrong about servers and accounts, through the program: one sentence with side, reason and cure, the exit code
/// of the design, and the same command ends validated and equal once the cause is mended.
@Suite struct BadInputTests {
    // MARK: Addresses and logins

    @Test func unreachableServers() async throws {
        try await BadInputRig.with { rig in
            let closed = try FreePort.next()
            for isSource in [true, false] {
                let (server, side) = isSource ? (rig.source, "source") : (rig.target, "target")
                let cases = [
                    (rig.side(server, port: closed), ["127.0.0.1:\(closed)", "connection refused", "listens"]),
                    (rig.side(server, host: "nowhere.invalid"), ["nowhere.invalid", "can't be resolved", "address"]),
                ]
                for (number, (bad, words)) in cases.enumerated() {
                    let name = "u\(side)\(number)"
                    try rig.plan(source: isSource ? bad : nil, target: isSource ? nil : bad, name: name)
                    let sentence = try await rig.refused(1, name, ["No connection to the \(side)"] + words)
                    #expect(!sentence.contains("errno"), "\(sentence)")
                    // The other commands that need this side say the same.
                    let check = try await rig.rig.godwit(["check", "--json"], expecting: 1)
                    _ = try BadInputRig.sentence(check, 1, "check \(name)", ["No connection to the \(side)"] + words)
                }
                try rig.plan(name: "u\(side)")
                try await rig.succeeds(side)
                try await rig.emptyTarget()
            }
        }
    }

    @Test func refusedLogins() async throws {
        try await BadInputRig.with { rig in
            try rig.write("right", "right")
            try rig.write("wrong", "wrong")
            for server in [rig.source, rig.target] {
                try await server.sql("CREATE USER secret IDENTIFIED BY 'right'; GRANT ALL ON *.* TO secret")
            }
            for isSource in [true, false] {
                let (server, side) = isSource ? (rig.source, "source") : (rig.target, "target")
                func plan(_ text: String) throws {
                    try rig.plan(source: isSource ? text : nil, target: isSource ? nil : text, name: "l\(side)")
                }
                let words = ["No connection to the \(side)", "127.0.0.1:\(server.port)"]
                try plan(rig.side(server, user: "secret", password: "wrong", tls: "required"))
                _ = try await rig.refused(1, "wrong password", words + ["1045", "Correct user and password"])
                try plan(rig.side(server, user: "secret", tls: "required"))
                _ = try await rig.refused(1, "no password", words + ["1045", "password:"])
                // The server asks an unknown user for any plugin that it has.
                for user in ["nobody", "noone", "who"] {
                    try plan(rig.side(server, user: user, password: "right", tls: "required"))
                    _ = try await rig.refused(1, user, words + ["user"])
                }
                try await server.sql("ALTER USER secret ACCOUNT LOCK")
                try plan(rig.side(server, user: "secret", password: "right", tls: "required"))
                _ = try await rig.refused(1, "locked", words + ["ACCOUNT UNLOCK"])
                try await server.sql("ALTER USER secret ACCOUNT UNLOCK")
                try await rig.succeeds(side)
                try await rig.emptyTarget()
            }
        }
    }

    // MARK: Grants

    static let targetPrivileges = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES"]

    private static func createAccounts(_ rig: BadInputRig) async throws {
        try await rig.source.sql(
            """
            CREATE USER reader; GRANT REPLICATION SLAVE, REPLICATION CLIENT, XA_RECOVER_ADMIN ON *.* TO reader;
            GRANT SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT ON `bad\\_in`.* TO reader;
            GRANT SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT ON also.* TO reader; GRANT SHOW_ROUTINE ON *.* TO reader;
            """)
        let list = targetPrivileges.joined(separator: ", ")
        try await rig.target.sql(
            """
            CREATE USER writer; GRANT \(list) ON `bad\\_in`.* TO writer; GRANT \(list) ON also.* TO writer;
            GRANT \(list) ON godwit.* TO writer;
            """)
    }

    private static func planAccounts(_ rig: BadInputRig, _ name: String) throws {
        try rig.plan(
            source: rig.side(rig.source, user: BadInputRig.sourceUser), target: rig.side(rig.target, user: BadInputRig.targetUser),
            name: name)
    }

    /// Each grant that is asked for, taken away alone: its name stands in the message, and the statement there brings it back.
    @Test func eachMissingGrantIsNamedWithItsStatement() async throws {
        try await BadInputRig.with { rig in
            try await Self.createAccounts(rig)
            var cases = [
                (true, "REPLICATION SLAVE", "*.*"), (true, "REPLICATION CLIENT", "*.*"), (true, "XA_RECOVER_ADMIN", "*.*"), (true, "SELECT", "`bad\\_in`.*"),
                (true, "SELECT", "also.*"), (true, "LOCK TABLES", "`bad\\_in`.*"),
                (true, "TRIGGER", "`bad\\_in`.*"), (true, "EVENT", "also.*"), (true, "SHOW_ROUTINE", "*.*"),
            ]
            let places = ["`bad\\_in`.*", "godwit.*", "also.*"]
            for (number, privilege) in Self.targetPrivileges.enumerated() { cases.append((false, privilege, places[number % 3])) }
            for (number, (isSource, privilege, place)) in cases.enumerated() {
                let comment = "\(privilege) ON \(place) of the \(isSource ? "source" : "target")"
                let user = isSource ? BadInputRig.sourceUser : BadInputRig.targetUser
                let server = isSource ? rig.source : rig.target
                try await server.sql("REVOKE \(privilege) ON \(place) FROM \(user)")
                try Self.planAccounts(rig, "g\(number)")
                let sentence = try await rig.refused(2, comment, [privilege, "'\(user)'@'%'"])
                #expect(try await rig.target.value("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name IN ('bad_in', 'also', 'godwit')") == "0")
                let grants = try BadInputRig.grants(in: sentence)
                #expect(grants.count == 1 && grants.first?.hasPrefix("GRANT \(privilege) ON ") == true, "\(comment): \(sentence)")
                try await rig.run(grants: grants)
                try await rig.succeeds(comment)
                try await rig.emptyTarget()
            }
        }
    }

    /// Two accounts that may only log in: running what the messages say, and nothing else, leads to a validated migration.
    @Test func theMessagesGrantsAreEnoughFromNothing() async throws {
        try await BadInputRig.with { rig in
            try await rig.source.sql("CREATE USER reader")
            try await rig.target.sql("CREATE USER writer")
            try Self.planAccounts(rig, "nothing")
            for round in 1...3 {
                let run = try await rig.rig.godwit(["migrate", "--until", "validated", "--json"], expecting: nil)
                guard run.code != 0 else { break }
                #expect(run.code == 2, "round \(round): \(run.errors)")
                let grants = try BadInputRig.grants(in: BadInputRig.sentence(run, 2, "round \(round)", []))
                #expect(!grants.isEmpty, "round \(round): \(run.errors)")
                try await rig.run(grants: grants)
            }
            try await rig.succeeds("all granted")
        }
    }

    struct Revocation: Sendable, CustomTestStringConvertible {
        var isSource: Bool
        var privilege: String
        var place: String
        /// Makes the running migration need it.
        var nudge: String
        var testDescription: String { "\(privilege) of the \(isSource ? "source" : "target")" }
    }

    /// Taken away while the migration follows: it stops resumably with the GRANT, and goes on after that.
    @Test(arguments: [
        Revocation(isSource: false, privilege: "INSERT", place: "`bad\\_in`.*", nudge: "INSERT INTO bad_in.t VALUES (9, 9)"),
        Revocation(isSource: false, privilege: "UPDATE", place: "godwit.*", nudge: "UPDATE bad_in.t SET v = 8 WHERE id = 1"),
        Revocation(isSource: true, privilege: "SELECT", place: "`bad\\_in`.*", nudge: "UPDATE bad_in.t SET v = 8 WHERE id = 1"),
        Revocation(
            isSource: true, privilege: "REPLICATION SLAVE", place: "*.*", nudge: "UPDATE bad_in.t SET v = 8 WHERE id = 1"),
    ])
    func aGrantRevokedWhileFollowing(revocation: Revocation) async throws {
        try await BadInputRig.with { rig in
            try await Self.createAccounts(rig)
            try Self.planAccounts(rig, "revoked")
            let godwit = try await GodwitProcess.start(["migrate", "--json"], in: rig.rig.folder)
            do {
                try await godwit.moment("follow.begin")
                let (server, user) =
                    revocation.isSource ? (rig.source, BadInputRig.sourceUser) : (rig.target, BadInputRig.targetUser)
                try await server.sql("REVOKE \(revocation.privilege) ON \(revocation.place) FROM \(user)")
                // Global privileges are looked at when a connection begins.
                if revocation.place == "*.*" { try await Self.endConnections(of: user, on: server) }
                try await rig.source.sql(revocation.nudge)
                let exit = try await godwit.exit(within: .seconds(400))
                let run = MigrationRig.Outcome(
                    code: 3, output: godwit.standardOutput.text,
                    errors: godwit.standardError.lines.filter { !$0.hasPrefix("moment: ") }.joined(separator: "\n"))
                #expect(exit == .code(3), "\(run.errors)")
                let sentence = try BadInputRig.sentence(run, 3, "\(revocation)", ["lacks a privilege", "\(server.port)", revocation.privilege])
                let grants = try BadInputRig.grants(in: sentence)
                #expect(grants.count == 1, "\(sentence)")
                try await rig.run(grants: grants)
            } catch {
                try await godwit.kill9()
                throw error
            }
            try await rig.succeeds("\(revocation)")
        }
    }

    private static func endConnections(of user: String, on server: TestServer) async throws {
        let ids = try await server.sql("SELECT id FROM information_schema.processlist WHERE user = '\(user)'").compactMap(\.first)
        // One may have ended by itself meanwhile.
        for id in ids { _ = try? await server.sql("KILL \(id)") }
    }
}
