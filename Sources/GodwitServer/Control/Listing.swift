import Foundation

/// What every `Describe…` operation does: filters, pages, markers.
struct Listing {
    /// What a filter's values are compared with; several where any of them may be it.
    typealias Subject = @Sendable (Resource) -> [String]

    /// The answer's list.
    var member: String
    var filters: [String: Subject]
    /// What `MaxRecords` may be at most, and what it is where it is absent or 0.
    var longest = 100
    var usual = 100
    var noMatch: String

    /// - Throws: `ResourceNotFoundFault` where a filter is given and nothing passes: clients wait for it after a delete.
    func page(_ all: [Resource], _ members: Members, _ shown: (Resource) throws -> JSON) throws -> JSON {
        var kept = all
        let given = try Self.filters(members, known: filters.keys.sorted())
        for filter in given {
            guard let subject = filters[filter.name] else { continue }
            kept = kept.filter { resource in subject(resource).contains(where: filter.values.contains) }
        }
        if kept.isEmpty, !given.isEmpty { throw APIFault.notFound(noMatch) }
        let page = try Page(members, longest: longest, usual: usual)
        let rest = kept.filter { $0.id > page.after }
        let count = min(page.size, rest.count)
        var answer: [String: JSON] = [member: .array(try rest.prefix(count).map(shown))]
        if count < rest.count { answer["Marker"] = .string(Page.marker(rest[count - 1].id)) }
        return .object(answer)
    }

    static func filters(_ members: Members, known: [String]) throws(APIFault) -> [(name: String, values: Set<String>)] {
        var filters: [(name: String, values: Set<String>)] = []
        for filter in try members.list("Filters") ?? [] {
            guard let name = filter["Name"]?.text, let values = filter["Values"]?.elements, !values.isEmpty else {
                throw .value("A filter needs a Name and Values.")
            }
            guard known.contains(name) else {
                throw .value("The filter \(name) is not known here. Known filters: \(known.joined(separator: ", ")).")
            }
            filters.append((name, Set(values.compactMap(\.text))))
        }
        return filters
    }
}

/// `MaxRecords` and `Marker`. A marker names the last entry that was shown, so that entries that come or go meanwhile neither
/// repeat nor hide another.
struct Page {
    var size: Int
    var after: Int64

    init(_ members: Members, longest: Int, usual: Int) throws(APIFault) {
        let asked = try members.integer("MaxRecords") ?? 0
        guard (0...longest).contains(asked) else { throw .value("MaxRecords must be between 20 and \(longest).") }
        size = asked == 0 ? usual : asked
        guard let marker = try members.text("Marker"), !marker.isEmpty else {
            after = 0
            return
        }
        guard let after = Self.position(marker) else { throw .value("The Marker is not one that this service gave.") }
        self.after = after
    }

    /// What a marker names; nil where it is none of this service's.
    static func position(_ marker: String) -> Int64? {
        guard let data = Data(base64Encoded: marker), let text = String(data: data, encoding: .utf8), text.hasPrefix("v1:"),
            let position = Int64(text.dropFirst(3)), position >= 0, position < 1 << 40
        else { return nil }
        return position
    }

    static func marker(_ id: Int64) -> String { Data("v1:\(id)".utf8).base64EncodedString() }
}
