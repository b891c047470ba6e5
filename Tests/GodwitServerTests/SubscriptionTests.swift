import Testing

@testable import GodwitServer

@Suite struct SubscriptionTests {
    private static func subscription(_ members: [String: JSON]) -> Subscription {
        var document: [String: JSON] = ["SnsTopicArn": "https://hooks.example/x", "Enabled": true]
        for (name, value) in members { document[name] = value }
        return Subscription(resource: Resource(kind: .subscription, arn: "arn:aws:dms:r:0:es:s", identifier: "s", document: document))
    }
    private static let event = StateStore.Event(
        id: 7, at: 0, type: "replication-task", source: "t", category: "failure", message: "a \"quoted\" <b>")

    @Test(arguments: [
        ([:], true), (["SourceType": "replication-task"], true), (["SourceType": "replication-instance"], false),
        (["SourceIdsList": ["t", "u"]], true), (["SourceIdsList": ["u"]], false), (["EventCategoriesList": ["failure"]], true),
        (["EventCategoriesList": ["creation"], "SourceIdsList": ["t"]], false),
    ] as [([String: JSON], Bool)])
    func whatIsWanted(members: [String: JSON], wanted: Bool) { #expect(Self.subscription(members).wants(Self.event) == wanted) }

    @Test func theBodyIsSNSs() throws {
        let body = try JSON.parse(try Self.subscription([:]).body(Self.event))
        #expect(body["Type"]?.text == "Notification" && body["MessageId"]?.text == "s-7")
        let message = try JSON.parse(body["Message"]?.text ?? "")
        #expect(message["SourceId"]?.text == "t" && message["Event Message"]?.text == "a \"quoted\" <b>")
    }

    @Test(arguments: [
        ("https://hooks.example/x", true), ("http://127.0.0.1:9/x", true), ("http://localhost/", true), ("http://[::1]:9/", true),
        ("http://hooks.example/x", false), ("http://127.example.com/x", false), ("http://127.0.0.1.nip.example/x", false), ("arn:aws:sns:us-east-1:0:t", false), ("ftp://x/", false), ("https://", false), ("", false),
    ])
    func addresses(address: String, good: Bool) { #expect(((try? Subscription.check(address)) != nil) == good) }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.8.9.1", true), ("::1", true), ("0:0:0:0:0:0:0:1", true), ("LocalHost", true), ("127.example.com", false), ("0.0.0.0", false),
        ("::", false), ("10.0.0.1", false), ("localhost.example", false), ("", false),
    ])
    func loopback(host: String, isOwn: Bool) { #expect(Loopback.includes(host) == isOwn) }

    @Test func pausesGrowAndEnd() { #expect((1...9).map(Subscription.pause) == [1, 2, 4, 8, 16, 32, 32, 32, 32]) }
}
