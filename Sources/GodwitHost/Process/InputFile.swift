import Foundation
import SystemPackage

/// A program's standard input as a file without a name. Not the library's `.string`: where the program ends, or the task is
/// cancelled, before all of it is read, swift-subprocess 1.0.2 leaves its pipe open and ends this process for it ("was not closed").
package enum InputFile {
    /// Open for reading from its start; whoever takes it closes it.
    package static func make(_ text: String) throws -> FileDescriptor {
        let path = FilePath(NSTemporaryDirectory()).appending("godwit-input-\(UUID().uuidString)")
        let file = try FileDescriptor.open(path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        do {
            try FileManager.default.removeItem(atPath: path.string)
            try file.writeAll(text.utf8)
            try file.seek(offset: 0, from: .start)
            return file
        } catch {
            try file.close()
            throw error
        }
    }
}
