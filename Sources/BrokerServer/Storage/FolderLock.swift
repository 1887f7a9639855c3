package import EmbeddedBroker

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Keeps a second server away from a data folder. The system lets go of it when the process ends, however it does.
package final class FolderLock {
    private let descriptor: Int32

    /// - Throws: `failed` where another holds it.
    package init(folder: String) throws(StorageError) {
        let path = folder + "/.lock"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SegmentFolder.error(errno, path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw SegmentFolder.error(errno, path) }
            throw .failed("\(path): another server uses this folder")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}
