import ArgumentParser
import GodwitServer
import Logging
import SystemPackage

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the migration service: the API of AWS DMS for aws, boto3 and Terraform.",
        discussion: """
            Make a key first: `godwit keys create NAME --state DIR`. Tasks run inside the service; when it ends, however it \
            ends, they go on at its next start. `/healthz` and `/metrics` need no key.
            """
    )

    @Option(help: "Where to listen, HOST:PORT; a loopback address. Port 0 takes a free one.")
    var listen = "127.0.0.1:8443"
    @Option(help: "The folder of the service's state.")
    var state: String
    @Option(help: "The file of the master key; default: master.key in the state folder.")
    var masterKeyFile: String?

    func run() async throws {
        let context = CommandContext.current
        let options = try ControlService.Options(
            listen: listen, state: FilePath(state), masterKeyFile: masterKeyFile.map { FilePath($0) })
        let service = ControlService(options: options, logger: Logger(label: "godwit.serve")) { address in
            context.printLine("Listening on \(address)")
        }
        try await Interruption.guarded(context: context) { try await service.run() }
    }
}
