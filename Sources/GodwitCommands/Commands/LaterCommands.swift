import ArgumentParser
import GodwitEngine

/// Commands of later releases: known by name, so that a script written for them gets a clear answer, and not listed.
protocol LaterCommand: ParsableCommand {
    static var name: String { get }
    static var purpose: String { get }
    var rest: [String] { get }
}

extension LaterCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: name, abstract: "\(purpose) (not in this release).", shouldDisplay: false)
    }
    func run() throws { throw Refusals.notInThisRelease(Self.name, Self.purpose) }
}

struct RollbackCommand: LaterCommand {
    static let name = "rollback"
    static let purpose = "Switching back after a cutover"
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}

struct CleanupCommand: LaterCommand {
    static let name = "cleanup"
    static let purpose = "Undoing what was set up"
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}

struct SourceCommand: LaterCommand {
    static let name = "source"
    static let purpose = "Exposing a source host"
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}

struct TargetCommand: LaterCommand {
    static let name = "target"
    static let purpose = "Provisioning a target"
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}

struct ServeCommand: LaterCommand {
    static let name = "serve"
    static let purpose = "The control plane"
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}

struct KeysCommand: LaterCommand {
    static let name = "keys"
    static let purpose = "Managing the control plane's keys"
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}
