@testable import MySQLWire

enum TLSProbe {
    /// Reads the files as a connection would.
    static func check(_ tls: MySQLTLS) throws(MySQLError) {
        _ = try TLSSetup(tls, address: .tcp(host: "localhost", port: 3306))
    }
}

extension Result {
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
