import GodwitEngine

/// The commented plan that `init` writes. Pure.
struct PlanTemplate: Sendable, Hashable {
    enum Password: Sendable, Hashable {
        case environment(String)
        case file(String)
    }
    enum Address: Sendable, Hashable {
        case tcp(host: String, port: Int)
        case socket(path: String)

        /// `host`, `host:port`, `[IPv6]`, `[IPv6]:port`, a bare IPv6 address, or a path that starts with a slash.
        static func parse(_ text: String, flag: String) throws(EngineError) -> Address {
            func refusal(_ why: String) -> EngineError {
                EngineError(
                    .plan, "\(flag) '\(text)' is no address.", why: why,
                    cure: "Write host, host:port, [IPv6]:port or /path/to/socket.")
            }
            if text.hasPrefix("/") { return .socket(path: text) }
            var host = text[...]
            var port: Substring?
            if text.hasPrefix("[") {
                guard let end = text.firstIndex(of: "]") else { throw refusal("The bracket is not closed.") }
                host = text[text.index(after: text.startIndex)..<end]
                let rest = text[text.index(after: end)...]
                guard rest.isEmpty || rest.hasPrefix(":") else { throw refusal("After the bracket comes a colon.") }
                port = rest.isEmpty ? nil : rest.dropFirst()
            } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
                host = text[..<colon]
                port = text[text.index(after: colon)...]
            }
            guard !host.isEmpty, !host.contains(where: { $0.isWhitespace }) else {
                throw refusal("The host is missing.")
            }
            guard let port else { return .tcp(host: String(host), port: 3306) }
            guard let number = Int(port), (1...65_535).contains(number) else {
                throw refusal("The port is a number from 1 to 65535.")
            }
            return .tcp(host: String(host), port: number)
        }
    }
    struct Side: Sendable, Hashable {
        var address: Address
        var user: String
        var password: Password
        var tls: String?
        var ca: String?

        init(address: String, user: String, password: Password, tls: String?, ca: String?, flag: String)
            throws(EngineError)
        {
            self.address = try Address.parse(address, flag: flag)
            self.user = user
            self.password = password
            self.tls = tls
            self.ca = ca
        }
    }
    var source: Side
    var target: Side
    var include: [String]

    var text: String {
        """
        # A plan of Godwit: what to move, from where, to where.
        # Check it with `godwit check`, run it with `godwit migrate`; both read godwit.yml in the current folder by default.

        source:
        \(side(source, defaultTLS: "verify-ca"))

        target:
        \(side(target, defaultTLS: "verify-identity"))

        # Which tables: patterns of schema.table with * and ? only; or the name of a DMS table-mapping JSON file:
        #   tables: table-mappings.json
        tables:
          include: [\(include.map(Self.quoted).joined(separator: ", "))]
          # exclude: ["app.tmp?"]

        # DMS task settings, if there are any:
        # settings: task-settings.json

        # The application in front of the database, for `godwit cutover`. Each command is one argv (or a list of argv, run in
        # order); no shell.
        application:
          profile: none        # none | commands
          # stop: ["systemctl", "stop", "web"]
          # switch: ["/usr/local/bin/point-app-at", "target"]
          # switch_back: ["/usr/local/bin/point-app-at", "source"]     # undoes switch when a cutover fails
          # start: ["systemctl", "start", "web"]
          # health: ["curl", "-fsS", "http://127.0.0.1/health"]
          # timeout: 60s

        # Logs and local state; default .godwit beside this file.
        # state: .godwit

        """
    }

    private func side(_ side: Side, defaultTLS: String) -> String {
        var lines: [String] = []
        switch side.address {
        case .tcp(let host, let port):
            lines.append("host: \(Self.quoted(host))")
            lines.append("port: \(port)")
        case .socket(let path):
            lines.append("socket: \(Self.quoted(path))")
        }
        lines.append("user: \(Self.quoted(side.user))")
        switch side.password {
        case .environment(let name): lines.append("password: { env: \(Self.quoted(name)) }")
        case .file(let path): lines.append("password: { file: \(Self.quoted(path)) }")
        }
        let mode = side.tls ?? defaultTLS
        let ca = side.ca.map { ", ca: \(Self.quoted($0))" } ?? ""
        lines.append("# disabled | required | verify-ca | verify-identity; ca:, and cert: with key: for mutual TLS")
        lines.append("tls: { mode: \(mode)\(ca) }")
        return lines.map { "  " + $0 }.joined(separator: "\n")
    }

    /// A double-quoted YAML scalar, which is also JSON.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16, uppercase: true)
                result += "\\x" + (hex.count < 2 ? "0" : "") + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
