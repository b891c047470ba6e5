import NIOCore

/// How long a statement may take.
struct StatementLimits: Sendable {
    /// No byte from the server for so long, while this side waits for one.
    var idle: Duration?
    /// From its start to its end.
    var total: Duration?
}

/// Watches over one statement at a time: one timer, moved only when it fires.
struct ActivityWatch {
    private var limits = StatementLimits()
    private var deadline: NIODeadline?
    private var lastActivity = NIODeadline.now()
    private var timer: Scheduled<Void>?

    mutating func touch() {
        if timer != nil { lastActivity = .now() }
    }

    mutating func stop() {
        timer?.cancel()
        timer = nil
    }

    mutating func start(_ limits: StatementLimits, on eventLoop: any EventLoop, of handler: MySQLChannelHandler) {
        stop()
        guard limits.idle != nil || limits.total != nil else { return }
        self.limits = limits
        lastActivity = .now()
        deadline = limits.total.map { lastActivity + TimeAmount($0) }
        schedule(on: eventLoop, of: handler)
    }

    private mutating func schedule(on eventLoop: any EventLoop, of handler: MySQLChannelHandler) {
        let idle = limits.idle.map { lastActivity + TimeAmount($0) }
        guard let next = [idle, deadline].compactMap(\.self).min() else { return }
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: next) { [weak handler] in
            guard let handler else { return }
            handler.watch.fired(on: eventLoop, of: handler)
        }
    }

    private mutating func fired(on eventLoop: any EventLoop, of handler: MySQLChannelHandler) {
        let now = NIODeadline.now()
        if let deadline, deadline <= now, let total = limits.total {
            return expire(handler, "The statement took longer than its limit of \(total).")
        }
        // Time that the caller takes for itself does not count.
        if !handler.isWaitingForServer { lastActivity = now }
        if let idle = limits.idle, lastActivity + TimeAmount(idle) <= now {
            return expire(handler, "No byte came from \(handler.peer) for \(idle).")
        }
        schedule(on: eventLoop, of: handler)
    }

    private mutating func expire(_ handler: MySQLChannelHandler, _ message: String) {
        timer = nil
        let error = MySQLError(
            .timeout, message, cure: "Look at the server's load and at the network, or raise the limit.")
        handler.context?.eventLoop.assumeIsolated().execute { handler.abort(error) }
    }
}

extension MySQLChannelHandler {
    /// False while the next move is the caller's.
    var isWaitingForServer: Bool {
        switch machine.current {
        case .stream(let pipe): !pipe.hasHead || pipe.buffer.isWaiting
        case .dump(let pipe): !pipe.isDumping || pipe.buffer.isWaiting
        case .file where machine.isSendingFile: context?.channel.isWritable == false
        default: true
        }
    }
}
