import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// Who may read `/healthz` and `/metrics`: on loopback everyone, elsewhere whoever has a key. What scrapes metrics speaks HTTP Basic
/// (RFC 7617), not AWS signatures: the access key is the user, its secret the password.
struct MonitoringDoor: Sendable {
    let store: StateStore
    let isOpen: Bool

    /// The answer to who may not; nil: come in.
    func refusal(_ authorization: String?) throws -> Response? {
        if isOpen { return nil }
        if let authorization, try isKnown(authorization) { return nil }
        return Response(
            status: .unauthorized, headers: [.wwwAuthenticate: "Basic realm=\"godwit\", charset=\"UTF-8\"", .contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: "Sign in with a key: the access key as user, its secret as password.\n")))
    }

    private func isKnown(_ authorization: String) throws -> Bool {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic",
            let pair = Data(base64Encoded: parts[1].trimmingCharacters(in: .whitespaces)).map({ String(decoding: $0, as: UTF8.self) }),
            let colon = pair.firstIndex(of: ":")
        else { return false }
        let wanted = try store.secret(ofKey: String(pair[..<colon]))
        // As long for an unknown key and a wrong secret: hashes are compared, and all of their bytes.
        let left = SHA256.hash(data: Data((wanted ?? UUID().uuidString).utf8))
        let right = SHA256.hash(data: Data(pair[pair.index(after: colon)...].utf8))
        return left == right && wanted != nil
    }
}
