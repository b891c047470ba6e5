import Foundation
import GodwitTesting
import SystemPackage

/// The application of a fault test: a script that keeps a configuration (where its database is), runs or not, and writes down
/// what it was told and what it found, so that a test can prove that it always had exactly one side.
///
/// Its writers follow the address file, which is empty while the application stands still.
struct FaultApplication: Sendable {
    let scenario: Scenario

    private var records: String { scenario.folder.appending("records").string }

    /// Writes the script, the configuration (the source) and the plan that names the script.
    func install(task: String) async throws {
        let folder = scenario.folder.string
        let client = scenario.source.flavour.client
        let words = ([client.program] + client.arguments).map { "'\($0)'" }.joined(separator: " ")
        let script = """
            #!/bin/sh
            # Called by Godwit's cutover: stop, start, switch, switch_back, health.
            cd '\(folder)' || exit 1
            blocked=$(\(words) --protocol=socket --socket='\(scenario.source.socket)' --user=root --batch \\
                --skip-column-names --execute='SELECT @@GLOBAL.\(scenario.source.flavour.writeBlock)' 2>/dev/null) || blocked=down
            if cmp -s config address-of-source; then side=source; else side=target; fi
            echo "$1 $side $blocked" >>records
            case "$1" in
            stop) : >new-address && mv new-address address ;;
            start) cp config new-address && mv new-address address ;;
            switch) cp address-of-target new-config && mv new-config config ;;
            switch_back) cp address-of-source new-config && mv new-config config ;;
            health) [ -s address ] ;;
            esac

            """
        try write(script, "application")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: scenario.folder.appending("application").string)
        try write("", "records")
        try scenario.writePlan()
        try write(scenario.sourceAddress + "\n", "config")
        let plan = try String(contentsOfFile: scenario.plan, encoding: .utf8)
        guard let end = plan.range(of: "\napplication:") else { throw TestingError("no application in the plan") }
        let commands = ["stop", "start", "switch", "switch_back", "health"]
            .map { "  \($0): [\"\(folder)/application\", \"\($0)\"]" }
        let text = plan[..<end.lowerBound] + "\napplication:\n  profile: commands\n" + commands.joined(separator: "\n")
        try write(text + "\n" + task + "\n", "godwit.yml")
    }

    private func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(
            to: URL(fileURLWithPath: scenario.folder.appending(name).string), options: .atomic)
    }

    /// What it was told so far, oldest first: `ACTION SIDE BLOCKED`, the configuration and the source's
    /// `super_read_only` as they were before the action.
    var lines: [String] {
        get throws {
            try String(contentsOfFile: records, encoding: .utf8).split(separator: "\n").map(String.init)
        }
    }

    /// Where the records say that two sides were written to, or none at the end: empty when the application always had one.
    static func violations(_ lines: [String]) -> [String] {
        var found: [String] = []
        var isRunning = true
        var side = "source"
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3 else { return ["a record is not readable: \(line)"] }
            side = words[1]
            let (action, blocked) = (words[0], words[2])
            switch action {
            case "stop": isRunning = false
            case "start":
                isRunning = true
                if side == "source", blocked != "0" { found.append("started on a source that refuses writes: \(line)") }
                if side == "target", blocked == "0" { found.append("started on the target, the source takes writes: \(line)") }
            case "switch", "switch_back":
                if isRunning { found.append("\(action) while it ran") }
                if blocked == "0" { found.append("\(action) while the source takes writes") }
                side = action == "switch" ? "target" : "source"
            case "health": if !isRunning { found.append("asked for its health while it stood still") }
            default: found.append("an action that nobody knows: \(line)")
            }
        }
        if !isRunning { found.append("it does not run at the end") }
        return found
    }
}
