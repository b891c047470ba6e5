import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One service per state folder: a lock that the system lets go of when the process ends, however it ends.
struct FolderLock {
    private let descriptor: FileDescriptor

    init(_ file: FilePath) throws {
        descriptor = try FileDescriptor.open(
            file, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerRead, .ownerWrite])
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            try? descriptor.close()
            throw ServerError("Another service runs with this state folder.", cure: "Stop it first, or name another --state.")
        }
    }

    func release() { try? descriptor.close() }
}
