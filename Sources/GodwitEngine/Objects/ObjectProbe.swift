import Foundation
import MySQLWire

/// Asks the target, before anything is written, whether it understands a translated text and has the functions that it calls. Nothing
/// runs: statements are prepared only.
struct ObjectProbe {
    let target: MySQLConnection

    /// What the text is not to the target's parser. Everything else (tables that are not there yet, privileges) is for others to say.
    private static let parserCodes: Set<UInt16> = [1064, 1115, 1128, 1149, 1193, 1235, 1253, 1273, 1286, 1327, 4161]

    /// The native functions of these that the target does not have.
    func missing(_ functions: Set<String>) async throws -> Set<String> {
        var missing: Set<String> = []
        for function in functions.sorted() {
            // Wrong arguments are another error. What is not native is looked for in the session's schema, which has none.
            let code = try await code("SELECT \(function)()", mode: "")
            if code == 1305 || code == 1046 { missing.insert(function) }
        }
        return missing
    }

    /// The target's words where it does not understand the statement; nil: it does.
    func objection(_ object: ObjectDefinition) async throws -> String? {
        let text = try Self.qualified(object)
        do {
            try await prepare(text, mode: object.sqlMode ?? "")
            return nil
        } catch {
            guard error.code == .server, !error.isConnectionLost else { throw error }
            return error.serverCode.map(Self.parserCodes.contains) == true ? error.message : nil
        }
    }

    /// With the schema before the name, as views are printed: the session has no default schema.
    static func qualified(_ object: ObjectDefinition) throws -> String {
        let statement = try ObjectStatements.create(object)
        let text = String(decoding: statement, as: UTF8.self)
        guard object.kind != .view else { return text }
        let sql = try SQLText(text, quoting: SQLQuoting(modes: object.sqlMode ?? ""))
        guard let keyword = sql.tokens.indices.first(where: { sql.keyword($0) == object.kind.keyword }) else { return text }
        var name = keyword + 1
        while ["IF", "NOT", "EXISTS"].contains(sql.keyword(name)) { name += 1 }
        guard sql.tokens.indices.contains(name), sql.kind(name + 1) != .dot else { return text }
        let at = sql.tokens[name].range.lowerBound
        return String(decoding: sql.bytes[..<at], as: UTF8.self) + SQL.identifier(object.schema) + "." + String(decoding: sql.bytes[at...], as: UTF8.self)
    }

    private func code(_ text: String, mode: String) async throws -> UInt16? {
        do {
            try await prepare(text, mode: mode)
            return nil
        } catch {
            guard error.code == .server, !error.isConnectionLost, let code = error.serverCode else { throw error }
            return code
        }
    }

    /// As bytes: what quotes and backslashes mean is the text's own mode.
    private func prepare(_ text: String, mode: String) async throws(MySQLError) {
        let hex = text.utf8.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        let own = try await target.query("SELECT @@SESSION.sql_mode").rows.first?.string(0) ?? ""
        try await target.query("SET @godwit_text = CONVERT(0x\(hex) USING utf8mb4)")
        try await target.query("SET SESSION sql_mode = \(SQL.string(mode))")
        do {
            try await target.query("PREPARE godwit_probe FROM @godwit_text")
            try await target.query("DEALLOCATE PREPARE godwit_probe")
        } catch {
            if target.isOpen { try await target.query("SET SESSION sql_mode = \(SQL.string(own))") }
            throw error
        }
        try await target.query("SET SESSION sql_mode = \(SQL.string(own))")
    }
}
