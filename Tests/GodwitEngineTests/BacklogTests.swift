import Testing

@testable import GodwitEngine

/// What is outstanding in a queue: pushed and not released, whoever has taken it.
@Suite struct BacklogTests {
    @Test func outstandingUntilReleased() async throws {
        let queue = BoundedQueue<Int>(limit: 100)
        _ = await queue.push([1, 2, 3, 4], cost: { $0 })
        #expect(await queue.outstanding.elements == [1, 2, 3, 4])
        #expect(try await queue.take(budget: 3) == [1, 2])
        #expect(await queue.outstanding.elements == [1, 2, 3, 4])
        await queue.release(1)
        var outstanding = await queue.outstanding
        #expect(outstanding.first == 1 && outstanding.elements == [2, 3, 4])
        // A release need not end where an element ends.
        await queue.release(1)
        #expect(await queue.outstanding.elements == [2, 3, 4])
        _ = try await queue.take(budget: 100)
        await queue.release(5)
        outstanding = await queue.outstanding
        #expect(outstanding.first == 3 && outstanding.elements == [4])
    }
}
