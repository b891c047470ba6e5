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
            status(.following), status(.cuttingOver), status(.cuttingOver, steps: ["stop application"]),
            status(.cuttingOver, steps: ["stop application", "block writes", "drain"]),
            status(.cutOver, steps: ["stop application", "block writes", "drain", "switch"]),
        ]
        for (index, status) in course.enumerated() {
            let answer = follower.next(status, runnerIsAlive: true)
            names += answer.newSteps.map(\.name)
            #expect(answer.error == nil)
            #expect((answer.done != nil) == (index == course.count - 1))
        }
        #expect(names == ["stop application", "block writes", "drain", "switch"])
    }

    @Test func anAbortIsAFailure() {
        var follower = CutoverFollower(before: status(.following))
        let first = follower.next(status(.cuttingOver), runnerIsAlive: true)
        #expect(first.error == nil)
        let answer = follower.next(status(.following, error: "drain took too long"), runnerIsAlive: true)
        #expect(answer.error?.kind == .failed)
        #expect(answer.error?.why == "drain took too long.")
    }

    @Test func anAbortBetweenTwoLooksIsSeen() {
        var follower = CutoverFollower(before: status(.following, error: "an old one"))
        let first = follower.next(status(.following, error: "an old one"), runnerIsAlive: true)
        #expect(first.error == nil)
        let last = follower.next(status(.following, error: "gate closed"), runnerIsAlive: true)
        #expect(last.error?.kind == .failed)
    }

    @Test(arguments: [MigrationStatus.State.following, .cuttingOver, .stopped])
    func aDeadRunnerIsResumable(state: MigrationStatus.State) {
        var follower = CutoverFollower(before: nil)
        let last = follower.next(status(state), runnerIsAlive: false)
        #expect(last.error?.kind == .resumable)
    }

    @Test func aRunnerThatFinishedBeforeItDiedHasCutOver() {
        var follower = CutoverFollower(before: nil)
        let answer = follower.next(status(.cutOver), runnerIsAlive: false)
        #expect(answer.done != nil)
        #expect(answer.error == nil)
    }

    @Test func stepsOfAnEarlierAttemptAreNotShownAgain() {
        var follower = CutoverFollower(before: status(.following, steps: ["stop application", "block writes"]))
        let first = follower.next(status(.following, steps: ["stop application", "block writes"]), runnerIsAlive: true)
        #expect(first.newSteps.isEmpty)
        let answer = follower.next(status(.cuttingOver, steps: ["stop application"]), runnerIsAlive: true)
        #expect(answer.newSteps.map(\.name) == ["stop application"])
    }
}
