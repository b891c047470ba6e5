/// How a connection is encrypted and what of the server is verified. Never falls back to less than asked for.
public struct MySQLTLS: Sendable, Hashable {
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Plain TCP.
        case disabled
        /// Encrypted, the server is not verified.
        case required
        /// Encrypted, the certificate chain is verified, the name is not.
        case verifyCA = "verify-ca"
        /// Encrypted, chain and name (or IP address) are verified.
        case verifyIdentity = "verify-identity"
    }
    public var mode: Mode
    /// PEM files; nil CA: the system's roots.
    public var caFile: String?
    public var certificateFile: String?
    public var keyFile: String?
    public init(mode: Mode, caFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil) {
        self.mode = mode
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
    public static let disabled = MySQLTLS(mode: .disabled)
}
