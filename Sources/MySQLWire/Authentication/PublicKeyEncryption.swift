import CryptoExtras

enum PublicKeyEncryption {
    /// The password, NUL-terminated, XORed with the nonce, under RSA-OAEP (SHA-1) with the server's key.
    /// Source: MySQL source documentation, "Caching_sha2_password information".
    static func encrypt(password: [UInt8], nonce: [UInt8], publicKeyPEM: String) throws(MySQLError) -> [UInt8] {
        let plain = Scramble.xor(password + [0], nonce)
        do {
            let key = try _RSA.Encryption.PublicKey(pemRepresentation: publicKeyPEM)
            return Array(try key.encrypt(plain, padding: .PKCS1_OAEP))
        } catch {
            throw MySQLError(
                .authentication, "The server's RSA public key could not be used.",
                cure: "Connect with TLS instead of public key retrieval.")
        }
    }
}
