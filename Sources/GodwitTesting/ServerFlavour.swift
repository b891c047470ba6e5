import Foundation
import SystemPackage

/// The servers that tests run against, and how their programs are run.
package enum ServerFlavour: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// MySQL 9.x, unpacked by `script/setup-servers`, or the one that `GODWIT_MYSQLD` names.
    case mysql9
    /// MariaDB 10.11 of the distribution, or the one that `GODWIT_MARIADBD` names.
    case mariadb
    /// MariaDB 11.8, unpacked by `script/setup-servers`, or the one that `GODWIT_MARIADBD_11` names.
    case mariadb11

    /// One of each family. MariaDB 11.8 stands where a test asks for it.
    package static let allCases: [ServerFlavour] = [.mysql9, .mariadb]

    package var isMariaDB: Bool { self != .mysql9 }

    package var description: String {
        switch self {
        case .mysql9: "MySQL 9"
        case .mariadb: "MariaDB"
        case .mariadb11: "MariaDB 11.8"
        }
    }

    /// The variable that says whether the server refuses writes. MariaDB has none that holds for a superuser.
    package var writeBlock: String { self == .mysql9 ? "super_read_only" : "read_only" }

    /// One program with the arguments that must come first.
    package struct Command: Sendable {
        package var program: String
        package var arguments: [String]
    }

    package var server: Command { tool("mysqld") }
    package var client: Command { tool("mysql") }

    /// - Parameter name: MySQL's name of the tool: `mysqld`, `mysql`, `mysqladmin`, `mysqlbinlog`, `mysqldump`.
    package func tool(_ name: String) -> Command {
        switch self {
        case .mysql9:
            return Command(program: Self.script("lib/mysql9"), arguments: [name])
        case .mariadb:
            if name == "mysqld" {
                let own = ProcessInfo.processInfo.environment["GODWIT_MARIADBD"] ?? ""
                let user = "--user=\(NSUserName())"
                return Command(program: own.isEmpty ? "/usr/sbin/mariadbd" : own, arguments: ["--no-defaults", user])
            }
            let new = name == "mysql" ? "mariadb" : "mariadb-" + name.dropFirst(5)
            return Command(program: mariaTool(new), arguments: ["--no-defaults"])
        case .mariadb11:
            let new = name == "mysqld" ? "mariadbd" : name == "mysql" ? "mariadb" : "mariadb-" + name.dropFirst(5)
            return Command(program: Self.script("lib/mariadb11"), arguments: [new])
        }
    }

    /// MariaDB's programs beside the named server, in `../bin`, or on the machine.
    func mariaTool(_ name: String) -> String {
        guard let own = ProcessInfo.processInfo.environment["GODWIT_MARIADBD"], !own.isEmpty else {
            return "/usr/bin/\(name)"
        }
        let folder = FilePath(own).removingLastComponent()
        let places = ["", "../bin", "../scripts"].map { folder.appending($0).appending(name).string }
        return places.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "/usr/bin/\(name)"
    }

    /// A file of the checkout's `script` folder.
    package static func script(_ name: String) -> String {
        var path = FilePath(#filePath)
        for _ in 0..<3 { path.removeLastComponent() }
        return path.appending("script").appending(FilePath(name).components).string
    }
}
