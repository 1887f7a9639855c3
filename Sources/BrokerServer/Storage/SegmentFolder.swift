import EmbeddedBroker

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A folder of a partition's files. Every call to the file system goes through it, and tells the file's name where it
/// fails.
final class SegmentFolder {
    enum Call: Hashable {
        case open, read, write, truncate, sync, rename, remove, list
    }

    /// A disk that fails, for tests.
    struct Fault {
        var number: Int32
        /// What a write does before it fails.
        var written = 0
    }

    let path: String
    var fault: ((Call, String) -> Fault?)?

    /// Makes the folder if it is not there.
    init(_ path: String, fault: ((Call, String) -> Fault?)? = nil) throws(StorageError) {
        self.path = path
        self.fault = fault
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Self.error(errno, path) }
    }

    // MARK: - The folder

    func names() throws(StorageError) -> [String] {
        try check(.list, ".")
        guard let folder = unsafe opendir(path) else { throw Self.error(errno, path) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(folder) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { raw in
                unsafe raw.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            names.append(name)
        }
        guard errno == 0 else { throw Self.error(errno, path) }
        return names
    }

    func rename(_ name: String, to newName: String) throws(StorageError) {
        try check(.rename, name)
        guard unsafe Glibc.rename(full(name), full(newName)) == 0 else { throw Self.error(errno, full(name)) }
    }

    /// It is no failure that the file is gone already.
    func remove(_ name: String) throws(StorageError) {
        try check(.remove, name)
        guard unsafe unlink(full(name)) == 0 || errno == ENOENT else { throw Self.error(errno, full(name)) }
    }

    /// Makes what files there are, and their names, outlast a loss of power.
    func sync() throws(StorageError) {
        try check(.sync, ".")
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.error(errno, path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Self.error(errno, path) }
    }

    /// Puts a small file in place as a whole: the old or the new content is there after a crash.
    func replace(_ name: String, with text: String) throws(StorageError) {
        let temporary = name + ".new"
        let file = try DiskFile(self, temporary, .replaced)
        try file.write(Array(text.utf8)[...], at: 0)
        try file.sync()
        try rename(temporary, to: name)
        try sync()
    }

    /// - Returns: nil if there is no such file.
    func text(of name: String, bytesMax: Int = 1 << 20) throws(StorageError) -> String? {
        guard unsafe access(full(name), F_OK) == 0 else { return nil }
        let file = try DiskFile(self, name, .existing)
        return String(
            decoding: try file.read(at: 0, count: min(bytesMax, Int(clamping: try file.size()))), as: UTF8.self)
    }

    // MARK: - For its files

    func full(_ name: String) -> String { path + "/" + name }

    func check(_ call: Call, _ name: String) throws(StorageError) {
        if let fault = fault?(call, name) { throw Self.error(fault.number, full(name)) }
    }

    static func error(_ number: Int32, _ path: String) -> StorageError {
        if number == ENOSPC || number == EDQUOT { return .full }
        return .failed("\(path): \(ServerError.text(of: number))")
    }
}

/// An open file, closed with its last reference.
final class DiskFile {
    enum Opening {
        /// To be read and written.
        case existing
        /// Made, or emptied where there is one.
        case replaced
    }

    private let folder: SegmentFolder
    private(set) var name: String
    private let descriptor: Int32

    init(_ folder: SegmentFolder, _ name: String, _ opening: Opening) throws(StorageError) {
        self.folder = folder
        self.name = name
        let flags = O_RDWR | O_CLOEXEC | (opening == .existing ? 0 : O_CREAT | O_TRUNC)
        let fault = folder.fault?(.open, name)
        descriptor = fault == nil ? unsafe open(folder.full(name), flags, 0o644) : -1
        guard descriptor >= 0 else { throw SegmentFolder.error(fault?.number ?? errno, folder.full(name)) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func size() throws(StorageError) -> Int64 {
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw error(errno) }
        return Int64(end)
    }

    /// Exactly so many bytes, which the caller knows to be there.
    func read(at position: Int64, count: Int) throws(StorageError) -> [UInt8] {
        try folder.check(.read, name)
        var failure: Int32?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let more = unsafe pread(
                    descriptor, buffer.baseAddress.map { unsafe $0 + filled }, count - filled, off_t(position) + filled)
                if more < 0, errno == EINTR { continue }
                guard more > 0 else {
                    failure = more == 0 ? EIO : errno
                    return
                }
                filled += more
            }
        }
        if let failure { throw error(failure) }
        return bytes
    }

    func write(_ bytes: ArraySlice<UInt8>, at position: Int64) throws(StorageError) {
        let fault = folder.fault?(.write, name)
        var failure = fault?.number
        let count = fault.map { min($0.written, bytes.count) } ?? bytes.count
        unsafe bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < count {
                let more = unsafe pwrite(
                    descriptor, buffer.baseAddress.map { unsafe $0 + written }, count - written,
                    off_t(position) + written)
                if more < 0, errno == EINTR { continue }
                guard more > 0 else {
                    failure = more == 0 ? EIO : errno
                    return
                }
                written += more
            }
        }
        if let failure { throw error(failure) }
    }

    func truncate(to size: Int64) throws(StorageError) {
        try folder.check(.truncate, name)
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw error(errno) }
    }

    func sync() throws(StorageError) {
        try folder.check(.sync, name)
        guard fdatasync(descriptor) == 0 else { throw error(errno) }
    }

    func rename(to newName: String) throws(StorageError) {
        try folder.rename(name, to: newName)
        name = newName
    }

    func remove() throws(StorageError) { try folder.remove(name) }

    private func error(_ number: Int32) -> StorageError { SegmentFolder.error(number, folder.full(name)) }
}
