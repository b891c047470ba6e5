import Foundation

/// Which events a subscription wants, and what its webhook is sent. Pure.
struct Subscription: Sendable {
    let resource: Resource

    var name: String { resource.identifier }
    var isEnabled: Bool { resource["Enabled"]?.truth ?? true }
    var address: String { resource.text("SnsTopicArn") }
    /// The id of the last event that was delivered, or passed over.
    var delivered: Int64 { Int64(resource["_Delivered"]?.integer ?? 0) }

    func wants(_ event: StateStore.Event) -> Bool {
        let type = resource.text("SourceType")
        guard type.isEmpty || type == event.type else { return false }
        let sources = resource["SourceIdsList"]?.elements?.compactMap(\.text) ?? []
        let categories = resource["EventCategoriesList"]?.elements?.compactMap(\.text) ?? []
        return (sources.isEmpty || sources.contains(event.source)) && (categories.isEmpty || categories.contains(event.category))
    }

    /// As SNS posts DMS's notifications over HTTP. Source: SNS developer guide, "Parsing Amazon SNS message formats"; DMS user guide,
    /// "Working with events and notifications".
    func body(_ event: StateStore.Event) throws -> [UInt8] {
        let time = Date(timeIntervalSince1970: event.at).formatted(.iso8601)
        let message: JSON = [
            "Event Source": .string(event.type), "Event Time": .string(time), "SourceId": .string(event.source),
            "Event Categories": [.string(event.category)], "Event Message": .string(event.message),
        ]
        return try JSON.object([
            "Type": "Notification", "MessageId": .string("\(name)-\(event.id)"), "TopicArn": .string(resource.arn),
            "Subject": "DMS Notification Message", "Message": .string(try message.serialized()), "Timestamp": .string(time),
        ]).bytes()
    }

    /// A webhook's address: https anywhere, http on loopback.
    static func check(_ address: String) throws(APIFault) {
        guard let url = URL(string: address), let host = url.host(percentEncoded: false), !host.isEmpty, ["http", "https"].contains(url.scheme ?? "") else {
            throw APIFault("SNSInvalidTopicFault", "SNS is not offered: SnsTopicArn takes the address of a webhook, https://HOST/PATH.")
        }
        guard url.scheme == "https" || Loopback.includes(host.trimmingCharacters(in: ["[", "]"])) else {
            throw APIFault("SNSInvalidTopicFault", "A webhook that is not on loopback must be https.")
        }
    }

    /// Seconds to wait after so many failures in a row.
    static func pause(after failures: Int) -> Double { min(60, pow(2, Double(min(failures, 6) - 1))) }
}
