import ArgumentParser
import Foundation
import GodwitHost

struct SourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source",
        abstract: "Who may reach a source's port: open it to some, look at it from outside, take it all back.",
        subcommands: [SourceProbeCommand.self, SourceExposeCommand.self, SourceUnexposeCommand.self, SourceStatusCommand.self])
}

struct SourceProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Say whether a MySQL port is open, refused or filtered from this host, and who answers.",
        discussion: """
            Nothing is logged in, so no account is needed. Run it on the host that has to reach the port, and on one that must not \
            (`--expect filtered`). With --ca the server's certificate is checked: chain, dates and name; without, it is only shown. \
            The server counts each look as an interrupted connection (max_connect_errors), as it does any port scan.

            Exit codes: 0 as expected (open, and verified where --ca is given), 1 not, 2 usage.
            """)

    @Option(help: ArgumentHelp("Name or address. A name is what the certificate is checked for.", valueName: "host"))
    var host: String
    @Option(help: ArgumentHelp("TCP port.", valueName: "port"))
    var port = 3306
    @Option(help: ArgumentHelp("PEM file of the CA that has to have signed the certificate.", valueName: "file"))
    var ca: String?
    @Option(help: ArgumentHelp("Seconds for each connection.", valueName: "seconds"))
    var timeout = 5.0
    @Option(help: "What has to be found for exit 0: open, refused, filtered, unreachable.")
    var expect = PortProbe.Reachability.open
    @OptionGroup var json: JSONOption

    func validate() throws {
        guard (0.1...600).contains(timeout) else { throw ValidationError("--timeout takes 0.1 to 600 seconds.") }
        guard (1...65_535).contains(port) else { throw ValidationError("--port takes 1 to 65535.") }
        guard ca == nil || expect == .open else { throw ValidationError("--ca needs a port that is expected to be open.") }
    }

    func run() async throws {
        let context = CommandContext.current
        let probe = PortProbe(host: host, port: port, timeout: .seconds(timeout), caFile: ca)
        let report = try await Interruption.guarded(context: context) { try await probe.run() }
        if json.isOn {
            try context.printJSON(ProbeJSON(report, host: host, port: port))
        } else {
            context.printLines(ProbeText.lines(report, host: host, port: port, ca: ca))
        }
        guard ProbeText.isAsExpected(report, expect) else { throw QuietExit(code: 1) }
    }
}

extension PortProbe.Reachability: ExpressibleByArgument {}

/// What a probe found, for people.
enum ProbeText {
    static func isAsExpected(_ report: PortProbe.Report, _ expected: PortProbe.Reachability) -> Bool {
        guard report.reachability == expected else { return false }
        guard expected == .open else { return true }
        // Open means that a server answers there.
        guard case .handshake? = report.greeting, report.trouble.isEmpty else { return false }
        if case .failed = report.verification { return false }
        return true
    }

    static func lines(_ report: PortProbe.Report, host: String, port: Int, ca: String?) -> [String] {
        var lines = ["\(host):\(port) is \(report.reachability.rawValue) from here (\(report.detail))."]
        switch report.reachability {
        case .open: break
        case .refused: lines.append("The host answers, and nothing listens there for others: see bind_address and port, or a firewall that rejects.")
        case .filtered: lines.append("Nothing comes back: a firewall or a security group is in the way.")
        case .unreachable: lines.append("This host has no route there.")
        }
        switch report.greeting {
        case .handshake(let version, let offersTLS):
            lines.append("Server       \(version)")
            lines.append("TLS          \(offersTLS ? report.tlsVersion ?? "offered" : "not offered")")
        case .refusal(let code, let message): lines.append("The server refuses this host before the login: \(message) (\(code)).")
        case .foreign: lines.append("What answers is no MySQL server.")
        case nil: break
        }
        if let certificate = report.certificate {
            lines.append("Certificate  \(certificate.subject), for \(certificate.names.isEmpty ? "no name" : certificate.names.joined(separator: ", "))")
            lines.append("Issuer       \(certificate.issuer)")
            lines.append("Valid        \(certificate.notBefore) to \(certificate.notAfter)")
            lines.append("SHA-256      \(certificate.fingerprint)")
        }
        if !report.trouble.isEmpty { lines.append("The server's answer is not whole: \(report.trouble).") }
        switch report.verification {
        case .notAsked: if report.certificate != nil { lines.append("Verified     no: give --ca") }
        case .passed: lines.append("Verified     chain, dates and name, by \(ca ?? "the CA")")
        case .failed(let why): lines.append("NOT VERIFIED \(why)")
        }
        return lines
    }
}

/// `source probe --json`.
struct ProbeJSON: Encodable {
    let type = "probe"
    var host: String
    var port: Int
    var state: String
    var detail: String
    var server: String?
    var offersTLS: Bool?
    var tlsVersion: String?
    var subject: String?
    var issuer: String?
    var names: [String]?
    var notBefore: Double?
    var notAfter: Double?
    var fingerprint: String?
    /// not_asked, passed, failed.
    var verification: String
    /// Which check failed, or what was wrong with the answer.
    var trouble: String?

    enum CodingKeys: String, CodingKey {
        case type, host, port, state, detail, server, subject, issuer, names, verification, trouble
        case offersTLS = "offers_tls"
        case tlsVersion = "tls_version"
        case notBefore = "not_before"
        case notAfter = "not_after"
        case fingerprint = "sha256"
    }

    init(_ report: PortProbe.Report, host: String, port: Int) {
        self.host = host
        self.port = port
        state = report.reachability.rawValue
        detail = report.detail
        tlsVersion = report.tlsVersion
        subject = report.certificate?.subject
        issuer = report.certificate?.issuer
        names = report.certificate?.names
        notBefore = report.certificate?.notBefore.timeIntervalSince1970
        notAfter = report.certificate?.notAfter.timeIntervalSince1970
        fingerprint = report.certificate?.fingerprint
        trouble = report.trouble.isEmpty ? nil : report.trouble
        switch report.greeting {
        case .handshake(let version, let offers):
            server = version
            offersTLS = offers
        case .refusal(let code, let message): trouble = "\(message) (\(code))"
        case .foreign: trouble = "no MySQL server"
        case nil: break
        }
        switch report.verification {
        case .notAsked: verification = "not_asked"
        case .passed: verification = "passed"
        case .failed(let why):
            verification = "failed"
            trouble = why
        }
    }
}
