import MySQLTypes
import Testing

@testable import GodwitEngine

/// The rules of fence and checkpoint one by one: in the model each stands behind another, so that none is missed alone.
@Suite struct ModelStateTests {
    private let state = TargetState(task: "model")

    private func world() async -> (ModelWorld, ModelSession, ModelSession) {
        let world = ModelWorld(choices: Choices(given: []))
        return (world, await ModelSession(world, isSource: false), await ModelSession(world, isSource: false))
    }

    @Test func aSequenceThatHasPassedClaimsNothing() async throws {
        let (_, one, two) = await world()
        let before = try await state.checkpoint(locked: true, on: one)
        try await state.claimCheckpoint(sequence: before.sequence, position: before.position, commitMicroseconds: 0, on: one)
        await #expect(throws: FenceLost.self) {
            try await state.claimCheckpoint(sequence: before.sequence, position: before.position, commitMicroseconds: 0, on: two)
        }
    }

    @Test func anOldEpochAndAnotherPhaseAreTurnedAway() async throws {
        let (_, one, two) = await world()
        let epoch = try await state.takeEpoch(on: one)
        try await state.checkFence(epoch: epoch, phase: .loading, on: one)
        await #expect(throws: FenceLost.self) { try await state.checkFence(epoch: epoch, phase: .following, on: one) }
        #expect(try await state.takeEpoch(on: two) == epoch + 1)
        await #expect(throws: FenceLost.self) { try await state.checkFence(epoch: epoch, phase: .loading, on: one) }
    }

    @Test func aPhaseIsLeftOnce() async throws {
        let (_, one, two) = await world()
        let epoch = try await state.takeEpoch(on: one)
        try await state.advance(from: .loading, to: .replaying, epoch: epoch, on: one)
        await #expect(throws: FenceLost.self) { try await state.advance(from: .loading, to: .replaying, epoch: epoch, on: two) }
    }

    @Test func aChunkWhoseAnswerWasLostIsDone() async throws {
        let (world, one, two) = await world()
        try await state.addChunk(StoredChunk(table: 0, number: 0, bounds: .all, isDone: false, rows: 0, bytes: 0), on: one)
        try await one.query("BEGIN")
        #expect(try await !state.isDone(table: 0, number: 0, on: one))
        try await state.markDone(table: 0, number: 0, rows: 1, bytes: 1, on: one)
        await world.loseCommit(of: one.number)
        #expect(try await state.isDone(table: 0, number: 0, on: two))
        await #expect(throws: FenceLost.self) { try await state.markDone(table: 0, number: 0, rows: 1, bytes: 1, on: two) }
    }

    @Test func aCommitThatStillRunsIsWaitedFor() async throws {
        let (world, one, two) = await world()
        try await one.query("BEGIN")
        let before = try await state.checkpoint(locked: true, on: one)
        try await state.claimCheckpoint(sequence: before.sequence, position: before.position, commitMicroseconds: 0, on: one)
        await world.loseCommit(of: one.number)
        #expect(try await state.checkpoint(locked: false, on: two).sequence == before.sequence)
        #expect(try await state.checkpoint(locked: true, on: two).sequence == before.sequence + 1)
    }
}
