import Foundation

/// One JSON object on one line, keys sorted, so that the output is stable.
enum JSONLine {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// The last line of a command that failed, with `--json`.
struct ErrorJSON: Encodable {
    let type = "error"
    /// The whole sentence.
    var error: String
    /// usage, plan, failed, resumable, unequal.
    var kind: String
    var exitCode: Int32
    enum CodingKeys: String, CodingKey {
        case type, error, kind
        case exitCode = "exit_code"
    }
}
