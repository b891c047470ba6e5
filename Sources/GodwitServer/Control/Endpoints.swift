import Foundation
import GodwitEngine
import Logging
import MySQLWire
import NIOPosix
import SystemPackage

extension ControlPlane {
    static let engines = ["mysql": "MySQL", "mariadb": "MariaDB", "aurora": "Amazon Aurora MySQL"]
    static let sslModes = ["none", "require", "verify-ca", "verify-full"]

    func createEndpoint(_ members: Members, _ caller: Caller) throws -> JSON {
        let name = try members.required("EndpointIdentifier").lowercased()
        try Identifier.check(name, "EndpointIdentifier", longest: 255)
        guard let type = try members.choice("EndpointType", ["source", "target"]) else {
            throw APIFault.value("The parameter EndpointType must be provided and must not be blank.")
        }
        _ = try members.required("EngineName")
        var endpoint = Resource(
            kind: .endpoint, arn: arn(.endpoint, try resourceID(members), caller), identifier: name,
            document: [
                "EndpointIdentifier": .string(name), "EndpointType": .string(type.uppercased()), "Status": "active",
                "SslMode": "none",
                "KmsKeyId": .string(try members.text("KmsKeyId") ?? "arn:aws:kms:\(caller.region):\(Self.account):key/master-key"),
            ])
        endpoint["EndpointArn"] = .string(endpoint.arn)
        let password = try change(&endpoint, members, exact: true)
        for name in ["ServerName", "Username"] where endpoint.text(name).isEmpty {
            throw APIFault.value("The parameter \(name) must be provided and must not be blank.")
        }
        if endpoint["Port"] == nil { endpoint["Port"] = 3306 }
        endpoint["MySQLSettings"] = Self.settings(endpoint)
        try add(endpoint, members, limit: 1000)
        if let password { try store.setSecret(password, owner: endpoint.arn, name: "password") }
        var shown = endpoint
        shown["Status"] = "active"
        return ["Endpoint": shown.shown]
    }

    func modifyEndpoint(_ members: Members) throws -> JSON {
        var endpoint = try required(.endpoint, members.required("EndpointArn"), "Endpoint")
        if let task = try tasks(using: endpoint).first(where: { ["starting", "running", "stopping"].contains($0.text("Status")) }) {
            throw APIFault.state("Endpoint \(endpoint.identifier) is in use by replication task \(task.identifier), which is running.")
        }
        if let name = try members.text("EndpointIdentifier")?.lowercased() {
            try Identifier.check(name, "EndpointIdentifier", longest: 255)
            endpoint.identifier = name
            endpoint["EndpointIdentifier"] = .string(name)
        }
        if let type = try members.choice("EndpointType", ["source", "target"]) {
            endpoint["EndpointType"] = .string(type.uppercased())
        }
        let password = try change(&endpoint, members, exact: try members.truth("ExactSettings") ?? false)
        endpoint["MySQLSettings"] = Self.settings(endpoint)
        try store.update(endpoint)
        if let password { try store.setSecret(password, owner: endpoint.arn, name: "password") }
        return ["Endpoint": endpoint.shown]
    }

    func deleteEndpoint(_ members: Members) throws -> JSON {
        var endpoint = try required(.endpoint, members.required("EndpointArn"), "Endpoint")
        if let task = try tasks(using: endpoint).first {
            throw APIFault.state("Endpoint \(endpoint.identifier) is in use by replication task \(task.identifier).")
        }
        for connection in try store.all(.connection) where connection.text("EndpointArn") == endpoint.arn {
            try store.delete(connection.arn)
        }
        try store.delete(endpoint.arn)
        endpoint["Status"] = "deleting"
        return ["Endpoint": endpoint.shown]
    }

    func describeEndpoints(_ members: Members) throws -> JSON {
        try Listing(
            member: "Endpoints",
            filters: [
                "endpoint-arn": { [$0.arn] }, "endpoint-id": { [$0.identifier] },
                "endpoint-type": { [$0.text("EndpointType"), $0.text("EndpointType").lowercased()] },
                "engine-name": { [$0.text("EngineName")] },
            ], noMatch: "No endpoints found matching the filters."
        ).page(try store.all(.endpoint), members, \.shown)
    }

    private func tasks(using endpoint: Resource) throws -> [Resource] {
        try store.all(.task).filter {
            $0.text("SourceEndpointArn") == endpoint.arn || $0.text("TargetEndpointArn") == endpoint.arn
        }
    }

