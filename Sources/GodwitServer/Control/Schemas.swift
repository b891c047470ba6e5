import Foundation
import GodwitEngine
import Logging
import MySQLWire
import NIOPosix

// The schemas of an endpoint's database, as the console's lists of tables begin with.
extension ControlPlane {
    private static let systemSchemas: Set<String> = ["information_schema", "mysql", "performance_schema", "sys"]

    func refreshSchemas(_ members: Members) throws -> JSON {
        let instance = try required(.instance, members.required("ReplicationInstanceArn"), "Replication instance")
        var endpoint = try required(.endpoint, members.required("EndpointArn"), "Endpoint")
        guard endpoint["_Schemas"]?.members?["Status"]?.text != "refreshing" else {
            throw APIFault.state("The schemas of endpoint \(endpoint.identifier) are being refreshed.")
        }
        let server = try server(endpoint)
        let status: [String: JSON] = [
            "EndpointArn": .string(endpoint.arn), "ReplicationInstanceArn": .string(instance.arn), "Status": "refreshing",
        ]
        endpoint["_Schemas"] = .object(status)
        try store.update(endpoint)
        let (arn, side) = (endpoint.arn, endpoint.text("EndpointType").lowercased())
        Task { await self.refresh(arn, server, side) }
        return ["RefreshSchemasStatus": .object(status)]
    }

    private func refresh(_ arn: String, _ server: Plan.Server, _ side: String) async {
        var found: [String] = []
        var failure: String?
        do {
            found = try await Self.schemas(of: server, side)
        } catch {
            failure = "\(error)"
        }
        do {
            guard var endpoint = try store.find(arn), var status = endpoint["_Schemas"]?.members else { return }
            status["Status"] = failure == nil ? "successful" : "failed"
            status["LastFailureMessage"] = failure.map(JSON.string)
            status["LastRefreshDate"] = .double(Date().timeIntervalSince1970)
            endpoint["_Schemas"] = .object(status)
            // What was known stays known after a failure.
            if failure == nil { endpoint["_SchemaNames"] = .array(found.map(JSON.string)) }
            try store.update(endpoint)
        } catch {
            logger.error("The schemas of an endpoint could not be stored: \(error)")
        }
    }

    private static func schemas(of server: Plan.Server, _ side: String) async throws -> [String] {
        var configuration = MySQLConfiguration(address: server.address, username: server.user, password: server.password, tls: server.tls)
        configuration.peerName = server.peerName(side)
        let connection = try await MySQLConnection.connect(configuration, on: MultiThreadedEventLoopGroup.singleton.next())
        do {
            let rows = try await connection.query("SHOW DATABASES", timeout: .seconds(60)).rows
            await connection.close()
            return rows.compactMap { $0.string(0) }.filter { !systemSchemas.contains($0.lowercased()) }.sorted()
        } catch {
            await connection.close()
            throw error
        }
    }

    func describeRefreshSchemasStatus(_ members: Members) throws -> JSON {
        let endpoint = try required(.endpoint, members.required("EndpointArn"), "Endpoint")
        guard let status = endpoint["_Schemas"]?.members else {
            throw APIFault.notFound("The schemas of endpoint \(endpoint.identifier) were never refreshed.")
        }
        return ["RefreshSchemasStatus": .object(status)]
    }

    func describeSchemas(_ members: Members) throws -> JSON {
        let endpoint = try required(.endpoint, members.required("EndpointArn"), "Endpoint")
        let names = endpoint["_SchemaNames"]?.elements ?? []
        let page = try Page(members, longest: 100, usual: 100)
        let rest = names.dropFirst(Int(page.after))
        var answer: [String: JSON] = ["Schemas": .array(Array(rest.prefix(page.size)))]
        if rest.count > page.size { answer["Marker"] = .string(Page.marker(page.after + Int64(page.size))) }
        return .object(answer)
    }
}
