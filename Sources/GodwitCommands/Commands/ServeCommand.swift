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
            ends, they go on at its next start. On loopback the service speaks plain HTTP unless --tls-cert is given; on any other \
            address TLS, by that certificate or by one that it makes for itself. `/healthz` and `/metrics` need no key on \
            loopback; elsewhere HTTP Basic with a key's two halves. The printed link opens the console in a browser, once; later \
            sign in there by key.
            """
    )

    @Option(help: "Where to listen, HOST:PORT. Port 0 takes a free one.")
    var listen = "127.0.0.1:8443"
    @Option(help: "The folder of the service's state.")
    var state: String
    @Option(help: "The file of the master key; default: master.key in the state folder.")
    var masterKeyFile: String?
    @Option(help: "PEM file of the listener's certificate and those that lead to its authority.")
    var tlsCert: String?
    @Option(help: "PEM file of that certificate's key.")
    var tlsKey: String?

    func run() async throws {
        let context = CommandContext.current
        let options = try ControlService.Options(
            listen: listen, state: FilePath(state), masterKeyFile: masterKeyFile.map { FilePath($0) },
            certificate: tlsCert.map { FilePath($0) }, key: tlsKey.map { FilePath($0) })
        let service = ControlService(options: options, logger: Logger(label: "godwit.serve")) { address, said in
            for line in said { context.printLine(line) }
            context.printLine("Listening on \(address)")
        }
        try await Interruption.guarded(context: context) { try await service.run() }
    }
}
