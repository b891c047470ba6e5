import MySQLTypes

/// What the follow stage's parts agree on: should the applier go on, is it standing still.
package actor FollowControl {
    private var wantsStop = false
    private var isApplying = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    package init() {}

    /// Asked by the applier between transactions.
    package var shouldStop: Bool { wantsStop }
    package var isStopped: Bool { !isApplying }

    package func requestStop() { wantsStop = true }

    package func requestGo() {
        wantsStop = false
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    /// Tables that something else than their events has changed in this attempt; nil: any may be.
    private(set) var changed: Set<TableName>? = []
    func changes(_ tables: Set<TableName>?) { changed = tables }

    package func applying(_ now: Bool) { isApplying = now }

    /// Returns when the applier may run (again).
    package func waitForGo() async {
        if !wantsStop || Task.isCancelled { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiters.append($0) }
        } onCancel: {
            Task { await self.releaseAll() }
        }
    }

    private func releaseAll() {
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}
