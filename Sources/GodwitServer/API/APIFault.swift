/// An error as a client sees it. Names and statuses are those of the service's model; clients branch on them.
package struct APIFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// `ResourceNotFoundFault` and so on.
    package var code: String
    package var message: String
    package var status: Int
    /// Further members of the body: `resourceArn`.
    package var members: [String: JSON] = [:]

    package init(_ code: String, _ message: String, status: Int = 400, members: [String: JSON] = [:]) {
        self.code = code
        self.message = message
        self.status = status
        self.members = members
    }
    package var description: String { "\(code): \(message)" }

    package var body: JSON {
        var body = members
        body["__type"] = .string(code)
        body["message"] = .string(message)
        return .object(body)
    }

    static func notFound(_ message: String) -> Self { .init("ResourceNotFoundFault", message) }
    static func exists(_ message: String, arn: String) -> Self {
        .init("ResourceAlreadyExistsFault", message, members: ["resourceArn": .string(arn)])
    }
    static func state(_ message: String) -> Self { .init("InvalidResourceStateFault", message) }
    static func value(_ message: String) -> Self { .init("InvalidParameterValueException", message) }
    static func combination(_ message: String) -> Self { .init("InvalidParameterCombinationException", message) }
    static func quota(_ message: String) -> Self { .init("ResourceQuotaExceededFault", message) }
    static func unknownOperation(_ message: String) -> Self { .init("UnknownOperationException", message) }
    static func notOffered(_ operation: String) -> Self {
        .init("AccessDeniedFault", "\(operation) is not offered by this service: docs/api.md lists what is.")
    }
}
