import MySQLWire

/// What an error of a server means for whoever runs Godwit: the side, the reason, the cure, in sentences.
package enum ServerTrouble {
    /// - Parameter hasTask: the run holds the task, so that the same command goes on from its checkpoint.
    package static func explain(_ error: MySQLError, hasTask: Bool = false) -> EngineError {
        let peer = error.peer ?? "the server"
        let kind: EngineError.Kind = hasTask ? .resumable : .failed
        let again = hasTask ? "then run the same command again: it goes on where it stopped" : "then run the command again"
        switch reason(error) {
        case .connection where error.peer == nil, .login where error.peer == nil:
            return EngineError(kind, error.message, cure: reason(error) == .login ? loginCure(error) : error.cure)
        case .connection:
            return EngineError(kind, "No connection to \(peer).", why: error.message, cure: error.cure)
        case .login:
            return EngineError(kind, "No connection to \(peer).", why: error.message, cure: loginCure(error))
        case .fullDisk:
            return EngineError(
                kind, "A disk of \(peer) is full.", why: error.message,
                cure: "Make space there (data, temporary files, binary log), \(again).")
        case .denied:
            return EngineError(
                kind, "The account lacks a privilege on \(peer).", why: error.message,
                cure: "GRANT it (`godwit check` shows the statement), \(again).")
        case .readOnly:
            return EngineError(
                kind, "\(capitalized(peer)) is read-only.", why: error.message,
                cure: "SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF; there, \(again).")
        case .other:
            guard let peer = error.peer else { return EngineError(.failed, error.message, cure: error.cure) }
            return EngineError(.failed, "\(capitalized(peer)) gave an error.", why: error.message, cure: error.cure)
        }
    }

    /// Is a missing privilege the reason, so that the grants are worth reading again?
    package static func isDenied(_ error: MySQLError) -> Bool { reason(error) == .denied }

    private enum Reason { case connection, login, fullDisk, denied, readOnly, other }

    private static func reason(_ error: MySQLError) -> Reason {
        switch error.code {
        case .connect, .tls, .authentication: return .connection
        case .timeout, .connectionClosed, .cancelled, .protocolViolation, .usage: return .other
        case .server: break
        }
        // Numbers: MySQL manual, "Server Error Message Reference" and "Global Error Message Reference".
        switch error.serverCode ?? 0 {
        // A binary log dump without REPLICATION SLAVE is refused as a login is.
        case 1045 where !error.isLogin: return .denied
        case 1045, 1129, 1130, 1226, 1698, 1820, 1862, 3118, 3955, 4151: return .login
        case 1021, 1114, 1878: return .fullDisk
        // Errors of files, which carry the system's error number: 28 is ENOSPC.
        case 3, 20, 1026, 1030, 1598:
            let marks = ["errno: 28", "error 28", "No space left on device", "Errcode: 28"]
            return marks.contains { error.message.contains($0) } ? .fullDisk : .other
        case 1044, 1142, 1143, 1227, 1370: return .denied
        case 1290, 1836: return error.message.contains("read") ? .readOnly : .other
        default: return .other
        }
    }

    private static func loginCure(_ error: MySQLError) -> String {
        switch error.serverCode {
        case 1045 where error.message.contains("using password: NO"):
            "Give the password in the plan (`password: { env: NAME }` or `{ file: PATH }`), or correct the user."
        case 1045, 1698: "Correct user and password in the plan, or the account on the server."
        case 1129: "FLUSH HOSTS on the server: it blocks this machine after many broken connections."
        case 1130: "Create the account for this machine: CREATE USER 'user'@'host' …"
        case 1820, 1862: "Give the account a new password (ALTER USER), and write it where the plan takes it from."
        case 3118, 4151: "Unlock the account: ALTER USER … ACCOUNT UNLOCK."
        default: "Wait, or raise the account's limits on the server."
        }
    }

    private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
