import Foundation
import NIOCore

extension ControlPlane {
    // MARK: Subnet groups

    func createSubnetGroup(_ members: Members, _ caller: Caller) throws -> JSON {
        let name = try members.required("ReplicationSubnetGroupIdentifier").lowercased()
        try Identifier.check(name, "ReplicationSubnetGroupIdentifier", longest: 255, also: "._")
        guard name != "default" else { throw APIFault.value("A subnet group can't be named default.") }
        let group = Resource(
            kind: .subnetGroup, arn: arn(.subnetGroup, name, caller), identifier: name,
            document: [
                "ReplicationSubnetGroupIdentifier": .string(name),
                "ReplicationSubnetGroupDescription": .string(try members.required("ReplicationSubnetGroupDescription")),
                "VpcId": "vpc-local", "SubnetGroupStatus": "Complete", "Subnets": try Self.subnets(members, caller.region),
                "SupportedNetworkTypes": ["IPV4"],
            ])
        try add(group, members, limit: 60)
        return ["ReplicationSubnetGroup": group.shown]
    }

    func modifySubnetGroup(_ members: Members) throws -> JSON {
        var group = try subnetGroup(members.required("ReplicationSubnetGroupIdentifier"))
        let region = group.arn.split(separator: ":", omittingEmptySubsequences: false).dropFirst(3).first.map(String.init) ?? ""
        group["Subnets"] = try Self.subnets(members, region)
        if let text = try members.text("ReplicationSubnetGroupDescription") {
            group["ReplicationSubnetGroupDescription"] = .string(text)
        }
        try store.update(group)
        return ["ReplicationSubnetGroup": group.shown]
    }

    func deleteSubnetGroup(_ members: Members) throws -> JSON {
        let group = try subnetGroup(members.required("ReplicationSubnetGroupIdentifier"))
        for instance in try store.all(.instance) where instance.text("_SubnetGroup") == group.identifier {
            throw APIFault.state(
                "Cannot delete the subnet group '\(group.identifier)' because at least one database instance: \(instance.identifier) is still using it.")
        }
        try store.delete(group.arn)
        return [:]
    }

    func describeSubnetGroups(_ members: Members) throws -> JSON {
        try Listing(
            member: "ReplicationSubnetGroups",
            filters: ["replication-subnet-group-id": { [$0.identifier] }], noMatch: "No replication subnet groups found."
        ).page(try store.all(.subnetGroup), members, \.shown)
    }

    private func subnetGroup(_ name: String) throws -> Resource {
        guard let group = try store.find(.subnetGroup, identifier: name.lowercased()) else {
            throw APIFault.notFound("Replication subnet group not found: \(name)")
        }
        return group
    }

    /// Subnets are names only: everything here runs on one machine.
    private static func subnets(_ members: Members, _ region: String) throws(APIFault) -> JSON {
        guard let names = try members.texts("SubnetIds"), !names.isEmpty else {
            throw .value("The parameter SubnetIds must be provided and must not be blank.")
        }
        let zones = ["a", "b", "c"]
        return .array(
            names.enumerated().map { index, name in
                [
                    "SubnetIdentifier": .string(name), "SubnetStatus": "Active",
                    "SubnetAvailabilityZone": ["Name": .string(region + zones[index % zones.count])],
                ]
            })
    }

    // MARK: Instances

    static let classes = [
        "dms.t3.micro", "dms.t3.small", "dms.t3.medium", "dms.t3.large", "dms.c5.large", "dms.c5.xlarge", "dms.c5.2xlarge",
        "dms.c5.4xlarge", "dms.c6i.large", "dms.c6i.xlarge", "dms.c6i.2xlarge", "dms.c6i.4xlarge", "dms.r5.large",
        "dms.r5.xlarge", "dms.r5.2xlarge", "dms.r5.4xlarge", "dms.r6i.large", "dms.r6i.xlarge", "dms.r6i.2xlarge",
        "dms.r6i.4xlarge",
    ]

    func createInstance(_ members: Members, _ caller: Caller) throws -> JSON {
        let name = try members.required("ReplicationInstanceIdentifier").lowercased()
        try Identifier.check(name, "ReplicationInstanceIdentifier", longest: 63)
        let type = try Self.instanceClass(members.required("ReplicationInstanceClass"))
        let groupName = try members.text("ReplicationSubnetGroupIdentifier")?.lowercased()
        let group = try groupName.map { try subnetGroup($0) }
        let address = Self.address()
        var document: [String: JSON] = [
            "ReplicationInstanceIdentifier": .string(name), "ReplicationInstanceClass": .string(type), "ReplicationInstanceStatus": "available",
            "AllocatedStorage": .int(Int64(try Self.storage(members) ?? (type.hasPrefix("dms.t") ? 50 : 100))),
            "InstanceCreateTime": .time(Date()), "AvailabilityZone": .string(try members.text("AvailabilityZone") ?? caller.region + "a"),
            "PreferredMaintenanceWindow": .string(try members.text("PreferredMaintenanceWindow") ?? "sun:04:00-sun:04:30"),
            "PendingModifiedValues": [:], "MultiAZ": .bool(try members.truth("MultiAZ") ?? false),
            "EngineVersion": .string(try Self.engineVersion(members)),
            "AutoMinorVersionUpgrade": .bool(try members.truth("AutoMinorVersionUpgrade") ?? true),
            "KmsKeyId": .string(try members.text("KmsKeyId") ?? "arn:aws:kms:\(caller.region):\(Self.account):key/master-key"),
            "PubliclyAccessible": .bool(try members.truth("PubliclyAccessible") ?? true),
            "NetworkType": .string(try members.text("NetworkType") ?? "IPV4"),
            "ReplicationInstancePrivateIpAddress": .string(address), "ReplicationInstancePrivateIpAddresses": [.string(address)],
            "ReplicationInstancePublicIpAddress": .string(address), "ReplicationInstancePublicIpAddresses": [.string(address)],
            "_SubnetGroup": .string(group?.identifier ?? ""),
        ]
        document["VpcSecurityGroups"] = Self.securityGroups(try members.texts("VpcSecurityGroupIds") ?? [])
        if let servers = try members.text("DnsNameServers") { document["DnsNameServers"] = .string(servers) }
        var instance = Resource(kind: .instance, arn: arn(.instance, try resourceID(members), caller), identifier: name, document: document)
        instance["ReplicationInstanceArn"] = .string(instance.arn)
        try add(instance, members, limit: 60)
        try instanceEvent(instance, "creation", "Replication instance created")
        return ["ReplicationInstance": try shownInstance(instance, status: "creating")]
    }

