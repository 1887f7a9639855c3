import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An exclusive lock on a file, held until deinit; the system gives it back when the process ends, however it ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// - Returns: nil if another holds it, in this process or another.
    /// - Throws: `STATE_FOLDER`.
    init?(_ path: String) throws {
        // Closed when a child is executed: it must not go on holding the lock.
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard opened >= 0 else { throw FileTrouble.stateFolder("lock", path, errno) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(opened)
            if code == EWOULDBLOCK { return nil }
            throw FileTrouble.stateFolder("lock", path, code)
        }
        descriptor = opened
    }

    deinit { close(descriptor) }
}

/// Errors of files, with what the system says about them.
enum FileTrouble {
    static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    static func stateFolder(_ verb: String, _ path: String, _ code: Int32) -> StreamError {
        StreamError(
            "STATE_FOLDER", "Could not \(verb) '\(path)': \(reason(code)).",
            remedy: "Check the state folder's owner, its rights and the disk's space.", domain: .external)
    }
}
