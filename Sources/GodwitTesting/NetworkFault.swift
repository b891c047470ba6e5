/// What can happen to the network between Godwit and one server. A value; `FaultProxy` carries it out.
package struct NetworkFault: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// TCP RST, as a broken host or a firewall sends it. Bytes on their way are lost.
        case reset
        /// TCP FIN: an orderly end in the middle of whatever was being said.
        case finish
        /// No byte moves any more, and nobody says so, until `FaultProxy.release()`.
        case stall
        /// Bytes arrive in writes of a few, packets cut anywhere.
        case halve
        /// The request reaches the server, which answers; the answer is thrown away and the connection reset.
        case loseAnswer
        /// The connection is reset as soon as the request has left: nobody knows whether the server read it.
        case loseRequest
    }
    package enum Direction: String, Sendable, Hashable, CaseIterable {
        case toServer = "to the server"
        case fromServer = "from the server"
    }

    package var kind: Kind
    /// Where bytes are counted, stalled or halved. Of no meaning for `loseAnswer` and `loseRequest`.
    package var direction: Direction
    /// So many bytes still pass in this direction, over all connections, before it strikes; it may strike inside a packet.
    package var afterBytes: Int
    /// Of `reset`, `finish` and `stall`: all connections at once, as when the path is gone; else the one that met it.
    package var all: Bool
    /// Of `loseAnswer` and `loseRequest`: text inside the request (nil: any), and its how many-th coming.
    package var request: String?
    package var passing: Int

    package init(
        _ kind: Kind, _ direction: Direction = .fromServer, afterBytes: Int = 0, all: Bool = true, request: String? = nil,
        passing: Int = 1
    ) {
        self.kind = kind
        self.direction = direction
        self.afterBytes = afterBytes
        self.all = all
        self.request = request
        self.passing = passing
    }

    package var description: String {
        switch kind {
        case .loseAnswer, .loseRequest:
            let what = kind == .loseAnswer ? "answer lost" : "cut behind the request"
            return "\(what): \(request ?? "any request"), no. \(passing)"
        case .reset, .finish, .stall, .halve:
            let what =
                switch kind {
                case .reset: "RST"
                case .finish: "FIN"
                case .stall: "stalled"
                default: "halved packets"
                }
            return "\(what) \(direction.rawValue) after \(afterBytes) bytes, \(all ? "all connections" : "one connection")"
        }
    }
}
