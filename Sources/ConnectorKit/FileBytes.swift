#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// Why a file cannot be used, as the end of a sentence: "does not exist".
public struct FileProblem: Error, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }

    /// What `errno` says.
    public static func system(_ code: Int32) -> FileProblem {
        switch code {
        case ENOENT: FileProblem("does not exist")
        case EACCES, EPERM: FileProblem("may not be read by this user")
        case EISDIR: FileProblem("is a folder")
        default: FileProblem("cannot be used: " + String(cString: strerror(code)))
        }
    }
}

/// Small files, read as a whole: configurations and secrets.
public enum FileBytes {
    /// Reads a regular file (or standard input as `-`) of at most `limit` bytes.
    /// - Throws: `FileProblem`
    public static func read(_ path: String, limit: Int = 1 << 20) throws -> [UInt8] {
        let descriptor = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem.system(errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = readBytes(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileProblem.system(errno)
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw FileProblem("is larger than \(limit >> 10) KiB") }
            bytes += chunk[..<count]
        }
    }
}

/// `read(2)`, under a name that the static function above does not hide.
private func readBytes(_ descriptor: Int32, _ buffer: inout [UInt8], _ count: Int) -> Int {
    read(descriptor, &buffer, count)
}
