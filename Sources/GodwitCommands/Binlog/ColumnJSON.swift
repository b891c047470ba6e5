import MySQLBinlog
import MySQLTypes

/// How one column's values are written: what can be known from the table map, worked out once per rows event.
struct ColumnJSON {
    private enum Text {
        case decoded(characterSet: String)
        /// `paddedTo`: length of a BINARY column, whose trailing zero bytes the log leaves out.
        case base64(paddedTo: Int)
    }

    /// `"name":`
    let key: [UInt8]
    private let column: TableMap.Column
    /// The values are text in which printable ASCII stands for itself.
    let isASCIIText: Bool
    private let text: Text
    /// ENUM or SET members as text, nil where the metadata has none or they cannot be decoded.
    private let members: [String]?

    init(_ column: TableMap.Column, at index: Int) {
        self.column = column
        var key: [UInt8] = []
        JSONText.appendQuoted(Array((column.name ?? "@\(index + 1)").utf8), to: &key)
        key.append(UInt8(ascii: ":"))
        self.key = key
        let characterSet = column.collationID.flatMap(CollationTable.characterSet(of:))
        if let characterSet, CharacterSetCodec.isDecodable(characterSet) {
            text = .decoded(characterSet: characterSet)
        } else {
            text = .base64(paddedTo: characterSet == "binary" ? column.binaryLength : 0)
        }
        let superset: Set = ["utf8mb4", "utf8mb3", "utf8", "ascii", "latin1"]
        isASCIIText = column.type.isBytes && superset.contains(characterSet ?? "")
        members = column.members.flatMap { members in
            guard let characterSet else { return nil }
            let texts = members.compactMap { CharacterSetCodec.decode($0, characterSet: characterSet) }
            return texts.count == members.count ? texts : nil
        }
    }

    func append(_ value: MySQLValue, to line: inout JSONLineBuffer) throws {
        switch value {
        case .null: line.raw("null")
        case .int(let value): line.integer(value)
        case .uint(let value), .bit(let value): line.integer(value)
        case .float(let value): line.number(Double(value), text: ServerDouble.text(value))
        case .double(let value): line.number(value, text: ServerDouble.text(value))
        case .decimal(let text), .time(let text), .datetime(let text), .timestamp(let text): line.plain(text)
        case .date(let date): line.plain(date.description)
        case .year(let year): line.plain(year == 0 ? "0000" : year.description)
        case .bytes(let bytes): append(bytes, to: &line)
        case .enumeration(let number): appendMember(number, to: &line)
        case .set(let bits): appendMembers(bits, to: &line)
        case .json(let bytes): line.bytes += try BinaryJSON.renderUTF8(bytes)
        }
    }

    private func append(_ value: [UInt8], to line: inout JSONLineBuffer) {
        switch text {
        case .decoded(let characterSet):
            guard let text = CharacterSetCodec.decode(value, characterSet: characterSet) else { return line.base64(value) }
            line.string(text)
        case .base64(let length):
            line.base64(value + [UInt8](repeating: 0, count: max(0, length - value.count)))
        }
    }

    private func appendMember(_ number: Int, to line: inout JSONLineBuffer) {
        guard let members, number <= members.count else { return line.integer(Int64(number)) }
        line.string(number == 0 ? "" : members[number - 1])
    }

    private func appendMembers(_ bits: UInt64, to line: inout JSONLineBuffer) {
        guard let members, members.count >= 64 || bits >> UInt64(members.count) == 0 else { return line.integer(bits) }
        line.string(members.indices.filter { bits >> UInt64($0) & 1 == 1 }.map { members[$0] }.joined(separator: ","))
    }

    /// An integer whose sign the log does not tell: a plain number where both readings agree, else both.
    func appendAmbiguous(signed: MySQLValue, unsigned: MySQLValue, to line: inout JSONLineBuffer) throws {
        if case .int(let value) = signed, value < 0 {
            line.raw("{\"signed\":")
            try append(signed, to: &line)
            line.raw(",\"unsigned\":")
            try append(unsigned, to: &line)
            line.raw("}")
        } else {
            try append(signed, to: &line)
        }
    }

    /// Whether the column is an integer of unknown signedness.
    var isAmbiguous: Bool {
        switch column.type {
        case .tiny, .short, .int24, .long, .longlong: column.isUnsigned == nil
        default: false
        }
    }
}
