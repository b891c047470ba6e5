import CXattr
import Foundation
import GodwitHost
import GodwitTesting
import SystemPackage
import Testing

/// Files on the disk: replaced as a whole, with all that they had but their text.
@Suite struct ConfigFileTests {
    private static func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
    private static func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func keepsOwnerModeAndAttributes() async throws {
        try await withTemporaryFolder("config") { folder in
            let path = folder.appending("packagecloud.rb").string
            try Self.write("a = 1\n", path)
            let isRoot = geteuid() == 0
            if isRoot { #expect(chown(path, 1234, 4321) == 0) }
            #expect(chmod(path, 0o640) == 0)
            let hasAttributes = setxattr(path, "user.note", "kept", 4, 0) == 0
            let file = try ConfigFile(path)
            let copy = try file.backup(in: folder.appending("state/backups").string)
            try file.replace(with: Array("a = 2\n".utf8))
            #expect(try Self.read(path) == "a = 2\n")
            let status = try Stat(FilePath(path))
            #expect(status.permissions.rawValue == 0o640)
            if isRoot {
                #expect(status.userID.rawValue == 1234)
                #expect(status.groupID.rawValue == 4321)
            }
            if hasAttributes {
                var value = [UInt8](repeating: 0, count: 16)
                #expect(getxattr(path, "user.note", &value, 16) == 4)
            }
            #expect(try Self.read(copy) == "a = 1\n")
            #expect(try Stat(FilePath(copy)).permissions.rawValue == 0o600)
            #expect(try Stat(FilePath(copy).removingLastComponent()).permissions.rawValue == 0o700)
            // Nothing is left beside it.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted() == ["packagecloud.rb", "state"])
            // Kept once.
            #expect(try ConfigFile(copy).backup(in: folder.appending("state/backups").string) != copy)
        }
    }

    @Test func aLinkStaysOne() async throws {
        try await withTemporaryFolder("config") { folder in
            let real = folder.appending("real.rb").string, link = folder.appending("link.rb").string
            try Self.write("a = 1\n", real)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "real.rb")
            try ConfigFile(link).replace(with: Array("a = 2\n".utf8))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "real.rb")
            #expect(try Self.read(real) == "a = 2\n")
        }
    }

    @Test func refusesWhatItCouldNotKeep() async throws {
        try await withTemporaryFolder("config") { folder in
            let path = folder.appending("a.rb").string
            try Self.write("a = 1\n", path)
            let file = try ConfigFile(path)
            // Changed by somebody else.
            try Self.write("a = 3\n", path)
            #expect(throws: HostError.self) { try file.replace(with: Array("a = 2\n".utf8)) }
            #expect(try Self.read(path) == "a = 3\n")
            #expect(link(path, folder.appending("b.rb").string) == 0)
            #expect(throws: HostError.self) { try ConfigFile(path) }
            #expect(throws: HostError.self) { try ConfigFile(folder.string) }
            #expect(throws: HostError.self) { try ConfigFile(folder.appending("missing").string) }
        }
    }

    /// A full disk: the old text stays, and nothing beside it.
    @Test(.enabled(Comment(rawValue: SmallDisk.need)) { await SmallDisk.isPossible() }) func aFullDisk() async throws {
        try await withSmallDisk(megabytes: 1) { disk in
            let path = disk.path.appending("a.rb").string
            try Self.write("a = 1\n", path)
            let file = try ConfigFile(path)
            #expect(throws: HostError.self) { try file.replace(with: [UInt8](repeating: 65, count: 4 << 20)) }
            #expect(try Self.read(path) == "a = 1\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path.string) == ["a.rb"])
        }
    }
}
