import MySQLWire

// The plan's `source:` and `target:`.
extension PlanParser {
    mutating func server(
        _ node: DocumentNode, side: String, _ defaultMode: MySQLTLS.Mode
    ) throws(EngineError) -> Plan.Server {
        let known = ["host", "port", "socket", "user", "password", "tls"]
        let map = try reader.map(node, side, known: known)
        let address = try address(map, node, side)
        let user = try reader.text(required(map["user"], "user", in: node, side), "\(side).user")
        var password: String?
        if let value = map["password"] { password = try self.password(value, "\(side).password") }
        let tls = try tls(map["tls"], "\(side).tls", address, defaultMode)
        return Plan.Server(address: address, user: user, password: password, tls: tls)
    }

    private func address(
        _ map: [String: DocumentNode], _ node: DocumentNode, _ side: String
    ) throws(EngineError) -> MySQLConfiguration.Address {
        switch (map["host"], map["socket"]) {
        case (let host?, nil):
            let port = try map["port"].map { (value) throws(EngineError) in
                try reader.integer(value, "\(side).port", in: 1...65_535)
            }
            return .tcp(host: try reader.text(host, "\(side).host"), port: port ?? 3306)
        case (nil, let socket?):
            if let port = map["port"] {
                throw reader.error(port.mark, "\(side) has a socket, which has no port.", cure: "Remove one of them.")
            }
            return .unix(path: PlanFiles.resolve(try reader.text(socket, "\(side).socket"), beside: path))
        case (.some, let socket?):
            throw reader.error(socket.mark, "\(side) has both host and socket.", cure: "Keep one.")
        case (nil, nil):
            throw reader.error(
                node.mark, "\(side) has no host.", cure: "Add `host:` with a name or an IP address, or `socket:` with a path.")
        }
    }

    /// `{ env: X }`, `{ file: path }`, or the password itself, which is warned of. No message shows a password.
    private mutating func password(_ node: DocumentNode, _ subject: String) throws(EngineError) -> String? {
        if node.isNull { return nil }
        guard case .map = node.content else {
            let literal = try reader.text(node, subject, emptyAllowed: true)
            warnings.append(
                "\(reader.file):\(node.mark): \(subject) stands in the plan in clear. "
                    + "Use { env: NAME } or { file: path } to keep it out of the file.")
            return literal
        }
        let map = try reader.map(node, subject, known: ["env", "file"])
        guard map.count == 1, let (source, value) = map.first else {
            throw reader.error(node.mark, "\(subject) needs one of env and file.", cure: "Write { env: NAME } or { file: path }.")
        }
        if source == "env" { return try variable(value, "\(subject).env") }
        let name = try reader.text(value, "\(subject).file")
        var text = try contents(of: name, named: "\(subject).file", at: value.mark)
        if text.last?.isNewline == true { text.removeLast() }
        return text
    }

    private func variable(_ node: DocumentNode, _ subject: String) throws(EngineError) -> String {
        let name = try reader.text(node, subject)
        guard name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil else {
            // It may be the password itself, put in the wrong place: not shown.
            throw reader.error(node.mark, "\(subject) is not the name of an environment variable.")
        }
        guard let value = files.environment[name] else {
            throw reader.error(
                node.mark, "the environment variable \(name), named by \(subject), is not set.",
                cure: "Export it before starting, or use { file: path }.")
        }
        return value
    }

    private mutating func tls(
        _ node: DocumentNode?, _ subject: String, _ address: MySQLConfiguration.Address, _ defaultMode: MySQLTLS.Mode
    ) throws(EngineError) -> MySQLTLS {
        let isSocket = if case .unix = address { true } else { false }
        var tls = MySQLTLS(mode: isSocket ? .disabled : defaultMode)
        guard let node, !node.isNull else { return tls }
        let map = try reader.map(node, subject, known: ["mode", "ca", "cert", "key"])
        if let mode = map["mode"] {
            tls.mode = try reader.choice(mode, "\(subject).mode")
            if isSocket, tls.mode == .verifyIdentity {
                throw reader.error(
                    mode.mark, "\(subject).mode can't be verify-identity on a socket, which has no name to verify.",
                    cure: "Use verify-ca or disabled.")
            }
        }
        tls.caFile = try certificate(map["ca"], "\(subject).ca")
        tls.certificateFile = try certificate(map["cert"], "\(subject).cert")
        tls.keyFile = try certificate(map["key"], "\(subject).key")
        if (tls.certificateFile == nil) != (tls.keyFile == nil) {
            throw reader.error(
                node.mark, "\(subject) has only one of cert and key.", cure: "A client certificate needs both.")
        }
        warnAboutUnused(tls, map, subject)
        return tls
    }

    private mutating func warnAboutUnused(_ tls: MySQLTLS, _ map: [String: DocumentNode], _ subject: String) {
        let unused =
            switch tls.mode {
            case .disabled: ["ca", "cert", "key"]
            case .required: ["ca"]
            case .verifyCA, .verifyIdentity: [String]()
            }
        for key in unused {
            guard let node = map[key] else { continue }
            warnings.append(
                "\(reader.file):\(node.mark): \(subject).\(key) has no effect with mode \(tls.mode.rawValue). "
                    + "Use verify-ca or verify-identity to have the server's certificate checked.")
        }
    }

    /// The resolved path of a PEM file, which must be readable now rather than at the first connection.
    private func certificate(_ node: DocumentNode?, _ subject: String) throws(EngineError) -> String? {
        guard let node, !node.isNull else { return nil }
        let name = try reader.text(node, subject)
        _ = try contents(of: name, named: subject, at: node.mark)
        return PlanFiles.resolve(name, beside: path)
    }
}
