import Crypto

/// The authentication methods this client speaks, and the names of those it refuses.
enum AuthenticationPlugin: Sendable, Hashable {
    case cachingSHA2Password
    case nativePassword
    /// Sends the password as it is; always refused.
    case clearPassword
    case other(String)

    init(name: String) {
        switch name {
        case "caching_sha2_password": self = .cachingSHA2Password
        case "mysql_native_password": self = .nativePassword
        case "mysql_clear_password": self = .clearPassword
        default: self = .other(name)
        }
    }

    var name: String {
        switch self {
        case .cachingSHA2Password: "caching_sha2_password"
        case .nativePassword: "mysql_native_password"
        case .clearPassword: "mysql_clear_password"
        case .other(let name): name
        }
    }
}

/// A password that prints as asterisks, wherever it is printed.
struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let bytes: [UInt8]
    init(_ text: String?) { bytes = Array((text ?? "").utf8) }
    var description: String { "***" }
    var debugDescription: String { "***" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// The challenge answers. An empty password is answered with nothing.
enum Scramble {
    /// `SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password)))`.
    /// Source: MySQL source documentation, "Native Authentication".
    static func native(password: [UInt8], nonce: [UInt8]) -> [UInt8] {
        guard !password.isEmpty else { return [] }
        let once = Array(Insecure.SHA1.hash(data: password))
        let twice = Array(Insecure.SHA1.hash(data: once))
        return xor(once, Array(Insecure.SHA1.hash(data: nonce + twice)))
    }

    /// `SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce)`.
    /// Source: MySQL source documentation, "Caching_sha2_password information".
    static func cachingSHA2(password: [UInt8], nonce: [UInt8]) -> [UInt8] {
        guard !password.isEmpty else { return [] }
        let once = Array(SHA256.hash(data: password))
        let twice = Array(SHA256.hash(data: once))
        return xor(once, Array(SHA256.hash(data: twice + nonce)))
    }

    /// `bytes` XOR `key`, the key repeated as often as needed.
    static func xor(_ bytes: [UInt8], _ key: [UInt8]) -> [UInt8] {
        guard !key.isEmpty else { return bytes }
        return bytes.enumerated().map { $0.element ^ key[$0.offset % key.count] }
    }
}
