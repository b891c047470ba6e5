import Foundation

extension ControlPlane {
    // MARK: Tags

    func addTags(_ members: Members) throws -> JSON {
        let arn = try tagged(members.required("ResourceArn"))
        try store.setTags(Tags.read(members), of: arn)
        return [:]
    }

    func removeTags(_ members: Members) throws -> JSON {
        let arn = try tagged(members.required("ResourceArn"))
        guard let names = try members.texts("TagKeys") else { throw APIFault.value("The parameter TagKeys must be provided.") }
        try store.removeTags(names, of: arn)
        return [:]
    }

    func listTags(_ members: Members) throws -> JSON {
        let many = try members.texts("ResourceArnList")
        let arns = try many ?? [members.required("ResourceArn")]
        var list: [JSON] = []
        for arn in arns {
            for tag in try store.tags(of: tagged(arn)) {
                var shown: [String: JSON] = ["Key": .string(tag.name), "Value": .string(tag.value)]
                if many != nil { shown["ResourceArn"] = .string(arn) }
                list.append(.object(shown))
            }
        }
        return ["TagList": .array(list)]
    }

    /// The ARN under which a resource is stored. Terraform builds a subnet group's itself, at times without an account.
    private func tagged(_ arn: String) throws -> String {
        if let resource = try store.find(arn), resource.kind != .connection { return arn }
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 7, parts[5] == Resource.Kind.subnetGroup.rawValue, let group = try store.find(.subnetGroup, identifier: parts[6]) {
            return group.arn
        }
        throw APIFault.notFound("The resource was not found: \(arn)")
    }

    // MARK: Events

    static let categories: [(type: String, categories: [String])] = [
        ("replication-instance", ["low storage", "configuration change", "maintenance", "deletion", "creation", "failover", "failure"]),
        ("replication-task", ["configuration change", "state change", "deletion", "creation", "failure"]),
    ]

    func describeEvents(_ members: Members) throws -> JSON {
        let type = try members.choice("SourceType", Self.categories.map(\.type))
        let source = try members.text("SourceIdentifier")
        let categories = try members.texts("EventCategories") ?? []
        let now = Date().timeIntervalSince1970
        let minutes = try members.integer("Duration") ?? 60
        let end = try members.number("EndTime") ?? now
        let start = try members.number("StartTime") ?? end - Double(minutes) * 60
        let page = try Page(members, longest: 100, usual: 100)
        let kept = try store.events(from: start, to: end).filter { event in
            (type.map { event.type == $0 } ?? true) && (source.map { event.source == $0 } ?? true)
                && (categories.isEmpty || categories.contains(event.category)) && event.id > page.after
        }
        var answer: [String: JSON] = [
            "Events": .array(
                kept.prefix(page.size).map { event in
                    [
                        "SourceIdentifier": .string(event.source), "SourceType": .string(event.type), "Message": .string(event.message),
                        "EventCategories": [.string(event.category)], "Date": .time(event.at),
                    ]
                })
        ]
        if kept.count > page.size { answer["Marker"] = .string(Page.marker(kept[page.size - 1].id)) }
        return .object(answer)
    }

    func describeEventCategories(_ members: Members) throws -> JSON {
        let type = try members.choice("SourceType", Self.categories.map(\.type))
        return [
            "EventCategoryGroupList": .array(
                Self.categories.filter { type == nil || $0.type == type }.map {
                    ["SourceType": .string($0.type), "EventCategories": .array($0.categories.map(JSON.string))]
                })
        ]
    }

    // MARK: What is the same for everybody

    func describeAccountAttributes() throws -> JSON {
        let quotas: [(name: String, used: Int, max: Int)] = [
            ("ReplicationInstances", try store.all(.instance).count, 60),
            ("AllocatedStorage", try store.all(.instance).reduce(0) { $0 + ($1["AllocatedStorage"]?.integer ?? 0) }, 30_000),
            ("ReplicationSubnetGroups", try store.all(.subnetGroup).count, 60),
            ("SubnetsPerReplicationSubnetGroup", try store.all(.subnetGroup).map { $0["Subnets"]?.elements?.count ?? 0 }.max() ?? 0, 60),
            ("Endpoints", try store.all(.endpoint).count, 1000), ("EndpointsPerInstance", 0, 100),
            ("ReplicationTasks", try store.all(.task).count, 600), ("Certificates", try store.all(.certificate).count, 100),
        ]
        return [
            "AccountQuotas": .array(
                quotas.map { ["AccountQuotaName": .string($0.name), "Used": .int(Int64($0.used)), "Max": .int(Int64($0.max))] }),
            "UniqueAccountIdentifier": .string("godwit-\(Self.account)"),
        ]
    }

    func describeOrderableInstances(_ members: Members) throws -> JSON {
        try Self.listed("OrderableReplicationInstances", members, Self.classes.map { name in
            let storage: JSON = name.hasPrefix("dms.t") ? 50 : 100
            return [
                "EngineVersion": .string(Self.version), "ReplicationInstanceClass": .string(name), "StorageType": "gp2",
                "MinAllocatedStorage": 5, "MaxAllocatedStorage": 6144, "DefaultAllocatedStorage": storage,
                "IncludedAllocatedStorage": storage, "AvailabilityZones": [],
            ]
        })
    }

    func describeEndpointTypes(_ members: Members) throws -> JSON {
        let filters = try Listing.filters(members, known: ["engine-name", "endpoint-type"])
        let all: [JSON] = Self.engines.sorted { $0.key < $1.key }.flatMap { engine in
            ["source", "target"].map { type in
                [
                    "EngineName": .string(engine.key), "EngineDisplayName": .string(engine.value), "EndpointType": .string(type),
                    "SupportsCDC": true,
                ]
            }
        }
        let kept = all.filter { entry in
            filters.allSatisfy { filter in
                filter.values.contains(entry[filter.name == "engine-name" ? "EngineName" : "EndpointType"]?.text ?? "")
            }
        }
        return try Self.listed("SupportedEndpointTypes", members, kept)
    }

    func describeEngineVersions(_ members: Members) throws -> JSON {
        try Self.listed("EngineVersions", members, [
            ["Version": .string(Self.version), "Lifecycle": "GENERAL_AVAILABILITY", "ReleaseStatus": "prod", "AvailableUpgrades": []]
        ])
    }

    private static func listed(_ member: String, _ members: Members, _ all: [JSON]) throws -> JSON {
        let page = try Page(members, longest: 100, usual: 100)
        let rest = all.dropFirst(Int(clamping: page.after))
        var answer: [String: JSON] = [member: .array(Array(rest.prefix(page.size)))]
        if rest.count > page.size { answer["Marker"] = .string(Page.marker(page.after + Int64(page.size))) }
        return .object(answer)
    }
}
