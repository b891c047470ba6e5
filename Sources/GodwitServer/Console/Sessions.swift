import Crypto
import Foundation
import Synchronization

/// Who is signed in, and the one link that signs in without a key. Only hashes of tokens are kept, in memory: a service that starts again
/// asks everybody to sign in again.
final class Sessions: Sendable {
    static let linkSeconds = 600.0
    /// Since the sign-in, and since the last request.
    static let longest = 12 * 3600.0
    static let idle = 2 * 3600.0

    struct Session: Sendable, Equatable {
        /// Bound to the session: what every form sends back.
        var csrf: String
        /// Who: an access key, or the link.
        var name: String
        var began: Double
        var last: Double
    }

    private struct Kept {
        var link: (hash: SHA256.Digest, until: Double)?
        var sessions: [SHA256.Digest: Session] = [:]
    }
    private let kept = Mutex(Kept())
    private let now: @Sendable () -> Double

    init(now: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }) { self.now = now }

    /// 256 random bits, safe in an address.
    static func token() -> String {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
        return Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func hash(_ token: String) -> SHA256.Digest { SHA256.hash(data: Data(token.utf8)) }

    /// Two texts are the same; it takes as long whatever they are.
    static func same(_ left: String, _ right: String) -> Bool { hash(left) == hash(right) }

    /// The token of a new link; an older one is good no more.
    func newLink() -> String {
        let token = Self.token()
        kept.withLock { $0.link = (Self.hash(token), now() + Self.linkSeconds) }
        return token
    }

    /// The token of a session where the link is good; it is used up by that.
    func signIn(link: String) -> String? {
        let isGood = kept.withLock { kept in
            guard let known = kept.link, known.hash == Self.hash(link), now() < known.until else { return false }
            kept.link = nil
            return true
        }
        return isGood ? begin("link") : nil
    }

    /// - Parameter name: whose key was shown to be right.
    func begin(_ name: String) -> String {
        let token = Self.token()
        kept.withLock { kept in
            let now = now()
            kept.sessions = kept.sessions.filter { Self.isAlive($0.value, now) }
            kept.sessions[Self.hash(token)] = Session(csrf: Self.token(), name: name, began: now, last: now)
        }
        return token
    }

    /// - Parameter isUse: a request of its user; a page that renews itself is none.
    func find(_ token: String, isUse: Bool = true) -> Session? {
        kept.withLock { kept in
            let (hash, now) = (Self.hash(token), now())
            guard var session = kept.sessions[hash] else { return nil }
            guard Self.isAlive(session, now) else {
                kept.sessions[hash] = nil
                return nil
            }
            if isUse {
                session.last = now
                kept.sessions[hash] = session
            }
            return session
        }
    }

    func end(_ token: String) { kept.withLock { _ = $0.sessions.removeValue(forKey: Self.hash(token)) } }

    private static func isAlive(_ session: Session, _ now: Double) -> Bool {
        now < session.began + longest && now < session.last + idle
    }
}
