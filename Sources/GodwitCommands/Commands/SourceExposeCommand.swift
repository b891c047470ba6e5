import ArgumentParser
import Foundation
import GodwitEngine
import GodwitHost

/// Where a host's ledger is, and which exposure is meant.
struct ExposureOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The exposure's name; its firewall rules carry the comment godwit:NAME.", valueName: "name"))
    var name = "source"
    @Option(help: ArgumentHelp("The folder of the undo ledger, for this user only.", valueName: "folder"))
    var state = "/var/lib/godwit"
}

extension FirewallTool: ExpressibleByArgument {}

struct SourceExposeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expose",
        abstract: "Let only the named addresses reach this host's database port.",
        discussion: """
            Changes this host's firewall, IPv4 and IPv6, incoming and outgoing: the named addresses may reach the port, nobody else may, but \
            for this host itself. Each change is in the undo ledger before it is made; `godwit source unexpose` takes all of it back. Run it \
            again at any time: it makes what is missing. The rules do not outlive a restart of the host. The database user, the \
            certificate and the binary log settings are not made by this release.
            """)
    @Option(name: .customLong("allow"), help: ArgumentHelp("An address or network that may reach the port. May be repeated.", valueName: "address"))
    var addresses: [String]
    @Option(help: "The port of the database.")
    var port = 3306
    @Option(help: "What keeps others out: auto, iptables, nftables.")
    var firewall = FirewallTool.auto
    @Flag(help: "Also where other hosts are connected to the port now: they are cut off.")
    var cutOthers = false
    @OptionGroup var exposure: ExposureOptions
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let request = try FirewallRequest(name: exposure.name, port: port, addresses: try addresses.map { try NetworkAddress($0) })
        if !cutOthers { try refuseToCut(request) }
        let state = exposure.state, tool = firewall
        let observer = try MomentObserver(NoProgress(), context: context)
        let report = try await Interruption.guarded(context: context) {
            let ledger = try UndoLedger(folder: state)
            return try await FirewallExposure(ledger: ledger, moment: { observer.moment($0) }).expose(request, tool: tool)
        }
        if json.isOn {
            try context.printJSON(ExposureJSON(request, report))
        } else {
            context.printLines(ExposureText.lines(request, report, state: exposure.state))
        }
        guard !report.removed.contains(where: \.isLeft) else { throw QuietExit(code: 1) }
    }

    private func refuseToCut(_ request: FirewallRequest) throws {
        let cut = try PortPeers.connected(to: request.port).filter { peer in !request.addresses.contains { $0.contains(peer) } }
        guard !cut.isEmpty else { return }
        let names = cut.prefix(5).map(\.short).joined(separator: ", ") + (cut.count > 5 ? " and \(cut.count - 5) more" : "")
        throw HostError(
            .refused, "Connected to port \(request.port) now, and not among those allowed: \(names).", why: "The firewall would cut them off.",
            cure: "Add --allow for those that need it, or give --cut-others.")
    }
}

/// Nothing of a host's changes is shown as a migration's progress is.
private struct NoProgress: ProgressObserver {
    func update(_ status: MigrationStatus) {}
    func say(_ level: String, _ line: String) {}
    func moment(_ name: String) {}
}

struct SourceUnexposeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unexpose",
        abstract: "Take back what `source expose` did on this host.",
        discussion: "Newest first, each change looked at before and after. Says what is left and why, and ends with 1 then; running it again does no harm.")
    @OptionGroup var exposure: ExposureOptions
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let name = exposure.name, state = exposure.state
        var outcomes: [UndoOutcome] = []
        // Without a ledger nothing was changed, and none is made.
        if try UndoLedger.read(folder: state) != nil {
            outcomes = try await Interruption.guarded(context: context) {
                try await FirewallExposure.unexpose(name, ledger: try UndoLedger(folder: state))
            }
        }
        if json.isOn {
            for outcome in outcomes { try context.printJSON(UndoOutcomeJSON(outcome)) }
        } else if outcomes.isEmpty {
            context.printLine("\(name): nothing to take back.")
        } else {
            context.printLines(outcomes.map(ExposureText.line))
        }
        guard !outcomes.contains(where: \.isLeft) else { throw QuietExit(code: 1) }
    }
}

