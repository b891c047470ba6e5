import MySQLBinlog
import MySQLTypes
import MySQLWire

extension SourceItem {
    /// The checkpoint may stand behind it.
    var endsTransaction: Bool {
        switch self {
        case .commit, .prepare, .decide: true
        case .begin, .rows, .progress, .definition: false
        }
    }

    var isXA: Bool {
        switch self {
        case .begin(let start): start.isXA
        case .prepare, .decide: true
        case .rows, .commit, .progress, .definition: false
        }
    }
}

/// XA transactions: kept at their PREPARE, applied or forgotten at their outcome. See `PreparedTransactions`.
extension Applier {
    /// What an item means for prepared transactions, before it is taken as any other.
    func receiveXA(_ item: SourceItem, _ progress: inout Progress, on target: MySQLConnection) async throws {
        switch item {
        case .prepare(let xid, _): progress.xa.prepare(xid)
        case .commit(let end) where progress.start?.isXA == true:
            // One phase.
            if progress.xa.spilled > 0 {
                try await spill(&progress, on: target)
                try await replay(PreparedTransactions.openName, end, &progress, on: target)
                try await state.remove(xids: [PreparedTransactions.openName], on: target)
                progress.xa.forgetSpilled()
            } else {
                for rows in progress.xa.takeOpen() { try add(rows, end, &progress) }
            }
        case .decide(let xid, let commits, let end):
            if progress.xa.isHalfWritten(xid) {
                // Its other half is in memory: written together, it is as any other.
                let start = progress.start
                progress.start = nil
                try await commit(&progress, on: target)
                progress.start = start
            }
            switch progress.xa.decide(xid) {
            case .here(let all):
                if commits { for rows in all { try add(rows, end, &progress) } }
            case .stored(let name):
                if commits { try await replay(name, end, &progress, on: target) }
            case .unknown:
                // Nothing of it can have been applied, so a rollback asks for nothing.
                guard commits, Remedy.preparedTransactions.isOn else { break }
                if progress.xa.settled?.covers(end.mark) == true { break }
                throw EngineError(
                    .failed, "The source's log has the XA COMMIT of a transaction whose rows Godwit has not seen (\(xid)), at \(end.coordinates).",
                    why: "It was prepared before the point from which the source is followed.",
                    cure: "Commit or roll back what XA RECOVER lists on the source, then start a new migration.")
            }
        default: break
        }
    }

    private func add(_ rows: PreparedTransactions.Rows, _ end: TransactionEnd, _ progress: inout Progress) throws {
        if loadedAt[rows.table]?.covers(end.mark) == true || progress.suspended[rows.table] != nil { return }
        if let reason = objection(rows.table, rows.event) { throw reason }
        if let difference = shapes[rows.table].layoutDifference(from: rows.event) {
            throw EngineError(
                .failed, "An XA transaction with changes of \(shapes[rows.table].source.name) was committed after the table's definition had changed: \(difference).",
                why: "After a restart the source does not keep a prepared transaction's tables from being changed.",
                cure: "Start a new migration.")
        }
        try progress.batch.add(table: rows.table, rows.event)
    }

    /// Applies the rows that are kept on the target, as many at a time as a batch may hold.
    private func replay(
        _ name: String, _ end: TransactionEnd, _ progress: inout Progress, on target: MySQLConnection
    ) async throws {
        var next = 0
        while true {
            let parts = try await state.parts(of: name, from: next, on: target)
            guard let last = parts.last else { return }
            next = last.part + 1
            for (_, table, event) in parts {
                guard let index = shapes.firstIndex(where: { $0.source.name == table }) else {
                    throw EngineError(
                        .failed, "A prepared XA transaction has rows of \(table), which the task does not know any more.",
                        why: "Its rows in schema godwit, or the task's tables, were changed by hand.", cure: "Start a new migration.")
                }
                try add(PreparedTransactions.Rows(table: index, event: event), end, &progress)
            }
            if isFull(progress), !progress.batch.isEmpty { try await write(&progress, on: target) }
        }
    }

    /// What is read of an XA transaction that is too large to hold: into the target's keeping, in a transaction that stays open.
    func spill(_ progress: inout Progress, on target: MySQLConnection) async throws {
        if !progress.batch.isEmpty {
            let start = progress.start
            progress.start = nil
            try await commit(&progress, on: target)
            progress.start = start
        }
        try await begin(&progress, position: nil, on: target)
        let first = progress.xa.spilled
        let rows = progress.xa.spill()
        try await state.store(rows, of: PreparedTransactions.openName, first: first, names: shapes.map(\.source.name), on: target)
    }

    /// Inside the transaction that moves the checkpoint.
    func storeXA(_ xa: PreparedTransactions, on target: MySQLConnection) async throws {
        guard Remedy.preparedTransactions.isOn else { return }
        // First what was decided: a name may be used again at once.
        try await state.remove(xids: xa.decided, on: target)
        for (xid, transaction) in xa.fresh {
            if transaction.spilled > 0 { try await state.rename(xid: PreparedTransactions.openName, to: xid, on: target) }
            try await state.store(
                transaction.rows, of: xid, first: transaction.spilled, names: shapes.map(\.source.name), on: target)
        }
        if !xa.fresh.isEmpty { observer.moment("xa.kept") }
    }
}
