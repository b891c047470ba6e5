import Foundation
import SystemPackage

#if os(Linux)
    import CXattr
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Files of the host: read whole, and replaced so that a reader, or a crash, sees the old one or the new one.
package enum HostFile {
    /// Owner, group and the twelve mode bits.
    package struct Attributes: Sendable, Hashable, Codable {
        package var owner: UInt32
        package var group: UInt32
        package var mode: UInt32
        package init(owner: UInt32, group: UInt32, mode: UInt32) {
            self.owner = owner
            self.group = group
            self.mode = mode
        }
        /// Of this process, readable and writable by its user only.
        package static var secret: Attributes { Attributes(owner: geteuid(), group: getegid(), mode: 0o600) }
    }

    /// Bytes that a file of the host may have; what Godwit reads here are settings and certificates.
    static let limit = 16 << 20

    package static func read(_ path: String) throws(HostError) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            defer { try? file.close() }  // nothing was written
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
                guard bytes.count <= limit else {
                    throw HostError(.refused, "\(path) is larger than \(limit >> 20) MB.")
                }
            }
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError(.failed, "\(path) can't be read: \(error).")
        }
    }

    package static func exists(_ path: String) -> Bool {
        // Also a link that leads nowhere is there.
        (try? FileManager.default.attributesOfItem(atPath: path)) != nil
    }

    /// Writes a file that replaces the one of this name as a whole: a new file beside it, on the disk before it gets the name.
    ///
    /// `like`: a file whose extended attributes (access lists, labels) the new one gets.
    package static func replace(
        _ path: String, with bytes: [UInt8], _ attributes: Attributes, like: String? = nil
    ) throws(HostError) {
        let target = FilePath(path)
        let folder = target.removingLastComponent()
        let new = folder.appending(".\(target.lastComponent?.string ?? "file").godwit-\(UInt64.random(in: 0 ... .max))")
        do {
            let file = try FileDescriptor.open(
                new, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec], permissions: .ownerReadWrite)
            do {
                try file.closeAfter {
                    try file.writeAll(bytes)
                    // Before the mode: a change of owner takes set-user-ID bits away.
                    if attributes.owner != geteuid() || attributes.group != getegid() {
                        try check(fchown(file.rawValue, attributes.owner, attributes.group))
                    }
                    try check(fchmod(file.rawValue, mode_t(attributes.mode & 0o7777)))
                    if let like { try ExtendedAttributes.copy(from: like, to: file.rawValue) }
                    try check(fsync(file.rawValue))
                }
                try check(rename(new.string, path))
            } catch {
                try? FileManager.default.removeItem(atPath: new.string)  // the first error is the one to tell
                throw error
            }
            try sync(folder: folder)
        } catch {
            throw HostError(.failed, "\(path) can't be written: \(error).", why: "What stood there before still does.")
        }
    }

    /// Makes a file that must not be there yet, and puts it on the disk.
    package static func create(_ path: String, _ bytes: [UInt8], _ attributes: Attributes = .secret) throws(HostError) {
        guard !exists(path) else { throw HostError(.refused, "\(path) is there already.", why: "Godwit does not write over it.") }
        try replace(path, with: bytes, attributes)
    }

    /// Makes a folder for its owner only, and those above it that are missing.
    package static func makeFolder(_ path: String) throws(HostError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw HostError(.failed, "The folder \(path) can't be made: \(error.localizedDescription).")
        }
    }

    package static func remove(_ path: String) throws(HostError) {
        do {
            try FileManager.default.removeItem(atPath: path)
            try sync(folder: FilePath(path).removingLastComponent())
        } catch {
            throw HostError(.failed, "\(path) can't be removed: \(error).")
        }
    }

    /// A name that was given, changed or taken away survives a power cut.
    static func sync(folder: FilePath) throws {
        let path = folder.string.isEmpty ? "." : folder.string
        let descriptor = try FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec])
        try descriptor.closeAfter { try check(fsync(descriptor.rawValue)) }
    }

    static func check(_ result: Int32) throws {
        if result != 0 { throw Errno(rawValue: errno) }
    }
}

/// Access lists and security labels. Source: xattr(7).
enum ExtendedAttributes {
    /// Copies all that the file system lets this process set.
    static func copy(from path: String, to file: Int32) throws {
        #if os(Linux)
            let size = listxattr(path, nil, 0)
            guard size > 0 else { return }
            var names = [CChar](repeating: 0, count: size)
            let count = listxattr(path, &names, size)
            guard count >= 0 else { throw Errno(rawValue: errno) }
            for name in names[..<count].split(separator: 0) {
                let name = Array(name) + [0]
                let length = getxattr(path, name, nil, 0)
                guard length >= 0 else { throw Errno(rawValue: errno) }
                var value = [UInt8](repeating: 0, count: max(1, length))
                let got = getxattr(path, name, &value, length)
                guard got >= 0 else { throw Errno(rawValue: errno) }
                try HostFile.check(fsetxattr(file, name, value, got, 0))
            }
        #endif
    }
}
