import NIOCore
import Testing

@testable import MySQLWire

/// Statements as dialogues, without a socket.
@Suite struct ConnectionStateMachineTests {
    private func ready(deprecateEOF: Bool = true) -> ConnectionStateMachine<String> {
        let settings = StartupMachine.Settings(
            username: "u", password: Secret(nil), database: nil, tls: false, isLocalSocket: false,
            allowPublicKeyRetrieval: false, foundRows: false)
        var machine = ConnectionStateMachine(startup: settings, context: "login")
        var capabilities = Capabilities.wanted
        if !deprecateEOF { capabilities.remove(.deprecateEOF) }
        _ = machine.received(PacketBuilder.handshake(capabilities: capabilities))
        guard case .authenticated("login") = machine.received(PacketBuilder.ok()) else {
            Issue.record("no login")
            return machine
        }
        return machine
    }

    /// The action's name and what it carries, to compare by eye.
    private func text(_ received: ConnectionStateMachine<String>.Received) -> String {
        switch received {
        case .wait: "wait"
        case .startup: "startup"
        case .authenticated(let context): "authenticated \(context)"
        case .head(let columns): "head \(columns.map(\.name).joined(separator: ","))"
        case .prepared(let statement, let parameters): "prepared \(statement) \(parameters)"
        case .sendFile: "sendFile"
        case .finished(let context, let ok): "finished \(context) \(ok.affectedRows)"
        case .failed(let context, let error): "failed \(context) \(error.serverCode ?? 0)"
        case .broken(let context, let error, let reply):
            "broken \(context ?? "-") \(error.code)\(reply.map { " reply \($0.readableBytes)" } ?? "")"
        }
    }

    private func begin(
        _ machine: inout ConnectionStateMachine<String>, _ expectation: ResponseMachine.Expectation,
        _ context: String = "q"
    ) -> String {
        switch machine.begin(expectation, what: "SELECT", context: context) {
        case .send: "send"
        case .refuse(let context, let error): "refuse \(context) \(error.code)"
        }
    }

    @Test(arguments: [true, false]) func result(_ deprecateEOF: Bool) {
        var machine = ready(deprecateEOF: deprecateEOF)
        #expect(begin(&machine, .results) == "send")
        #expect(text(machine.received(PacketBuilder.bytes(2))) == "wait")
        #expect(text(machine.received(PacketBuilder.column("a"))) == "wait")
        if deprecateEOF {
            #expect(text(machine.received(PacketBuilder.column("b"))) == "head a,b")
        } else {
            #expect(text(machine.received(PacketBuilder.column("b"))) == "wait")
            #expect(text(machine.received(PacketBuilder.eof())) == "head a,b")
        }
        #expect(machine.framing == .rows)
        let end = deprecateEOF ? PacketBuilder.ok(header: 0xFE) : PacketBuilder.eof()
        #expect(text(machine.received(end)) == "finished q 0")
        #expect(machine.isIdle)
        #expect(machine.framing == .packets)
    }

    @Test func errorAmongTheRowsLeavesTheConnectionGood() {
        var machine = ready()
        _ = begin(&machine, .oneResult)
        _ = machine.received(PacketBuilder.bytes(1))
        _ = machine.received(PacketBuilder.column("a"))
        #expect(text(machine.received(PacketBuilder.error(1242))) == "failed q 1242")
        #expect(begin(&machine, .results) == "send")
    }

    @Test func severalResultsOfACall() {
        var machine = ready()
        _ = begin(&machine, .results)
        _ = machine.received(PacketBuilder.bytes(1))
        _ = machine.received(PacketBuilder.column("a"))
        #expect(text(machine.received(PacketBuilder.ok(header: 0xFE, status: 0x000A))) == "wait")
        #expect(text(machine.received(PacketBuilder.ok(affected: 3))) == "finished q 3")
    }

    @Test func aStreamHasOneResult() {
        var machine = ready()
        _ = begin(&machine, .oneResult)
        for _ in 0..<1 {
            _ = machine.received(PacketBuilder.bytes(1))
            _ = machine.received(PacketBuilder.column("a"))
            _ = machine.received(PacketBuilder.ok(header: 0xFE, status: 0x000A))
        }
        #expect(text(machine.received(PacketBuilder.bytes(1))) == "broken q usage")
    }

