import Foundation
import Synchronization

/// TCP ports on 127.0.0.1 that nobody listens on.
///
/// Taken from below the kernel's range for outgoing connections (`ip_local_port_range`, 32768 and up): a server that is
/// killed and started again needs its port back, and a port that bind(0) hands out may meanwhile become the local port
/// of any client, even of one that tries to reach that very server (a connection to itself).
package enum FreePort {
    private static let handedOut = Mutex<Set<Int>>([])

    /// A port that was free a moment ago. Another process may take it first: whoever starts a server on it tries again.
    package static func next() throws -> Int {
        for _ in 0..<1000 {
            let port = Int.random(in: 12_000..<32_000)
            guard handedOut.withLock({ $0.insert(port).inserted }) else { continue }
            if isFree(port) { return port }
        }
        throw TestingError("no free TCP port between 12000 and 32000")
    }

    /// Can the port be bound now?
    package static func isFree(_ port: Int) -> Bool {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        // The C interface of bind takes no other form; nothing of a test's input passes here.
        return withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
