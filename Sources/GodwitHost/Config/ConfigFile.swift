import Foundation
import SystemPackage

/// A settings file on the disk: read, edited as a value, and put back as a whole with its owner, its mode and a backup.
package struct ConfigFile: Sendable {
    /// Where it really lies: links are followed, so that a link stays one.
    package let path: String
    package let bytes: [UInt8]
    package let attributes: HostFile.Attributes

    package init(_ path: String) throws(HostError) {
        let real: String
        let status: Stat
        do {
            real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            status = try Stat(FilePath(real))
        } catch {
            throw HostError(.refused, "\(path) can't be opened: \(error).")
        }
        guard status.type == .regular else { throw HostError(.refused, "\(path) is not a file.") }
        guard status.linkCount == 1 else {
            throw HostError(
                .refused, "\(path) has \(status.linkCount) names (hard links).", why: "Replaced as a whole, the other names would keep the old text.",
                cure: "Make it a file of its own, or change it by hand.")
        }
        self.path = real
        attributes = HostFile.Attributes(
            owner: status.userID.rawValue, group: status.groupID.rawValue, mode: UInt32(status.permissions.rawValue))
        bytes = try HostFile.read(real)
    }

    /// Puts a new text in its place, if the file is still what was read.
    package func replace(with new: [UInt8]) throws(HostError) {
        guard try HostFile.read(path) == bytes else {
            throw HostError(.failed, "\(path) was changed by somebody else meanwhile.", why: "Nothing was changed.", cure: "Run the command again.")
        }
        try HostFile.replace(path, with: new, attributes, like: path)
    }

    /// Keeps a copy in a folder, for its owner only; its path.
    package func backup(in folder: String) throws(HostError) -> String {
        try HostFile.makeFolder(folder)
        let name = FilePath(path).lastComponent?.string ?? "file"
        let copy = "\(folder)/\(name).\(LinePatch.hash(bytes[...]).prefix(16))"
        // One of the same text is as good.
        if HostFile.exists(copy), try HostFile.read(copy) == bytes { return copy }
        try HostFile.create(copy, bytes)
        return copy
    }
}
