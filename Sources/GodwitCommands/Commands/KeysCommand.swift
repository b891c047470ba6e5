import ArgumentParser
import GodwitServer
import SystemPackage

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Manage the keys with which clients sign their requests.", subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make a key and print it, once, as two lines for a shell.",
            discussion: "A running service takes it at once. Only `godwit serve` with the same state can check it.")

        @Argument(help: "What the key is called.")
        var name: String
        @Option(help: "The folder of the service's state.")
        var state: String
        @Option(help: "The file of the master key; default: master.key in the state folder.")
        var masterKeyFile: String?

        func run() async throws {
            let store = try StateStore(folder: FilePath(state), masterKeyFile: masterKeyFile.map { FilePath($0) })
            let key = try store.createKey(name: name)
            CommandContext.current.printLines(["AWS_ACCESS_KEY_ID=\(key.accessKey)", "AWS_SECRET_ACCESS_KEY=\(key.secret)"])
        }
    }
}
