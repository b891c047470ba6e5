import Foundation
import SystemPackage

/// What reading a plan needs of the machine: its environment and its files. Tests hand in values.
package struct PlanFiles: Sendable {
    package var environment: [String: String]
    /// The bytes of a file by its path; throws a short reason (`no such file`).
    package var read: @Sendable (String) throws(Unreadable) -> [UInt8]

    package struct Unreadable: Error, Sendable {
        package var reason: String
        package init(reason: String) { self.reason = reason }
    }

    package init(
        environment: [String: String], read: @escaping @Sendable (String) throws(Unreadable) -> [UInt8]
    ) {
        self.environment = environment
        self.read = read
    }

    /// More bytes than any plan, mapping, settings, password or certificate file has.
    static let bytesMax = 16 << 20

    /// The process's own environment and the file system.
    package static var live: PlanFiles {
        PlanFiles(environment: ProcessInfo.processInfo.environment) { (path) throws(Unreadable) in
            do {
                let file = try FileDescriptor.open(FilePath(path), .readOnly)
                return try file.closeAfter {
                    var bytes: [UInt8] = []
                    var buffer = [UInt8](repeating: 0, count: 64 << 10)
                    while true {
                        let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                        if count == 0 { return bytes }
                        bytes += buffer[..<count]
                        guard bytes.count <= bytesMax else {
                            throw Unreadable(reason: "it has more than \(bytesMax >> 20) MiB, and no such file has")
                        }
                    }
                }
            } catch let error as Unreadable {
                throw error
            } catch let error as Errno {
                throw Unreadable(reason: error.description.lowercased())
            } catch {
                throw Unreadable(reason: "can't be read")
            }
        }
    }

    /// `path` as seen from the plan's folder.
    static func resolve(_ path: String, beside plan: String) -> String {
        FilePath(plan).removingLastComponent().pushing(FilePath(path)).string
    }
}