    /// Takes over what a request says of an endpoint. Members stand at the top or in `MySQLSettings`; the latter win.
    /// - Returns: the password, which no document holds.
    private func change(_ endpoint: inout Resource, _ members: Members, exact: Bool) throws -> String? {
        if let engine = try members.text("EngineName") {
            guard let shown = Self.engines[engine] else {
                throw APIFault.value("Engine \(engine) is not offered. Offered: \(Self.engines.keys.sorted().joined(separator: ", ")).")
            }
            endpoint["EngineName"] = .string(engine)
            endpoint["EngineDisplayName"] = .string(shown)
        }
        if let other = members.input.keys.sorted().first(where: { $0.hasSuffix("Settings") && $0 != "MySQLSettings" && $0 != "ExactSettings" }) {
            throw APIFault.value("\(other) belongs to an engine that is not offered; MySQLSettings does.")
        }
        let settings = try Members(.object(members.map("MySQLSettings") ?? [:]))
        if let method = try settings.text("AuthenticationMethod"), method != "password" {
            throw APIFault.value("AuthenticationMethod \(method) is not offered; password is.")
        }
        for name in ["SecretsManagerSecretId", "SecretsManagerAccessRoleArn"] where try settings.text(name) != nil {
            throw APIFault.value("\(name) is not offered: give Username and Password.")
        }
        var kept = exact ? [:] : endpoint["_Settings"]?.members ?? [:]
        for (name, value) in settings.input where !["Password", "ServerName", "Port", "DatabaseName", "Username"].contains(name) {
            kept[name] = value
        }
        try EndpointAttributes.check(settings: kept)
        endpoint["_Settings"] = .object(kept)
        for name in ["ServerName", "DatabaseName", "Username"] {
            if let text = try settings.text(name) ?? members.text(name) { endpoint[name] = .string(text) }
        }
        if let port = try settings.integer("Port") ?? members.integer("Port") {
            guard (1...65_535).contains(port) else { throw APIFault.value("Port must be between 1 and 65535.") }
            endpoint["Port"] = .int(Int64(port))
        }
        if let attributes = try members.text("ExtraConnectionAttributes") {
            try EndpointAttributes.check(attributes)
            endpoint["ExtraConnectionAttributes"] = .string(attributes)
        }
        if let mode = try members.choice("SslMode", Self.sslModes) { endpoint["SslMode"] = .string(mode) }
        if let arn = try members.text("CertificateArn") {
            if arn.isEmpty {
                endpoint["CertificateArn"] = nil
            } else {
                _ = try required(.certificate, arn, "Certificate")
                endpoint["CertificateArn"] = .string(arn)
            }
        }
        return try settings.text("Password") ?? members.text("Password")
    }

    private static func settings(_ endpoint: Resource) -> JSON {
        var settings = endpoint["_Settings"]?.members ?? [:]
        for name in ["ServerName", "Port", "DatabaseName", "Username"] { settings[name] = endpoint[name] }
        return .object(settings)
    }

    /// An endpoint as the engine takes it. The CA is written beside the state, where the engine reads files.
    func server(_ endpoint: Resource) throws -> Plan.Server {
        let mode: MySQLTLS.Mode =
            switch endpoint.text("SslMode") {
            case "require": .required
            case "verify-ca": .verifyCA
            case "verify-full": .verifyIdentity
            default: .disabled
            }
        var tls = MySQLTLS(mode: mode)
        if mode == .verifyCA || mode == .verifyIdentity, let arn = endpoint["CertificateArn"]?.text {
            let certificate = try required(.certificate, arn, "Certificate")
            let folder = store.folder.appending("certificates")
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            let file = folder.appending((arn.split(separator: ":").last.map(String.init) ?? "ca") + ".pem").string
            try Data(certificate.text("CertificatePem").utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
            tls.caFile = file
        }
        return Plan.Server(
            address: .tcp(host: endpoint.text("ServerName"), port: endpoint["Port"]?.integer ?? 3306),
            user: endpoint.text("Username"), password: try store.secret(owner: endpoint.arn, name: "password"), tls: tls)
    }

    // MARK: Connections

    func testConnection(_ members: Members) throws -> JSON {
        let instance = try required(.instance, members.required("ReplicationInstanceArn"), "Replication instance")
        let endpoint = try required(.endpoint, members.required("EndpointArn"), "Endpoint")
        let server = try server(endpoint)
        let arn = "\(endpoint.arn)|\(instance.arn)"
        let connection = Resource(
            kind: .connection, arn: arn, identifier: arn,
            document: [
                "ReplicationInstanceArn": .string(instance.arn), "EndpointArn": .string(endpoint.arn), "Status": "testing",
                "EndpointIdentifier": .string(endpoint.identifier), "ReplicationInstanceIdentifier": .string(instance.identifier),
            ])
        if try store.find(arn) == nil { try store.insert(connection) } else { try store.update(connection) }
        let side = endpoint.text("EndpointType").lowercased()
        Task { await self.test(arn, server, side) }
        return ["Connection": connection.shown]
    }

    private func test(_ arn: String, _ server: Plan.Server, _ side: String) async {
        var configuration = MySQLConfiguration(
            address: server.address, username: server.user, password: server.password, tls: server.tls)
        configuration.peerName = server.peerName(side)
        var failure: String?
        do {
            let connection = try await MySQLWire.MySQLConnection.connect(
                configuration, on: MultiThreadedEventLoopGroup.singleton.next())
            await connection.close()
        } catch {
            failure = "\(error)"
        }
        do {
            guard var connection = try store.find(arn) else { return }
            connection["Status"] = failure == nil ? "successful" : "failed"
            connection["LastFailureMessage"] = failure.map(JSON.string)
            try store.update(connection)
        } catch {
            logger.error("The result of a connection test could not be stored: \(error)")
        }
    }

    func deleteConnection(_ members: Members) throws -> JSON {
        let arn = "\(try members.required("EndpointArn"))|\(try members.required("ReplicationInstanceArn"))"
        var connection = try required(.connection, arn, "Connection")
        try store.delete(arn)
        connection["Status"] = "deleting"
        return ["Connection": connection.shown]
    }

    func describeConnections(_ members: Members) throws -> JSON {
        try Listing(
            member: "Connections",
            filters: [
                "endpoint-arn": { [$0.text("EndpointArn")] }, "replication-instance-arn": { [$0.text("ReplicationInstanceArn")] },
            ], noMatch: "No connections found."
        ).page(try store.all(.connection), members, \.shown)
    }
}
