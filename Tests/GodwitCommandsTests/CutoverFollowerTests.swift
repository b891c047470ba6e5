import GodwitEngine
import Testing

@testable import GodwitCommands

@Suite struct CutoverFollowerTests {
    private func status(_ state: MigrationStatus.State, steps: [String] = [], error: String? = nil) -> MigrationStatus {
        var status = MigrationStatus.sample(state, [.sample("a")])
        status.steps = steps.map { .init(name: $0, seconds: 0.5) }
        status.error = error
        return status
    }

    @Test func showsEveryStepOnceAndEnds() {
        var follower = CutoverFollower(before: status(.following))
        var names: [String] = []
        let course = [
            status(.following), status(.cuttingOver), status(.cuttingOver, steps: ["stop_application"]),
            status(.cuttingOver, steps: ["stop_application", "block_source", "drain"]),
            status(.cutOver, steps: ["stop_application", "block_source", "drain", "switch_application"]),
        ]
        for (index, status) in course.enumerated() {
            let answer = follower.next(status, runnerIsAlive: true, reply: index == 0 ? nil : "cutting over")
            names += answer.newSteps.map(\.name)
            #expect(answer.error == nil)
            #expect((answer.done != nil) == (index == course.count - 1))
        }
        #expect(names == ["stop_application", "block_source", "drain", "switch_application"])
    }

    @Test(arguments: [
        ("not done: drain took too long", "drain took too long."),
        ("unknown request", "The running Godwit does not know the request: it is another version."),
    ])
    func theRunnersNo(reply: String, why: String) {
        var follower = CutoverFollower(before: status(.following))
        let answer = follower.next(status(.following), runnerIsAlive: true, reply: reply)
        #expect(answer.error?.kind == .failed)
        #expect(answer.error?.why == why)
    }

    @Test(arguments: [MigrationStatus.State.following, .cuttingOver, .stopped])
    func aDeadRunnerIsResumable(state: MigrationStatus.State) {
        var follower = CutoverFollower(before: nil)
        let answer = follower.next(status(state), runnerIsAlive: false, reply: "cutting over")
        #expect(answer.error?.kind == .resumable)
    }

    @Test func aFailedMigrationSaysWhy() {
        var follower = CutoverFollower(before: nil)
        let answer = follower.next(status(.failed, error: "disk full"), runnerIsAlive: false, reply: nil)
        #expect(answer.error?.kind == .failed)
        #expect(answer.error?.why == "disk full.")
    }

    /// The snapshot of the last run may still say so while a new runner takes the request.
    @Test func anOldFailureIsNotThisOne() {
        var follower = CutoverFollower(before: status(.failed, error: "disk full"))
        let answer = follower.next(status(.failed, error: "disk full"), runnerIsAlive: true, reply: nil)
        #expect(answer.error == nil)
        #expect(answer.done == nil)
    }

    @Test func aRunnerThatFinishedBeforeItDiedHasCutOver() {
        var follower = CutoverFollower(before: nil)
        let answer = follower.next(status(.cutOver), runnerIsAlive: false, reply: "cutting over")
        #expect(answer.done != nil)
        #expect(answer.error == nil)
    }

    @Test func stepsOfAnEarlierAttemptAreNotShownAgain() {
        let before = status(.following, steps: ["stop_application", "block_source"])
        var follower = CutoverFollower(before: before)
        let first = follower.next(before, runnerIsAlive: true, reply: nil)
        #expect(first.newSteps.isEmpty)
        let cleared = follower.next(status(.cuttingOver), runnerIsAlive: true, reply: "cutting over")
        #expect(cleared.newSteps.isEmpty)
        let answer = follower.next(
            status(.cuttingOver, steps: ["stop_application"]), runnerIsAlive: true, reply: "cutting over")
        #expect(answer.newSteps.map(\.name) == ["stop_application"])
    }
}
