import NIOCore

/// What stands between a server that sends and a caller that pulls: at most `limit` bytes (and one read more) wait here.
/// A value without I/O; `Waiter` is the caller's handle.
struct DemandBuffer<Element, Waiter> {
    enum Offer {
        case deliver(Waiter, Element)
        case stored
    }
    enum Next {
        case deliver(Element)
        case end
        case fail(MySQLError)
        case wait
        /// Another caller waits already.
        case refuse
    }
    enum Finish {
        case none
        case resume(Waiter)
    }

    let limit: Int
    private var queue = CircularBuffer<(element: Element, bytes: Int)>()
    private var bufferedBytes = 0
    private var waiter: Waiter?
    private var terminal: Result<Void, MySQLError>?

    init(limit: Int = 1 << 20) { self.limit = limit }

    /// More may be read from the server.
    var wantsMore: Bool { terminal == nil && bufferedBytes < limit }
    /// The same where `partial` bytes of the next element are here already. A caller who waits gets its element, however large.
    func wants(more partial: Int) -> Bool {
        terminal == nil && (waiter != nil || bufferedBytes + partial < limit)
    }
    var isWaiting: Bool { waiter != nil }
    /// The end was received, and nothing stands before it any more.
    var isDrained: Bool { terminal != nil && queue.isEmpty }

    mutating func offer(_ element: Element, bytes: Int) -> Offer {
        if let waiter {
            self.waiter = nil
            return .deliver(waiter, element)
        }
        queue.append((element, bytes))
        bufferedBytes += bytes
        return .stored
    }

    mutating func next(_ waiter: @autoclosure () -> Waiter) -> Next {
        guard self.waiter == nil else { return .refuse }
        if let first = queue.popFirst() {
            bufferedBytes -= first.bytes
            return .deliver(first.element)
        }
        switch terminal {
        case .success: return .end
        case .failure(let error): return .fail(error)
        case nil:
            self.waiter = waiter()
            return .wait
        }
    }

    /// The end came, or an error; what was received before it is still handed out first.
    mutating func finish(_ result: Result<Void, MySQLError>) -> Finish {
        guard terminal == nil else { return .none }
        terminal = result
        guard let waiter else { return .none }
        self.waiter = nil
        return .resume(waiter)
    }
}
