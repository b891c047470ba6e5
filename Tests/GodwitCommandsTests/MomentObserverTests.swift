import GodwitEngine
import Synchronization
import Testing

@testable import GodwitCommands

@Suite struct MomentObserverTests {
    private final class Counter: ProgressObserver {
        let passed = Mutex<[String]>([])
        func update(_ status: MigrationStatus) {}
        func say(_ level: String, _ line: String) {}
        func moment(_ name: String) { passed.withLock { $0.append(name) } }
    }

    private func run(_ variables: [String: String], _ moments: [String]) throws -> (
        err: String, halts: Int, inner: [String]
    ) {
        let err = CapturedSink()
        var context = CommandContext.current
        context.err = err
        context.variables = variables
        let inner = Counter()
        let count = Halts()
        let observer = try MomentObserver(inner, context: context) {
            #expect(err.text.hasSuffix("moment: b\n"), "the moment is told before the thread stops")
            count.add()
        }
        for moment in moments { observer.moment(moment) }
        return (err.text, count.value, inner.passed.withLock { $0 })
    }

    private final class Halts: Sendable {
        private let number = Mutex(0)
        var value: Int { number.withLock { $0 } }
        func add() { number.withLock { $0 += 1 } }
    }

    @Test func silentByDefault() throws {
        let result = try run([:], ["a", "b"])
        #expect(result.err.isEmpty)
        #expect(result.halts == 0)
        #expect(result.inner == ["a", "b"])
    }

    @Test func announces() throws {
        #expect(try run(["GODWIT_MOMENTS": "1"], ["a", "b"]).err == "moment: a\nmoment: b\n")
    }

    @Test(arguments: [("b", "b"), ("b:1", "b"), ("b:3", "b")])
    func haltsOnceAtThePassing(setting: String, name: String) throws {
        let result = try run(["GODWIT_HALT_AT": setting], ["a", "b", "b", "b", "b"])
        #expect(result.halts == 1)
        #expect(result.err == "moment: b\n")
    }

    @Test(arguments: [":", ":2", "b:", "b:0", "b:x", "b:1:2"])
    func refusesNonsense(setting: String) {
        #expect(throws: EngineError.self) { try run(["GODWIT_HALT_AT": setting], []) }
    }
}
