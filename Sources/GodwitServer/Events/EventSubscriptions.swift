import Foundation

extension ControlPlane {
    func createSubscription(_ members: Members, _ caller: Caller) throws -> JSON {
        let name = try members.required("SubscriptionName").lowercased()
        try Identifier.check(name, "SubscriptionName", longest: 254)
        let address = try members.required("SnsTopicArn")
        try Subscription.check(address)
        var made = Resource(
            kind: .subscription, arn: arn(.subscription, name, caller), identifier: name,
            document: [
                "CustomerAwsId": .string(Self.account), "CustSubscriptionId": .string(name), "SnsTopicArn": .string(address), "Status": "active",
                "SubscriptionCreationTime": .string(Date().formatted(.iso8601)), "Enabled": .bool(try members.truth("Enabled") ?? true),
                "SourceIdsList": .array((try members.texts("SourceIds") ?? []).map(JSON.string)), "EventCategoriesList": [],
                // What was before is nobody's news.
                "_Delivered": .int(try store.lastEvent()),
            ])
        try change(&made, members)
        if made["SourceIdsList"]?.elements?.isEmpty == false, made["SourceType"] == nil { throw APIFault.combination("SourceIds need a SourceType.") }
        try add(made, members, limit: 60)
        return ["EventSubscription": made.shown]
    }

    func modifySubscription(_ members: Members) throws -> JSON {
        var subscription = try subscription(named: members.required("SubscriptionName"))
        if let address = try members.text("SnsTopicArn") {
            try Subscription.check(address)
            subscription["SnsTopicArn"] = .string(address)
        }
        if let enabled = try members.truth("Enabled") {
            // What came while it was off is passed over.
            if enabled, subscription["Enabled"]?.truth == false { subscription["_Delivered"] = .int(try store.lastEvent()) }
            subscription["Enabled"] = .bool(enabled)
        }
        try change(&subscription, members)
        try store.update(subscription)
        return ["EventSubscription": subscription.shown]
    }

    private func change(_ subscription: inout Resource, _ members: Members) throws {
        if let type = try members.choice("SourceType", Self.categories.map(\.type)) { subscription["SourceType"] = .string(type) }
        guard let categories = try members.texts("EventCategories") else { return }
        let type = subscription.text("SourceType")
        let known = Set(Self.categories.filter { type.isEmpty || $0.type == type }.flatMap(\.categories))
        if let unknown = categories.first(where: { !known.contains($0) }) {
            throw APIFault.value("There is no event category \(unknown). Known: \(known.sorted().joined(separator: ", ")).")
        }
        subscription["EventCategoriesList"] = .array(categories.map(JSON.string))
    }

    func deleteSubscription(_ members: Members) throws -> JSON {
        var subscription = try subscription(named: members.required("SubscriptionName"))
        try store.delete(subscription.arn)
        subscription["Status"] = "deleting"
        return ["EventSubscription": subscription.shown]
    }

    func describeSubscriptions(_ members: Members) throws -> JSON {
        var all = try store.all(.subscription)
        if let name = try members.text("SubscriptionName"), !name.isEmpty { all = [try subscription(named: name)] }
        return try Listing(
            member: "EventSubscriptionsList", filters: ["event-subscription-arn": { [$0.arn] }, "event-subscription-id": { [$0.identifier] }],
            noMatch: "No event subscriptions found matching the filters."
        ).page(all, members, \.shown)
    }

    private func subscription(named name: String) throws -> Resource {
        guard let found = try store.find(.subscription, identifier: name.lowercased()) else {
            throw APIFault.notFound("Event subscription not found: \(name)")
        }
        return found
    }
}
