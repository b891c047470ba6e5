import GodwitEngine
import Synchronization

/// How far a comparison is: one line redrawn on a terminal, a line every ten seconds elsewhere, nothing with `--json`.
final class VerifyProgress: Sendable {
    private struct State {
        var rows: [String: UInt64] = [:]
        var screen = LiveScreen()
        var last: Double?
        var isClosed = false
    }
    private let context: CommandContext
    private let isQuiet: Bool
    private let state = Mutex(State())
    private let queue = OutputQueue()

    init(context: CommandContext, json: Bool) {
        self.context = context
        isQuiet = json
    }

    func compared(_ table: VerifyReport.Table) {
        guard !isQuiet else { return }
        state.withLock { $0.rows["\(table.schema).\(table.table)"] = table.sourceRows }
        queue.draw { [self] in draw() }
    }

    func close() {
        queue.run { [self] in
            let text = state.withLock { state in
                state.isClosed = true
                return state.screen.erase()
            }
            if !text.isEmpty { context.out.write(text) }
        }
        queue.flush()
    }

    private func draw() {
        let now = context.clock.now()
        let text = state.withLock { state -> String in
            guard !state.isClosed else { return "" }
            let rows = state.rows.values.reduce(UInt64(0)) { $0 &+ $1 }
            let line = "comparing: \(state.rows.count) tables begun, \(Format.count(rows)) rows compared"
            if context.terminal.isInteractive {
                return state.screen.draw([TextWidth.truncated(line, to: context.terminal.size().columns - 1)])
            }
            if let last = state.last, now < last + 10 { return "" }
            state.last = now
            return "\(Format.timestamp(now)) \(line)\n"
        }
        if !text.isEmpty { context.out.write(text) }
    }
}