    @Test(arguments: [ResponseMachine.Expectation.results, .oneResult, .prepare, .acknowledgement])
    func unbiddenFileRequestIsAnsweredWithNothingAndTheEnd(_ expectation: ResponseMachine.Expectation) {
        var machine = ready()
        _ = begin(&machine, expectation)
        let request = ByteBuffer(bytes: [0xFB] + Array("/etc/passwd".utf8))
        let answer = text(machine.received(request))
        #expect(answer.hasPrefix("broken q protocolViolation"))
        if expectation != .prepare { #expect(answer == "broken q protocolViolation reply 0") }
        #expect(machine.isClosed)
    }

    @Test func fileIsSentOnlyWhenAskedFor() {
        var machine = ready()
        _ = begin(&machine, .file)
        #expect(!machine.isSendingFile)
        #expect(text(machine.received(ByteBuffer(bytes: [0xFB, 0x78]))) == "sendFile")
        #expect(machine.isSendingFile)
        machine.fileSent()
        #expect(!machine.isSendingFile)
        #expect(text(machine.received(PacketBuilder.ok(affected: 9))) == "finished q 9")
    }

    @Test func errorWhileTheFileIsSentEndsTheConnection() {
        var machine = ready()
        _ = begin(&machine, .file)
        _ = machine.received(ByteBuffer(bytes: [0xFB, 0x78]))
        #expect(text(machine.received(PacketBuilder.error(1317))) == "broken q server")
        #expect(machine.isClosed)
    }

    @Test(arguments: [true, false]) func prepare(_ deprecateEOF: Bool) {
        var machine = ready(deprecateEOF: deprecateEOF)
        _ = begin(&machine, .prepare)
        // Statement 5, one column, two parameters.
        let header = PacketBuilder.bytes(0, 5, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0)
        var answers = [text(machine.received(header))]
        for packet in [
            PacketBuilder.column("?"), PacketBuilder.column("?"), deprecateEOF ? nil : PacketBuilder.eof(),
            PacketBuilder.column("a"), deprecateEOF ? nil : PacketBuilder.eof(),
        ].compactMap(\.self) { answers.append(text(machine.received(packet))) }
        #expect(answers.dropLast().allSatisfy { $0 == "wait" })
        #expect(answers.last == "prepared 5 2")
        machine.proceed(.results)
        #expect(text(machine.received(PacketBuilder.ok(affected: 1))) == "finished q 1")
    }

    @Test func oneAfterTheOther() {
        var machine = ready()
        #expect(begin(&machine, .results, "first") == "send")
        #expect(begin(&machine, .results, "second") == "refuse second usage")
        #expect(text(machine.received(PacketBuilder.ok())) == "finished first 0")
        #expect(begin(&machine, .results, "third") == "send")
    }

    @Test func lossIsToldOnceAndWithWhatRan() {
        var machine = ready()
        _ = begin(&machine, .results)
        let lost = machine.close(MySQLError(.connectionClosed, "gone."))
        #expect(lost?.context == "q")
        #expect(lost?.error.message == "gone. It was running: SELECT.")
        #expect(machine.close(MySQLError(.connectionClosed, "again")) == nil)
        #expect(begin(&machine, .results, "later") == "refuse later connectionClosed")
        #expect(text(machine.received(PacketBuilder.ok())) == "wait")
    }

    @Test func aPacketWhileIdleEndsTheConnection() {
        var error = ready()
        #expect(text(error.received(PacketBuilder.error(4031))) == "broken - server")
        var other = ready()
        #expect(text(other.received(PacketBuilder.ok())) == "broken - protocolViolation")
        #expect(other.isClosed)
    }

    @Test func events() {
        var machine = ready()
        _ = begin(&machine, .events)
        #expect(machine.framing == .events)
        #expect(text(machine.received(PacketBuilder.eof())) == "finished q 0")
        _ = begin(&machine, .events)
        #expect(text(machine.received(PacketBuilder.error(1236, state: "HY000"))) == "broken q server")
    }

    /// Whatever bytes come in whatever state: an answer, never a trap, and the caller's handle comes back at most once.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func noiseNeverTraps(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var machine = ready(deprecateEOF: seed % 2 == 0)
        let kinds: [ResponseMachine.Expectation] = [.results, .oneResult, .file, .prepare, .acknowledgement, .events]
        _ = begin(&machine, kinds[Int(seed) % kinds.count])
        var returned = 0
        let known = [
            PacketBuilder.bytes(1), PacketBuilder.column("a"), PacketBuilder.ok(), PacketBuilder.eof(),
            PacketBuilder.ok(header: 0xFE, status: 0x000A), PacketBuilder.error(), PacketBuilder.bytes(0xFB),
            PacketBuilder.bytes(0, 5, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0), PacketBuilder.bytes(), PacketBuilder.bytes(0xFE),
        ]
        for _ in 0..<30 {
            let noise = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            let packet = Bool.random(using: &random) ? known.randomElement(using: &random) : ByteBuffer(bytes: noise)
            switch machine.received(packet ?? ByteBuffer()) {
            case .finished, .failed: returned += 1
            case .broken(let context, _, _): returned += context == nil ? 0 : 1
            default: break
            }
        }
        #expect(returned <= 1, "seed \(seed)")
    }
}

@Suite struct DemandBufferTests {
    @Test func holdsBackAtItsLimit() {
        var buffer = DemandBuffer<String, Int>(limit: 10)
        #expect(buffer.wantsMore)
        guard case .stored = buffer.offer("a", bytes: 9) else { return #expect(Bool(false)) }
        #expect(buffer.wantsMore)
        _ = buffer.offer("b", bytes: 9)
        #expect(!buffer.wantsMore)
        guard case .deliver("a") = buffer.next(1) else { return #expect(Bool(false)) }
        #expect(buffer.wantsMore)
    }

    @Test func whatCameBeforeTheEndIsHandedOutFirst() {
        var buffer = DemandBuffer<String, Int>()
        _ = buffer.offer("a", bytes: 1)
        guard case .none = buffer.finish(.failure(MySQLError(.connectionClosed, "x"))) else {
            return #expect(Bool(false))
        }
        guard case .deliver("a") = buffer.next(1) else { return #expect(Bool(false)) }
        guard case .fail(let error) = buffer.next(1) else { return #expect(Bool(false)) }
        #expect(error.code == .connectionClosed)
        guard case .none = buffer.finish(.success(())) else { return #expect(Bool(false)) }
        guard case .fail = buffer.next(1) else { return #expect(Bool(false)) }
    }

    @Test func aWaiterIsResumedOnce() {
        var buffer = DemandBuffer<String, Int>()
        guard case .wait = buffer.next(1) else { return #expect(Bool(false)) }
        guard case .refuse = buffer.next(2) else { return #expect(Bool(false)) }
        guard case .deliver(1, "a") = buffer.offer("a", bytes: 1) else { return #expect(Bool(false)) }
        guard case .wait = buffer.next(3) else { return #expect(Bool(false)) }
        guard case .resume(3) = buffer.finish(.success(())) else { return #expect(Bool(false)) }
        guard case .end = buffer.next(3) else { return #expect(Bool(false)) }
    }
}