struct SourceStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "List what `source expose` changed on this host, and how each change is taken back.")
    @Option(help: ArgumentHelp("The folder of the undo ledger.", valueName: "folder"))
    var state = "/var/lib/godwit"
    @OptionGroup var json: JSONOption

    func run() async throws {
        let context = CommandContext.current
        let due = (try UndoLedger.read(folder: state) ?? []).filter { $0.state != .undone && $0.exposure != nil }
        if !json.isOn, due.isEmpty { return context.printLine("Nothing is exposed from here (\(state)).") }
        for entry in due {
            let standing = await Self.standing(entry)
            if json.isOn {
                try context.printJSON(UndoEntryJSON(entry, standing: standing))
            } else {
                context.printLine("\(entry.exposure ?? "")  \(standing.padding(toLength: 8, withPad: " ", startingAt: 0))  \(TextWidth.printable(entry.what))")
                context.printLine("    back by: \(TextWidth.printable(entry.inverse.description))")
            }
        }
    }

    /// As the host is now, which may not be as the ledger has it.
    private static func standing(_ entry: UndoEntry) async -> String {
        guard entry.host == UndoLedger.hostName else { return "elsewhere" }
        do {
            switch try await HostUndo().standing(of: entry.inverse) {
            case .stands: return "stands"
            case .isGone: return "gone"
            case .changedSince: return "changed"
            }
        } catch {
            return "unknown"
        }
    }
}

extension UndoOutcome {
    var isLeft: Bool {
        switch result {
        case .left, .elsewhere: true
        case .undone, .wasGone: false
        }
    }
}

enum ExposureText {
    static func lines(_ request: FirewallRequest, _ report: FirewallExposure.Report, state: String) -> [String] {
        let who = request.addresses.map(\.short).joined(separator: ", ")
        var lines = report.made.map { "done: \(TextWidth.printable($0))" }
        lines += report.removed.map(line)
        if lines.isEmpty { lines.append("Everything is in its place already.") }
        lines.append("Only \(who) and this host itself may reach port \(request.port) (\(report.tool.rawValue), comment \(request.mark)).")
        lines.append("The rules end with a restart of this host; run this command again then, before the database is started.")
        lines.append("Check it from outside: `godwit source probe --host THIS-HOST --port \(request.port)` there, and from any other host with --expect filtered.")
        lines.append("Take it back: `godwit source unexpose --name \(request.name) --state \(state)`.")
        return lines
    }

    static func line(_ outcome: UndoOutcome) -> String {
        let what = TextWidth.printable(outcome.entry.what)
        switch outcome.result {
        case .undone: return "taken back: \(what)"
        case .wasGone: return "was gone: \(what)"
        case .left(let why): return "LEFT: \(what): \(TextWidth.printable(why))"
        case .elsewhere(let instruction): return "DUE ELSEWHERE: \(what): \(TextWidth.printable(instruction))"
        }
    }
}

/// `source expose --json`.
struct ExposureJSON: Encodable {
    let type = "exposure"
    var name: String
    var port: Int
    var allow: [String]
    var firewall: String
    var made: [String]
    var removed: [String]

    init(_ request: FirewallRequest, _ report: FirewallExposure.Report) {
        name = request.name
        port = request.port
        allow = request.addresses.map(\.short)
        firewall = report.tool.rawValue
        made = report.made
        removed = report.removed.map(\.entry.what)
    }
}

/// `source unexpose --json`.
struct UndoOutcomeJSON: Encodable {
    let type = "undo"
    var number: Int
    var what: String
    /// undone, gone, left, elsewhere.
    var result: String
    var why: String?

    init(_ outcome: UndoOutcome) {
        number = outcome.entry.number
        what = outcome.entry.what
        switch outcome.result {
        case .undone: result = "undone"
        case .wasGone: result = "gone"
        case .left(let reason):
            result = "left"
            why = reason
        case .elsewhere(let instruction):
            result = "elsewhere"
            why = instruction
        }
    }
}

/// `source status --json`.
struct UndoEntryJSON: Encodable {
    let type = "change"
    var number: Int
    var name: String
    var what: String
    var inverse: String
    var host: String
    var time: Double
    /// stands, gone, changed, elsewhere, unknown.
    var state: String

    init(_ entry: UndoEntry, standing: String) {
        number = entry.number
        name = entry.exposure ?? ""
        what = entry.what
        inverse = entry.inverse.description
        host = entry.host
        time = entry.time
        state = standing
    }
}
