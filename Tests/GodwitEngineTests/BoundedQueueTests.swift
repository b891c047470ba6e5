import NIOCore
import Testing

@testable import GodwitEngine

@Suite struct BoundedQueueTests {
    private let cost: @Sendable (Int) -> Int = { $0 }

    /// Whether `room` would wait: asked by a task that is cancelled if it does.
    private func hasRoom(_ queue: BoundedQueue<Int>) async -> Bool {
        let asking = Task { await queue.room() }
        for _ in 0..<100 { await Task.yield() }
        asking.cancel()
        return await asking.value
    }

    @Test func whatIsTakenCountsUntilItIsReleased() async throws {
        let queue = BoundedQueue<Int>(limit: 100)
        #expect(await queue.room())
        #expect(await queue.push([150], cost: cost))
        #expect(await hasRoom(queue) == false)
        #expect(try await queue.take(budget: 10) == [150])
        // In the consumer's hands it still counts: the next large one must not be fetched.
        #expect(await hasRoom(queue) == false)
        await queue.release(60)
        #expect(await hasRoom(queue))
        await queue.release(90)
        #expect(await queue.push([40, 70], cost: cost))
        #expect(try await queue.take(budget: 50) == [40])
        await queue.release(40)
        #expect(try await queue.take(budget: 50) == [70])
    }

    @Test func theProducerGoesOnWhenThereIsRoom() async throws {
        let queue = BoundedQueue<Int>(limit: 10)
        let producer = Task { await queue.push(Array(repeating: 7, count: 200), cost: cost) }
        var taken = 0
        while taken < 200 {
            let items = try #require(try await queue.take(budget: 1))
            taken += items.count
            #expect(await queue.waitingCost <= 14)
            await queue.release(7 * items.count)
        }
        #expect(await producer.value)
        await queue.finish()
        #expect(try await queue.take(budget: 1) == nil)
        #expect(await queue.room() == false)
    }

    /// Every byte that ends or escapes a literal is escaped, in small values and in those that are counted first.
    @Test(arguments: [0, 1, 7, 1000, 65_535, 65_536, 100_000], 0..<3 as Range<UInt64>)
    func literalsReadBackAsTheirBytes(_ size: Int, _ seed: UInt64) {
        var random = SplitMix(seed: seed)
        let special: [UInt8] = [0, 0x1A, 0x27, 0x5C]
        let value = (0..<size).map { _ in
            let bits = random.next()
            return seed == 0 ? special[Int(bits % 4)] : UInt8(truncatingIfNeeded: bits >> 8)
        }
        var sql = SQLBuffer(reserving: 16)
        sql.appendQuoted(([9] + value + [9])[1...size + 1].dropLast(), introducer: "_binary")
        let written = Array(sql.bytes.readableBytesView)
        #expect(written.starts(with: "_binary'".utf8) && written.last == UInt8(ascii: "'"))
        var read: [UInt8] = []
        var escaped = false
        var isWhole = true
        for byte in written.dropFirst(8).dropLast() {
            if escaped {
                read.append(byte == UInt8(ascii: "0") ? 0 : byte == UInt8(ascii: "Z") ? 0x1A : byte)
            } else if byte == 0x5C {
                escaped = true
                continue
            } else {
                isWhole = isWhole && !special.contains(byte)
                read.append(byte)
            }
            escaped = false
        }
        #expect(isWhole && read == value)
    }
}
