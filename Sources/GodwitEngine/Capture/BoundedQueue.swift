import DequeModule

/// A queue of work between two tasks, bounded by cost: the producer waits while it is full, the consumer while it is
/// empty. What the consumer has taken counts until it says that it is done with it: a transaction's rows live on in the
/// batch that is being written, and one row may be most of the bound. One producer, one consumer.
package actor BoundedQueue<Element: Sendable> {
    private var elements: Deque<(element: Element, cost: Int)> = []
    private var cost = 0
    /// Cost of what was taken and not released.
    private var held = 0
    /// What was taken and not released, in order: it is accounted for, and somebody may ask what it is.
    private var taken: Deque<(element: Element, cost: Int)> = []
    /// Released cost that no whole element of `taken` answers for yet.
    private var released = 0
    /// How many elements were released before the first of `taken`.
    private var gone = 0
    private let limit: Int
    private var failure: (any Error)?
    private var finished = false
    private var consumer: CheckedContinuation<Void, Never>?
    private var producer: CheckedContinuation<Void, Never>?

    /// `limit`: summed cost from which `push` waits. One element above it still passes alone. A consumer that waits for
    /// more while it holds `limit` itself waits for ever.
    package init(limit: Int) { self.limit = limit }

    /// Cost of what waits now.
    package var waitingCost: Int { cost }
    package var waitingCount: Int { elements.count }

    /// Everything that was pushed and is not released, and the number of the first of it, counted from the first ever pushed.
    package var outstanding: (first: Int, elements: [Element]) { (gone, taken.map(\.element) + elements.map(\.element)) }

    /// Adds elements in order; returns false when the consumer has gone.
    package func push(_ batch: [Element], cost costOf: @Sendable (Element) -> Int) async -> Bool {
        for element in batch {
            guard await room() else { return false }
            let itsCost = costOf(element)
            elements.append((element, itsCost))
            cost += itsCost
            wake(&consumer)
        }
        return true
    }

    /// Waits until something may be pushed; returns false when the consumer has gone. For a producer that would hold
    /// large elements of its own before it pushes them.
    package func room() async -> Bool {
        while cost + held >= limit, !finished, !Task.isCancelled { await waitForRoom() }
        return !finished && !Task.isCancelled
    }

    /// The consumer no longer holds this much of what it took.
    package func release(_ cost: Int) {
        held -= cost
        released += cost
        while let first = taken.first, first.cost <= released {
            released -= first.cost
            gone += 1
            taken.removeFirst()
        }
        wake(&producer)
    }

    /// Ends the queue; what is in it is still delivered, then `error` is thrown (or the end returned).
    package func finish(throwing error: (any Error)? = nil) {
        guard !finished else { return }
        finished = true
        failure = error
        wake(&consumer)
        wake(&producer)
    }

    /// Everything that waits, up to `budget` of cost but at least one element; nil at the end. To be released.
    package func take(budget: Int) async throws -> [Element]? {
        while elements.isEmpty, !finished {
            try Task.checkCancellation()
            await waitForElement()
        }
        try Task.checkCancellation()
        if elements.isEmpty {
            if let failure { throw failure }
            return nil
        }
        var part: [Element] = []
        var sum = 0
        while let first = elements.first, part.isEmpty || sum + first.cost <= budget {
            part.append(first.element)
            taken.append(first)
            sum += first.cost
            elements.removeFirst()
        }
        cost -= sum
        held += sum
        return part
    }

    private func waitForElement() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume() } else { consumer = continuation }
            }
        } onCancel: {
            Task { await self.wakeConsumer() }
        }
    }

    private func waitForRoom() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume() } else { producer = continuation }
            }
        } onCancel: {
            Task { await self.wakeProducer() }
        }
    }

    private func wakeConsumer() { wake(&consumer) }
    private func wakeProducer() { wake(&producer) }

    private func wake(_ waiter: inout CheckedContinuation<Void, Never>?) {
        waiter?.resume()
        waiter = nil
    }
}
