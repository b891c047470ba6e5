/// What Signature Version 4 signs of an HTTP request, as it came over the wire.
package struct SignedRequest: Sendable {
    package var method: String
    /// The path before `?`, still percent-encoded as the client sent it.
    package var path: String
    /// What stands behind `?`, still encoded; empty without one.
    package var query: String
    /// Names in any case, values as received; a name may come more than once.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(
        method: String, path: String, query: String = "", headers: [(name: String, value: String)], body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// All values of a header joined by commas, each trimmed and with runs of spaces folded to one; nil where it is absent.
    func headerValue(_ name: String) -> String? {
        let values = headers.lazy.filter { $0.name.lowercased() == name }.map { Self.fold($0.value) }
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    private static func fold(_ value: String) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }
}
