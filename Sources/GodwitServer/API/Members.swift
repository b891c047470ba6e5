/// The members of a request, read by name and type; what does not fit is a fault that names the member.
struct Members: Sendable {
    let input: [String: JSON]

    init(_ json: JSON) throws(APIFault) {
        guard let members = json.members else {
            throw APIFault("SerializationException", "The body is no JSON object.")
        }
        input = members
    }

    /// nil where the member is absent or null.
    func value(_ name: String) -> JSON? {
        guard let value = input[name], value != .null else { return nil }
        return value
    }
    func text(_ name: String) throws(APIFault) -> String? { try read(name, "a string") { $0.text } }
    func truth(_ name: String) throws(APIFault) -> Bool? { try read(name, "true or false") { $0.truth } }
    func integer(_ name: String) throws(APIFault) -> Int? { try read(name, "an integer") { $0.integer } }
    func number(_ name: String) throws(APIFault) -> Double? { try read(name, "a number") { $0.number } }
    func list(_ name: String) throws(APIFault) -> [JSON]? { try read(name, "a list") { $0.elements } }
    func map(_ name: String) throws(APIFault) -> [String: JSON]? { try read(name, "a structure") { $0.members } }

    func texts(_ name: String) throws(APIFault) -> [String]? {
        guard let list = try list(name) else { return nil }
        var texts: [String] = []
        for element in list {
            guard let text = element.text else { throw Self.wrong(name, "a list of strings") }
            texts.append(text)
        }
        return texts
    }

    func required(_ name: String) throws(APIFault) -> String {
        guard let text = try text(name) else {
            throw .value("The parameter \(name) must be provided and must not be blank.")
        }
        guard !text.allSatisfy(\.isWhitespace) else {
            throw .value("The parameter \(name) must be provided and must not be blank.")
        }
        return text
    }

    func choice(_ name: String, _ values: [String]) throws(APIFault) -> String? {
        guard let text = try text(name) else { return nil }
        guard values.contains(text) else {
            throw .value("Invalid value for \(name). Valid values: \(values.joined(separator: ", ")).")
        }
        return text
    }

    private func read<Value>(_ name: String, _ kind: String, _ body: (JSON) -> Value?) throws(APIFault) -> Value? {
        guard let value = value(name) else { return nil }
        guard let read = body(value) else { throw Self.wrong(name, kind) }
        return read
    }
    private static func wrong(_ name: String, _ kind: String) -> APIFault {
        APIFault("SerializationException", "\(name) must be \(kind).")
    }
}

/// Rules for the names that users give. Source: the service's model, documentation of each identifier.
enum Identifier {
    /// Letters, digits and hyphens; first a letter; no hyphen at the end, none doubled.
    static func check(_ text: String, _ member: String, longest: Int, also: String = "") throws(APIFault) {
        let isMade = text.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "-" || also.unicodeScalars.contains(scalar))
        }
        let first = text.unicodeScalars.first.map { $0.isASCII && $0.properties.isAlphabetic } ?? false
        guard isMade, first, !text.hasSuffix("-"), !text.contains("--"), text.utf8.count <= longest else {
            throw .value(
                "The parameter \(member) is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens; \(longest) characters at most.")
        }
    }

    /// The last part of an ARN: 26 capital letters and digits.
    static func fresh() -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        return String((0..<26).map { _ in letters[Int.random(in: 0..<letters.count)] })
    }
}
