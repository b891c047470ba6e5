/// MySQLSettings and extra connection attributes: what Godwit does by itself is accepted and changes nothing, what it would do
/// otherwise than asked is refused by name. Source of the names: DMS user guide, "Using a MySQL-compatible database as a source".
enum EndpointAttributes {
    /// Accepted without effect: timings and sizes of another engine, and what holds here anyway.
    private static let accepted: Set<String> = [
        "connectiontimeout", "connecttimeout", "executetimeout", "eventspollinterval", "cleansourcemetadataonmismatch",
        "cleansrcmetadataonmismatch", "skiptablesuspensionforpartitionddl", "ignoreopenxatransactionscheck",
        "parallelloadthreads", "maxfilesize", "loadusingcsv", "charsetmapping", "resumefetchforxrows", "unloadtimeout",
        "cdctimeout", "authenticationmethod", "serviceaccessrolearn",
    ]

    /// `key=value;key=value`
    static func check(_ attributes: String) throws(APIFault) {
        for part in attributes.split(separator: ";") where !part.allSatisfy(\.isWhitespace) {
            let pair = part.split(separator: "=", maxSplits: 1).map { String($0.drop(while: \.isWhitespace)) }
            guard pair.count == 2 else { throw .value("The extra connection attribute '\(part)' has no value.") }
            try check(pair[0], pair[1])
        }
    }

    static func check(settings: [String: JSON]) throws(APIFault) {
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) where value != .null {
            try check(name, value.text ?? value.integer.map(String.init) ?? "")
        }
    }

    private static func check(_ name: String, _ value: String) throws(APIFault) {
        let key = name.lowercased()
        if accepted.contains(key) { return }
        switch key {
        case "initstmt", "afterconnectscript":
            // What such statements are for, the engine does in its own sessions.
            let harmless = ["set foreign_key_checks=0", "set autocommit=1", "set time_zone='+00:00'", ""]
            let statements = value.lowercased().split(separator: ";").map {
                $0.split(whereSeparator: \.isWhitespace).joined(separator: " ").replacing(" = ", with: "=")
            }
            guard statements.allSatisfy(harmless.contains) else {
                throw .value("\(name) is not offered but for SET FOREIGN_KEY_CHECKS=0, SET AUTOCOMMIT=1 and SET time_zone='+00:00'.")
            }
        case "targetdbtype":
            guard ["multiple-databases", "multiple_databases"].contains(value.lowercased()) else {
                throw .value("TargetDbType \(value) is not offered: a transformation rule renames a schema.")
            }
        case "servertimezone":
            guard ["utc", "+00:00", "gmt", "etc/utc", ""].contains(value.lowercased()) else {
                throw .value("ServerTimezone \(value) is not offered: TIMESTAMP is moved as UTC always, whatever the servers' zones.")
            }
        default: throw .value("The connection attribute \(name) is not known here.")
        }
    }
}
