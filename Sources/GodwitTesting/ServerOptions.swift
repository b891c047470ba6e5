import SystemPackage

/// How a test server is configured. What stands here is passed on its command line; nothing else has a say.
package struct ServerOptions: Sendable, Hashable {
    package enum TLS: Sendable, Hashable {
        /// No TLS is offered.
        case off
        /// The server's own generated certificate, which has no name in it. MariaDB 10.11 generates none: `.off` there.
        case generated
        /// Files of the test's own; `ca` is what client certificates are verified against.
        case files(ca: String, certificate: String, key: String)
    }
    package enum BinlogFormat: String, Sendable, Hashable {
        case row = "ROW", statement = "STATEMENT", mixed = "MIXED"
    }

    package var tls: TLS = .generated
    /// MySQL only: `gtid_mode` and `enforce_gtid_consistency`. MariaDB always has its own GTIDs.
    package var gtids = true
    package var binlog = true
    package var binlogFormat = BinlogFormat.row
    /// `binlog_row_metadata`: names, keys, signedness and character sets in table map events.
    package var fullRowMetadata = true
    package var localInfile = true
    /// Nil: the server's port, which no other running server has.
    package var serverID: UInt32?
    /// Group commit as in production. False lets a commit return before the log is on the disk: safe against a killed
    /// process, not against a power cut, and faster.
    package var durable = true
    package var bufferPoolMegabytes = 128
    /// Nil: a folder of the server's own. Another one, for example a small disk, is not removed with the server.
    package var dataFolder: FilePath?
    /// More arguments, for example `--binlog-row-image=MINIMAL`; later ones win.
    package var extra: [String] = []
    /// A limit against hanging, crash recovery included.
    package var readyLimit = Duration.seconds(120)

    package init(
        tls: TLS = .generated, gtids: Bool = true, fullRowMetadata: Bool = true, serverID: UInt32? = nil,
        durable: Bool = true, extra: [String] = []
    ) {
        self.tls = tls
        self.gtids = gtids
        self.fullRowMetadata = fullRowMetadata
        self.serverID = serverID
        self.durable = durable
        self.extra = extra
    }

    func arguments(_ flavour: ServerFlavour, port: Int) -> [String] {
        var list = [
            "--bind-address=127.0.0.1", "--port=\(port)", "--server-id=\(serverID ?? UInt32(port))",
            "--innodb-buffer-pool-size=\(bufferPoolMegabytes)M", "--local-infile=\(localInfile ? 1 : 0)",
            "--innodb-flush-log-at-trx-commit=\(durable ? 1 : 2)", "--sync-binlog=\(durable ? 1 : 0)",
            "--max-allowed-packet=64M",
        ]
        if binlog {
            list += [
                "--log-bin=binlog", "--binlog-format=\(binlogFormat.rawValue)",
                "--binlog-row-metadata=\(fullRowMetadata ? "FULL" : "MINIMAL")",
            ]
        } else {
            list.append("--skip-log-bin")
        }
        switch flavour {
        case .mysql9:
            list += ["--mysqlx=OFF", "--innodb-redo-log-capacity=256M"]
            // Written out: MySQL 9.7 has them on by default.
            let gtids = binlog && gtids ? "ON" : "OFF"
            list += ["--gtid-mode=\(gtids)", "--enforce-gtid-consistency=\(gtids)"]
            if tls == .off { list.append("--tls-version=") }
        case .mariadb, .mariadb11:
            list.append("--log-slave-updates=ON")
            if tls == .off { list.append("--skip-ssl") }
        }
        if case .files(let ca, let certificate, let key) = tls {
            list += ["--ssl-ca=\(ca)", "--ssl-cert=\(certificate)", "--ssl-key=\(key)"]
        }
        return list + extra
    }
}
