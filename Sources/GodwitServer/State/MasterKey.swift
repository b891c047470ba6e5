import Crypto
import Foundation
import SystemPackage

/// The key under which passwords and API secrets lie in the store: 32 random bytes in a file that only its owner reads.
package struct MasterKey: Sendable {
    private let key: SymmetricKey

    /// Reads the key, or makes one where there is no file yet.
    package init(file: FilePath) throws {
        if let bytes = try Self.read(file) {
            guard bytes.count == 32 else {
                throw ServerError("\(file) holds no master key of 32 bytes.", cure: "Put the right file back: without it nothing stored can be read.")
            }
            key = SymmetricKey(data: bytes)
            return
        }
        let made = SymmetricKey(size: .bits256)
        let bytes = made.withUnsafeBytes { [UInt8]($0) }
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerRead, .ownerWrite])
        try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
        key = made
    }

    private static func read(_ file: FilePath) throws -> [UInt8]? {
        let path = file.string
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard mode & 0o077 == 0 else {
            throw ServerError("Others than its owner may read or write the master key \(file).", cure: "chmod 600 \(file)")
        }
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// - Parameter name: what the secret is for; the same must be given to open it, so that sealed values can't be exchanged.
    func seal(_ secret: String, for name: String) throws -> Data {
        let box = try AES.GCM.seal(Data(secret.utf8), using: key, authenticating: Data(name.utf8))
        guard let combined = box.combined else { throw ServerError("A secret could not be sealed.") }
        return combined
    }

    func open(_ sealed: Data, for name: String) throws -> String {
        do {
            let bytes = try AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: key, authenticating: Data(name.utf8))
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            throw ServerError("A stored secret can't be opened with this master key.", cure: "Use the master key file that belongs to this state.")
        }
    }
}

/// Why the service can't start or go on, for its operator.
package struct ServerError: Error, Sendable, CustomStringConvertible {
    package var what: String
    package var cure: String
    package init(_ what: String, cure: String = "") {
        self.what = what
        self.cure = cure
    }
    package var description: String { cure.isEmpty ? what : "\(what) \(cure)" }
}
