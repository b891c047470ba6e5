import Foundation
import NIOCore
import NIOPosix

/// Who is connected to a port of this host right now: a firewall would cut them off. Source: proc(5), /proc/net/tcp.
package enum PortPeers {
    /// The addresses of other hosts with an established connection to the port, each once.
    package static func connected(to port: Int) throws -> [NetworkAddress] {
        var own: Set<[UInt8]> = []
        for device in try System.enumerateDevices() {
            if let text = device.address?.ipAddress, let address = try? NetworkAddress(String(text.prefix { $0 != "%" })) { own.insert(address.bytes) }
        }
        var peers: [NetworkAddress] = []
        for name in ["tcp", "tcp6"] {
            let file = "/proc/net/\(name)"
            // Without IPv6 there is no such list. One that cannot be read would look like nobody's.
            if name == "tcp6", !FileManager.default.fileExists(atPath: file) { continue }
            let text: String
            do { text = try String(contentsOfFile: file, encoding: .utf8) } catch {
                throw HostError(
                    .failed, "Who is connected to port \(port) can't be told: \(file) can't be read (\(error.localizedDescription)).",
                    why: "The firewall would cut off whoever is.", cure: "Give --cut-others where nobody else needs the port.")
            }
            for peer in parse(text, port: port) where !own.contains(peer.bytes) && !isLoopback(peer) && !peers.contains(peer) {
                peers.append(peer)
            }
        }
        return peers
    }

    static func isLoopback(_ address: NetworkAddress) -> Bool {
        address.family == .v4 ? address.bytes[0] == 127 : address.bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    static func parse(_ text: String, port: Int) -> [NetworkAddress] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            // Number, local and remote address, state; 01 is established.
            guard fields.count > 3, fields[3] == "01", fields[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) }) == port,
                let remote = fields[2].split(separator: ":").first
            else { return nil }
            return address(remote)
        }
    }

    /// Words of four bytes, each printed as this machine's number.
    private static func address(_ text: Substring) -> NetworkAddress? {
        var bytes: [UInt8] = []
        var rest = text
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16), rest.count >= 8 else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
            rest = rest.dropFirst(8)
        }
        if bytes.count == 16, bytes.starts(with: NetworkAddress.mapped) { bytes.removeFirst(12) }
        switch bytes.count {
        case 4: return NetworkAddress(.v4, bytes, prefix: 32)
        case 16: return NetworkAddress(.v6, bytes, prefix: 128)
        default: return nil
        }
    }
}
