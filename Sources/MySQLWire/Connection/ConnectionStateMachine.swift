import NIOCore

/// A connection from its first packet to its end: who may send what, and whom an answer belongs to. A value without I/O;
/// `Context` is the caller's handle, handed back exactly once.
struct ConnectionStateMachine<Context> {
    enum Begin {
        case send
        case refuse(Context, MySQLError)
    }

    enum Received {
        case wait
        case startup(StartupMachine.Action)
        case authenticated(Context)
        case head([MySQLColumn])
        case prepared(statement: UInt32, parameters: Int)
        case sendFile
        case finished(Context, MySQLOK)
        case failed(Context, MySQLError)
        /// Close; the context, if there is one, gets the error.
        case broken(Context?, MySQLError, reply: ByteBuffer?)
    }

    private enum State {
        case starting(StartupMachine, Context)
        case idle
        case running(ResponseMachine, what: String, Context)
        case closed(MySQLError)
    }

    private var state: State
    private var deprecateEOF = false

    init(startup: StartupMachine.Settings, context: Context) {
        state = .starting(StartupMachine(settings: startup), context)
    }

    var framing: ResponseMachine.Framing {
        switch state {
        case .running(let response, _, _): response.framing
        default: .packets
        }
    }
    var isIdle: Bool { if case .idle = state { true } else { false } }
    var isClosed: Bool { if case .closed = state { true } else { false } }
    var isStarting: Bool { if case .starting = state { true } else { false } }
    var isSendingFile: Bool { if case .running(let response, _, _) = state { response.isSendingFile } else { false } }
    /// Facts from the handshake; nil before it and after the start.
    var handshake: InitialHandshake? { if case .starting(let startup, _) = state { startup.handshake } else { nil } }
    /// The caller's handle of what runs now.
    var current: Context? {
        switch state {
        case .starting(_, let context), .running(_, _, let context): context
        case .idle, .closed: nil
        }
    }
    /// What runs now, for messages.
    var running: String? { if case .running(_, let what, _) = state { what } else { nil } }

    mutating func begin(_ expectation: ResponseMachine.Expectation, what: String, context: Context) -> Begin {
        switch state {
        case .idle:
            state = .running(
                ResponseMachine(expecting: expectation, deprecateEOF: deprecateEOF), what: what, context)
            return .send
        case .closed(let error):
            return .refuse(context, Self.closed(error))
        case .starting:
            return .refuse(context, Self.busy("the login"))
        case .running(_, let what, _):
            return .refuse(context, Self.busy(what))
        }
    }

    /// The running caller goes on with another command (execute after prepare, dump after registration).
    mutating func proceed(_ expectation: ResponseMachine.Expectation) {
        switch state {
        case .running(_, let what, let context):
            state = .running(
                ResponseMachine(expecting: expectation, deprecateEOF: deprecateEOF), what: what, context)
        case .starting, .idle, .closed: break
        }
    }

    /// What runs is over before its last command was sent; its caller is told by whoever calls this.
    mutating func release() {
        switch state {
        case .running: state = .idle
        case .starting, .idle, .closed: break
        }
    }

    mutating func tlsEstablished() -> StartupMachine.Action {
        switch state {
        case .starting(var startup, let context):
            let action = startup.tlsEstablished()
            state = .starting(startup, context)
            return action
        case .idle, .running, .closed:
            return .wait
        }
    }

    mutating func fileSent() {
        switch state {
        case .running(var response, let what, let context):
            response.fileSent()
            state = .running(response, what: what, context)
        case .starting, .idle, .closed: break
        }
    }

    mutating func received(_ packet: ByteBuffer) -> Received {
        switch state {
        case .starting(var startup, let context):
            switch startup.received(packet) {
            case .authenticated:
                deprecateEOF = startup.capabilities.contains(.deprecateEOF)
                state = .idle
                return .authenticated(context)
            case .fail(let error):
                state = .closed(error)
                return .broken(context, error, reply: nil)
            case let action:
                state = .starting(startup, context)
                return .startup(action)
            }
        case .idle:
            let isError = packet.getInteger(at: packet.readerIndex, as: UInt8.self) == 0xFF
            let error = isError ? MySQLError(decodingServerError: packet) : .malformed("a packet nobody asked for")
            state = .closed(error)
            return .broken(nil, error, reply: nil)
        case .running(var response, let what, let context):
            // The one reference to the columns read so far must be this one, or each would copy all.
            state = .idle
            return after(response.received(packet), response, what, context)
        case .closed:
            return .wait
        }
    }

    private mutating func after(
        _ action: ResponseMachine.Action, _ response: ResponseMachine, _ what: String, _ context: Context
    ) -> Received {
        switch action {
        case .finished(let ok):
            state = .idle
            return .finished(context, ok)
        case .failed(let error):
            state = .idle
            return .failed(context, error)
        case .broken(let error, let reply):
            state = .closed(error)
            return .broken(context, error, reply: reply)
        case .wait:
            state = .running(response, what: what, context)
            return .wait
        case .head(let columns):
            state = .running(response, what: what, context)
            return .head(columns)
        case .prepared(let statement, _, let parameters):
            state = .running(response, what: what, context)
            return .prepared(statement: statement, parameters: parameters)
        case .sendFile:
            state = .running(response, what: what, context)
            return .sendFile
        }
    }

    /// The connection is gone, or is to be closed for this reason. The caller waiting, if there is one, gets the error
    /// returned with its handle; nil: it was closed before.
    mutating func close(_ reason: MySQLError) -> (context: Context?, error: MySQLError)? {
        switch state {
        case .starting(_, let context):
            var error = reason
            if reason.code == .connectionClosed { error.message += " The login was not complete." }
            state = .closed(error)
            return (context, error)
        case .running(_, let what, let context):
            var error = reason
            if reason.code == .connectionClosed || reason.code == .timeout || reason.code == .cancelled {
                error.message += " It was running: \(what)."
            }
            state = .closed(reason)
            return (context, error)
        case .idle:
            state = .closed(reason)
            return (nil, reason)
        case .closed:
            return nil
        }
    }

    private static func closed(_ reason: MySQLError) -> MySQLError {
        MySQLError(
            .connectionClosed, "The connection is closed already: \(reason.message)", cure: reason.cure,
            serverCode: reason.serverCode, sqlState: reason.sqlState)
    }

    private static func busy(_ what: String) -> MySQLError {
        MySQLError(
            .usage, "The connection is busy with \(what).",
            cure: "Await each call before the next, or use another connection.")
    }
}
