public import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Who an instance of a query is, stable across restarts: a random id of the installation and the lowest free slot.
///
/// From it come the transactional id and the static member's id, so that a process that was killed aborts its own
/// dangling transaction and has its splits back at once. The slot is held by a lock on a file as long as this object
/// lives; the system gives it back when the process ends, however it ends.
public final class InstanceIdentity: Sendable, CustomStringConvertible {
    public let query: QueryName
    /// Sixteen hexadecimal digits.
    public let installation: String
    public let slot: Int
    /// Whether it is the same after a restart.
    public let isStable: Bool
    private let lock: FileLock?

    /// `<query>-<installation>-<slot>`: the transactional id and the group's instance id.
    public var name: String { "\(query)-\(installation)-\(slot)" }

    public var description: String { name }

    /// - Parameter folder: the state folder, made if it is missing; nil: an identity for this process only, whose
    ///   recovery waits for the time-outs.
    /// - Throws: `StreamError` `STATE_FOLDER` where the folder cannot be used.
    public init(query: QueryName, folder: String?) throws(StreamError) {
        self.query = query
        guard let folder else {
            installation = Self.randomID()
            slot = 0
            isStable = false
            lock = nil
            return
        }
        let slots = folder + "/slots"
        for path in [folder, slots] {
            guard unsafe mkdir(path, 0o750) == 0 || errno == EEXIST else { throw Self.error("create", path) }
        }
        installation = try Self.installation(in: folder)
        isStable = true
        let file = slots + "/" + Self.fileName(query)
        var found: (Int, FileLock)?
        for number in 0..<4096 where found == nil {
            if let lock = try FileLock("\(file).\(number)") { found = (number, lock) }
        }
        guard let found else {
            throw StreamError(
                "STATE_FOLDER", "All 4096 slots of query '\(query)' in '\(folder)' are taken.",
                remedy: "Stop some instances, or use another state folder.", domain: .external)
        }
        (slot, lock) = found
    }

    /// Reads the installation's id; the first process writes it. Linking decides who was first.
    private static func installation(in folder: String) throws(StreamError) -> String {
        let path = folder + "/installation"
        if let id = read(path) { return id }
        let draft = "\(path).\(getpid()).\(randomID())"
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw error("write", draft) }
        defer { _ = unsafe unlink(draft) }
        let bytes = Array("\(randomID())\n".utf8)
        let isWritten = unsafe write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten else { throw error("write", draft) }
        guard unsafe link(draft, path) == 0 || errno == EEXIST else { throw error("write", path) }
        guard let id = read(path) else {
            throw StreamError(
                "STATE_FOLDER", "'\(path)' does not hold an installation's id.",
                remedy: "Delete the file: a new id is made, and old transactions end by their time-outs.",
                domain: .external
            )
        }
        return id
    }

    private static func read(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe readBytes(descriptor, &bytes, bytes.count)
        guard count >= 16 else { return nil }
        let id = String(decoding: bytes[..<16], as: UTF8.self)
        return id.allSatisfy { $0.isASCII && $0.isHexDigit } ? id : nil
    }

    private static func randomID() -> String {
        var random = SystemRandomNumberGenerator()
        let digits = String(random.next(), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Letters, digits, dots and dashes stay; everything else is spelled in hexadecimal.
    private static func fileName(_ query: QueryName) -> String {
        query.text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isPlain = scalar.properties.isAlphabetic && byte < 128 || (48...57).contains(byte) || byte == 45
            return isPlain ? String(scalar) : "%" + String(byte, radix: 16)
        }.joined()
    }

    fileprivate static func error(_ verb: String, _ path: String) -> StreamError {
        let reason = unsafe String(cString: strerror(errno))
        return StreamError(
            "STATE_FOLDER", "Could not \(verb) '\(path)': \(reason).",
            remedy: "The state folder must be writable for the user that runs the query.", domain: .external)
    }
}

/// An exclusive lock on a file, held until deinit.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// - Returns: nil if another holds it, in this process or another.
    init?(_ path: String) throws(StreamError) {
        // Closed when a child is executed: it must not go on holding the slot.
        let opened = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard opened >= 0 else { throw InstanceIdentity.error("lock", path) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let isTaken = errno == EWOULDBLOCK
            let failure = InstanceIdentity.error("lock", path)
            close(opened)
            if isTaken { return nil }
            throw failure
        }
        descriptor = opened
    }

    deinit { close(descriptor) }
}

private func readBytes(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    unsafe read(descriptor, buffer, count)
}
