import ArgumentParser
import GodwitEngine

/// Commands of later releases: known by name, so that a script written for them gets a clear answer, and not listed.
protocol LaterCommand: ParsableCommand {
    /// With the commands above it: `source expose`.
    static var name: String { get }
    static var purpose: String { get }
    var rest: [String] { get }
}

extension LaterCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: name.split(separator: " ").last.map(String.init), abstract: "\(purpose) (not in this release).", shouldDisplay: false)
    }
    func run() throws { throw Refusals.notInThisRelease(Self.name, Self.purpose) }
}

struct TargetCommand: LaterCommand {
    static let name = "target"
    static let purpose = "Provisioning a target"
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []
}
