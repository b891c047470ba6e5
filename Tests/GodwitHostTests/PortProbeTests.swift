import GodwitTesting
import NIOCore
import NIOPosix
import SystemPackage
import Testing

@testable import GodwitHost

@Suite struct ServerGreetingTests {
    private static func packet(_ payload: [UInt8]) -> [UInt8] { [UInt8(payload.count), 0, 0, 0] + payload }
    private static func handshake(_ version: String, capabilities: UInt16) -> [UInt8] {
        packet(
            [10] + Array(version.utf8) + [0] + [UInt8](repeating: 7, count: 12) + [0]
                + [UInt8(capabilities & 255), UInt8(capabilities >> 8)] + [UInt8](repeating: 1, count: 20))
    }

    @Test(arguments: [
        (handshake("9.7.1", capabilities: 0x0800), ServerGreeting.handshake(version: "9.7.1", offersTLS: true)),
        (handshake("5.5.5-10.11.6-MariaDB", capabilities: 0xF7FF), .handshake(version: "10.11.6-MariaDB", offersTLS: false)),
        (handshake("9\u{1B}[31m", capabilities: 0), .handshake(version: "9?[31m", offersTLS: false)),
        (packet([0xFF, 0x6A, 4] + Array("Host 'a' is not allowed".utf8)), .refusal(code: 1130, message: "Host 'a' is not allowed")),
        (packet([0xFF, 0x10, 4] + Array("#08004Too many connections".utf8)), .refusal(code: 1040, message: "Too many connections")),
        (Array("HTTP/1.1 400 Bad Request\r\n".utf8), .foreign), (Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), .foreign),
        (packet([9] + Array("3.20".utf8) + [0]), .foreign), (packet([10, 0x39]), .foreign), (packet([0xFF, 1]), .foreign),
    ])
    func whatAnswers(_ bytes: [UInt8], _ expected: ServerGreeting) {
        #expect(ServerGreeting(bytes) == expected)
        // In pieces of any size: nothing is concluded from a part that could still become another thing.
        for count in 0..<bytes.count {
            let early = ServerGreeting(Array(bytes[..<count]))
            #expect(early == nil || early == expected, "after \(count) bytes")
        }
    }
}

/// Who answers, on real servers: each check that a man in the middle has to fail, by name.
@Suite struct PortProbeTests {
    @Test(arguments: ServerFlavour.allCases) func whoAnswers(_ flavour: ServerFlavour) async throws {
        try await withTemporaryFolder("probe") { folder in
            let factory = try CertificateFactory(folder: folder)
            let stranger = try CertificateFactory(folder: folder, commonName: "stranger")
            try await withServer(flavour, ServerOptions(tls: factory.serverTLS(), durable: false)) { server in
                var probe = PortProbe(host: "localhost", port: server.port)
                let plain = try await probe.run()
                #expect(plain.reachability == .open && plain.trouble.isEmpty)
                guard case .handshake(let version, true)? = plain.greeting else {
                    Issue.record("\(plain)")
                    return
                }
                #expect(try await server.value("SELECT VERSION()").hasPrefix(version.prefix { $0 != "-" }))
                #expect(plain.tlsVersion == "TLSv1.3")
                #expect(plain.verification == .notAsked)
                let certificate = try #require(plain.certificate)
                #expect(certificate.names == ["localhost", "127.0.0.1"])
                #expect(certificate.issuer.contains("test-ca"))
                #expect(certificate.fingerprint.split(separator: ":").count == 32)

                for host in ["localhost", "127.0.0.1"] {
                    let report = try await PortProbe(host: host, port: server.port, caFile: factory.caFile).run()
                    #expect(report.verification == .passed, "\(host)")
                }
                probe.caFile = stranger.caFile
                #expect(try await probe.run().failure.hasPrefix("the chain:"))
            }
        }
    }

    @Test(arguments: [
        (CertificateFactory.Validity.expired, "localhost", "the dates:"), (.notYet, "localhost", "the dates:"),
        (.current, "db.elsewhere", "the name: the certificate is for db.elsewhere, not for localhost"),
    ])
    func whatIsRefused(_ validity: CertificateFactory.Validity, _ name: String, _ failure: String) async throws {
        try await withTemporaryFolder("probe") { folder in
            let factory = try CertificateFactory(folder: folder)
            let tls = try factory.serverTLS(names: [name], addresses: [], validity: validity)
            try await withServer(.mariadb, ServerOptions(tls: tls, durable: false)) { server in
                let report = try await PortProbe(host: "localhost", port: server.port, caFile: factory.caFile).run()
                #expect(report.failure.hasPrefix(failure), "\(report)")
                #expect(report.certificate?.names == [name])
            }
        }
    }

    /// TLS stripped: a server (or somebody between) that offers none.
    @Test func withoutTLS() async throws {
        try await withTemporaryFolder("probe") { folder in
            let factory = try CertificateFactory(folder: folder)
            var options = ServerOptions(durable: false)
            options.tls = .off
            try await withServer(.mariadb, options) { server in
                let report = try await PortProbe(host: "localhost", port: server.port, caFile: factory.caFile).run()
                #expect(report.failure == "the server offers no TLS")
                #expect(report.certificate == nil)
            }
        }
    }

    @Test func nothingListens() async throws {
        let report = try await PortProbe(host: "127.0.0.1", port: FreePort.next()).run()
        #expect(report.reachability == .refused)
    }

    /// A port that opens, and a program that is silent, or hangs up, or speaks HTTP.
    @Test(arguments: [("", false), ("", true), ("HTTP/1.1 400 Bad Request\r\n\r\n", true)])
    func noServer(_ text: String, _ closes: Bool) async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let done = text.isEmpty ? channel.eventLoop.makeSucceededVoidFuture() : channel.writeAndFlush(ByteBuffer(string: text))
                if closes { done.whenComplete { _ in channel.eventLoop.execute { channel.close(promise: nil) } } }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let report = try await PortProbe(host: "127.0.0.1", port: port, timeout: .milliseconds(500)).run()
        try await listener.close().get()
        #expect(report.reachability == .open)
        if text.isEmpty {
            #expect(report.greeting == nil)
            #expect(report.trouble.contains(closes ? "closed" : "nothing more in time"), "\(report.trouble)")
        } else {
            #expect(report.greeting == .foreign || report.trouble.contains("closed"))
        }
    }

    @Test func aCAThatIsNone() async throws {
        try await withTemporaryFolder("probe") { folder in
            let path = folder.appending("ca.pem").string
            for bytes in [[], Array("nothing".utf8)] {
                try HostFile.replace(path, with: bytes, .secret)
                await #expect(throws: HostError.self) { try await PortProbe(host: "127.0.0.1", port: 1, caFile: path).run() }
            }
        }
    }
}

extension PortProbe.Report {
    fileprivate var failure: String {
        if case .failed(let why) = verification { why } else { "" }
    }
}