    func modifyInstance(_ members: Members) throws -> JSON {
        var instance = try required(.instance, members.required("ReplicationInstanceArn"), "Replication instance")
        if let type = try members.text("ReplicationInstanceClass") {
            instance["ReplicationInstanceClass"] = .string(try Self.instanceClass(type))
        }
        if let storage = try Self.storage(members) { instance["AllocatedStorage"] = .int(Int64(storage)) }
        if try members.text("EngineVersion") != nil { instance["EngineVersion"] = .string(try Self.engineVersion(members)) }
        for name in ["PreferredMaintenanceWindow", "NetworkType"] {
            if let text = try members.text(name) { instance[name] = .string(text) }
        }
        for name in ["MultiAZ", "AutoMinorVersionUpgrade"] {
            if let truth = try members.truth(name) { instance[name] = .bool(truth) }
        }
        if let groups = try members.texts("VpcSecurityGroupIds") { instance["VpcSecurityGroups"] = Self.securityGroups(groups) }
        if let name = try members.text("ReplicationInstanceIdentifier")?.lowercased() {
            try Identifier.check(name, "ReplicationInstanceIdentifier", longest: 63)
            instance.identifier = name
            instance["ReplicationInstanceIdentifier"] = .string(name)
        }
        try store.update(instance)
        try instanceEvent(instance, "configuration change", "Replication instance modified")
        return ["ReplicationInstance": try shownInstance(instance, status: "modifying")]
    }

    /// There is no machine to restart: the tasks go on.
    func rebootInstance(_ members: Members) throws -> JSON {
        let instance = try required(.instance, members.required("ReplicationInstanceArn"), "Replication instance")
        return ["ReplicationInstance": try shownInstance(instance, status: "rebooting")]
    }

    func deleteInstance(_ members: Members) throws -> JSON {
        let instance = try required(.instance, members.required("ReplicationInstanceArn"), "Replication instance")
        guard try store.all(.task).allSatisfy({ $0.text("ReplicationInstanceArn") != instance.arn }) else {
            throw APIFault.state("Replication instance \(instance.identifier) has one or more replication tasks.")
        }
        for connection in try store.all(.connection) where connection.text("ReplicationInstanceArn") == instance.arn {
            try store.delete(connection.arn)
        }
        let answer = try shownInstance(instance, status: "deleting")
        try store.delete(instance.arn)
        try instanceEvent(instance, "deletion", "Replication instance deleted")
        return ["ReplicationInstance": answer]
    }

    func describeInstances(_ members: Members) throws -> JSON {
        try Listing(
            member: "ReplicationInstances",
            filters: [
                "replication-instance-arn": { [$0.arn] }, "replication-instance-id": { [$0.identifier] },
                "replication-instance-class": { [$0.text("ReplicationInstanceClass")] },
                "engine-version": { [$0.text("EngineVersion")] },
            ], noMatch: "No replication instances found."
        ).page(try store.all(.instance), members) { try shownInstance($0) }
    }

    private func shownInstance(_ instance: Resource, status: String? = nil) throws -> JSON {
        var instance = instance
        let name = instance.text("_SubnetGroup")
        let group = name.isEmpty ? nil : try store.find(.subnetGroup, identifier: name)
        instance["ReplicationSubnetGroup"] =
            group?.shown ?? [
                "ReplicationSubnetGroupIdentifier": "default", "ReplicationSubnetGroupDescription": "default",
                "VpcId": "vpc-local", "SubnetGroupStatus": "Complete", "Subnets": [],
            ]
        if let status { instance["ReplicationInstanceStatus"] = .string(status) }
        return instance.shown
    }

    private static func instanceClass(_ name: String) throws(APIFault) -> String {
        guard classes.contains(name) else { throw .value("Replication instance class \(name) is not one of: \(classes.joined(separator: ", ")).") }
        return name
    }
    private static func storage(_ members: Members) throws(APIFault) -> Int? {
        guard let storage = try members.integer("AllocatedStorage") else { return nil }
        guard (5...6144).contains(storage) else { throw .value("AllocatedStorage must be between 5 and 6144 GB.") }
        return storage
    }
    private static func engineVersion(_ members: Members) throws(APIFault) -> String {
        guard let asked = try members.text("EngineVersion") else { return version }
        guard asked == version else { throw .value("Engine version \(asked) is not available. Available: \(version).") }
        return asked
    }
    private static func securityGroups(_ names: [String]) -> JSON {
        .array(names.map { ["VpcSecurityGroupId": .string($0), "Status": "active"] })
    }

    /// The first address of this machine that others can reach, else loopback's.
    private static func address() -> String {
        let devices = (try? System.enumerateDevices()) ?? []
        let addresses = devices.compactMap { $0.address }.filter { $0.protocol == .inet }.compactMap(\.ipAddress)
        return addresses.first { !$0.hasPrefix("127.") } ?? "127.0.0.1"
    }
}
