import NIOCore

/// What the connection's methods ask for, on the event loop.
extension MySQLChannelHandler {
    /// Runs a text statement or, with `prepared`, a binary one, and collects all of the result.
    func collect(
        _ payload: ByteBuffer, what: String, prepared: Collector.Prepared?, limits: StatementLimits,
        promise: EventLoopPromise<CollectedResult>
    ) {
        let collector = Collector(promise, prepared: prepared)
        begin(prepared == nil ? .results : .prepare, payload, what: what, limits: limits, .collect(collector))
    }

    func stream(_ payload: ByteBuffer, what: String, limits: StatementLimits, pipe: RowPipe) {
        begin(.oneResult, payload, what: what, limits: limits, .stream(pipe))
    }

    func load(_ payload: ByteBuffer, what: String, limits: StatementLimits, upload: FileUpload) {
        begin(.file, payload, what: what, limits: limits, .file(upload))
    }

    /// Registers as a replica, then dumps.
    func dump(serverID: UInt32, limits: StatementLimits, pipe: EventPipe) {
        let payload = Command.registerReplica(serverID: serverID)
        begin(.acknowledgement, payload, what: "a binlog dump", limits: limits, .dump(pipe))
    }

    func begin(
        _ expectation: ResponseMachine.Expectation, _ payload: ByteBuffer, what: String, limits: StatementLimits,
        _ operation: Operation
    ) {
        switch machine.begin(expectation, what: what, context: operation) {
        case .refuse(let operation, let error):
            operation.fail(error)
        case .send:
            sendCommand(payload)
            if let context { watch.start(limits, on: context.eventLoop, of: self) }
            readIfWanted()
        }
    }

    func prepared(_ statement: UInt32, parameters: Int) {
        guard case .collect(let collector) = machine.current, var prepared = collector.prepared else { return }
        prepared.statement = statement
        collector.prepared = prepared
        guard parameters == prepared.parameters.count else {
            machine.release()
            closeStatement(of: collector)
            collector.promise.fail(
                MySQLError(
                    .usage, "The statement has \(parameters) parameters, and \(prepared.parameters.count) were given."))
            return
        }
        machine.proceed(.results)
        sendCommand(Command.execute(statement, prepared.parameters))
    }

    /// COM_STMT_CLOSE has no answer.
    func closeStatement(of collector: Collector) {
        guard let statement = collector.prepared?.statement else { return }
        sendCommand(Command.closeStatement(statement))
    }

    /// Sends a piece of the file; the promise is kept when more may be written.
    func upload(_ bytes: ByteBuffer, to upload: FileUpload, promise: EventLoopPromise<Void>) {
        guard let context, machine.isSendingFile, case .file(let current) = machine.current, current === upload else {
            return promise.fail(lastError ?? MySQLError(.usage, "The file has ended already."))
        }
        var bytes = bytes
        // An empty packet would end the file.
        while bytes.readableBytes > 0, let piece = bytes.readSlice(length: min(bytes.readableBytes, 1 << 18)) {
            for packet in PacketWriter.packets(piece, sequence: &framer.sequence) {
                context.write(wrapOutboundOut(packet), promise: nil)
            }
        }
        context.flush()
        watch.touch()
        if machine.isClosed {
            promise.fail(lastError ?? MySQLError(.connectionClosed, "The connection was lost."))
        } else if context.channel.isWritable {
            promise.succeed(())
        } else {
            upload.waitingForSocket.append(promise)
        }
    }

    func finishUpload(_ upload: FileUpload, promise: EventLoopPromise<MySQLOK>) {
        guard machine.isSendingFile, case .file(let current) = machine.current, current === upload else {
            return promise.fail(lastError ?? MySQLError(.usage, "The file has ended already."))
        }
        upload.result = promise
        machine.fileSent()
        send(ByteBuffer())
    }

    func nextRows(_ pipe: RowPipe, promise: EventLoopPromise<MySQLRowBatch?>) {
        watch.touch()
        pipe.next(promise)
        readIfWanted()
    }

    /// With `timeout`: no byte from the server for so long ends the connection.
    func nextEvents(_ pipe: EventPipe, timeout: Duration?, promise: EventLoopPromise<[[UInt8]]?>) {
        watch.touch()
        pipe.next(promise)
        if let context { watch.start(StatementLimits(idle: timeout), on: context.eventLoop, of: self) }
        readIfWanted()
    }

    /// COM_QUIT where it is allowed, and the end.
    func quit() {
        let wasIdle = machine.isIdle
        guard let context, !machine.isClosed else { return closeNow() }
        let reason = MySQLError(.usage, "The connection was closed by this side.")
        guard wasIdle else { return abort(reason) }
        _ = machine.close(reason)
        lastError = reason
        sendCommand(Command.quit)
        let late = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(500)) { self.closeNow() }
        context.channel.closeFuture.whenComplete { _ in late.cancel() }
        context.close(mode: .all, promise: nil)
        readIfWanted()
    }

    /// A caller left its stream: what the server still sends is of no use to anyone.
    func leave(_ pipe: RowPipe) {
        guard !pipe.endSeen else { return }
        abort(MySQLError(.connectionClosed, "The connection was closed, since a result was left before its end."))
    }
}
