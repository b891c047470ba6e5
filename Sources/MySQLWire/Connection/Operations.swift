import NIOCore

/// Who waits for what. All of these live on the connection's event loop.
enum Operation {
    case startup(EventLoopPromise<Void>)
    case collect(Collector)
    case stream(RowPipe)
    case file(FileUpload)
    case dump(EventPipe)

    /// Nobody is left waiting.
    func fail(_ error: MySQLError) {
        switch self {
        case .startup(let promise): promise.fail(error)
        case .collect(let collector): collector.promise.fail(error)
        case .stream(let pipe): pipe.finish(.failure(error))
        case .file(let upload): upload.fail(error)
        case .dump(let pipe): pipe.finish(.failure(error))
        }
    }
}

/// A result as it came, decoded by the caller's task and not on the event loop.
struct CollectedResult: Sendable {
    var columns: [MySQLColumn] = []
    var batches: [MySQLRowBatch] = []
    var ok: MySQLOK
}

final class Collector {
    /// What is left to do of a prepared statement's run.
    struct Prepared {
        var parameters: [MySQLParameter]
        var statement: UInt32?
    }
    let promise: EventLoopPromise<CollectedResult>
    var prepared: Prepared?
    private var columns: [MySQLColumn]?
    private var batches: [MySQLRowBatch] = []
    private var results = 0

    init(_ promise: EventLoopPromise<CollectedResult>, prepared: Prepared? = nil) {
        self.promise = promise
        self.prepared = prepared
    }

    /// Of a statement with several results (CALL) the first with columns counts.
    func head(_ columns: [MySQLColumn]) {
        results += 1
        if self.columns == nil { self.columns = columns }
    }
    func rows(_ batch: MySQLRowBatch) {
        if results == 1 { batches.append(batch) }
    }
    func finish(_ ok: MySQLOK) {
        promise.succeed(CollectedResult(columns: columns ?? [], batches: batches, ok: ok))
    }
}

final class RowPipe {
    let head: EventLoopPromise<[MySQLColumn]>
    var buffer = DemandBuffer<MySQLRowBatch, EventLoopPromise<MySQLRowBatch?>>()
    var hasHead = false
    /// The caller was told of the end, or of an error.
    var endSeen = false

    init(head: EventLoopPromise<[MySQLColumn]>) { self.head = head }

    func offer(_ batch: MySQLRowBatch) {
        if case .deliver(let waiter, let element) = buffer.offer(batch, bytes: batch.bytes.readableBytes) {
            waiter.succeed(element)
        }
    }

    func next(_ promise: EventLoopPromise<MySQLRowBatch?>) {
        switch buffer.next(promise) {
        case .deliver(let batch): promise.succeed(batch)
        case .end:
            endSeen = true
            promise.succeed(nil)
        case .fail(let error):
            endSeen = true
            promise.fail(error)
        case .wait: break
        case .refuse: promise.fail(MySQLError(.usage, "Two tasks pull from one row stream."))
        }
    }

    func finish(_ result: Result<Void, MySQLError>) {
        if case .failure(let error) = result { head.fail(error) } else { head.succeed([]) }
        if case .resume(let waiter) = buffer.finish(result) { next(waiter) }
    }
}

final class EventPipe {
    let start: EventLoopPromise<Void>
    let dump: ByteBuffer
    var isDumping = false
    var buffer = DemandBuffer<[[UInt8]], EventLoopPromise<[[UInt8]]?>>()

    init(start: EventLoopPromise<Void>, dump: ByteBuffer) {
        self.start = start
        self.dump = dump
    }

    func offer(_ events: [[UInt8]]) {
        let bytes = events.reduce(0) { $0 + $1.count }
        if case .deliver(let waiter, let element) = buffer.offer(events, bytes: bytes) { waiter.succeed(element) }
    }

    func next(_ promise: EventLoopPromise<[[UInt8]]?>) {
        switch buffer.next(promise) {
        case .deliver(let events): promise.succeed(events)
        case .end: promise.succeed(nil)
        case .fail(let error): promise.fail(error)
        case .wait: break
        case .refuse: promise.fail(MySQLError(.usage, "Two tasks pull from one binlog stream."))
        }
    }

    func finish(_ result: Result<Void, MySQLError>) {
        if case .failure(let error) = result { start.fail(error) } else { start.succeed(()) }
        if case .resume(let waiter) = buffer.finish(result) { next(waiter) }
    }
}

final class FileUpload {
    let start: EventLoopPromise<Void>
    /// Set when the caller's file has ended.
    var result: EventLoopPromise<MySQLOK>?
    var waitingForSocket: [EventLoopPromise<Void>] = []

    init(start: EventLoopPromise<Void>) { self.start = start }

    func fail(_ error: MySQLError) {
        start.fail(error)
        result?.fail(error)
        let waiting = waitingForSocket
        waitingForSocket = []
        for promise in waiting { promise.fail(error) }
    }

    func socketIsWritable() {
        let waiting = waitingForSocket
        waitingForSocket = []
        for promise in waiting { promise.succeed(()) }
    }
}
