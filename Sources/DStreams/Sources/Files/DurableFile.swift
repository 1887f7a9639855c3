import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Files that survive a crash of the machine: written, flushed, and only then under their name.
enum DurableFile {
    /// What a call of the system answered, and for which file.
    struct Failure: Error {
        var verb: String
        var path: String
        var code: Int32
    }

    /// Makes a folder and those above it, as far as they are missing.
    static func makeFolders(_ path: String) throws(Failure) {
        var built = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: true) {
            built += built.isEmpty && !path.hasPrefix("/") ? String(part) : "/\(part)"
            if mkdir(built, 0o755) == 0 {
                try flushFolder(parent(of: built))
            } else if errno != EEXIST, errno != EISDIR {
                throw Failure(verb: "create", path: built, code: errno)
            }
        }
    }

    /// Replaces a file as a whole: a reader finds the old or the new one.
    static func replace(_ path: String, _ bytes: [UInt8]) throws(Failure) {
        let draft = path + ".new"
        try write(draft, bytes)
        guard rename(draft, path) == 0 else { throw Failure(verb: "rename", path: draft, code: errno) }
        try flushFolder(parent(of: path))
    }

    /// Writes a file that is not there yet, or replaces its content, and flushes it.
    static func write(_ path: String, _ bytes: [UInt8]) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure(verb: "create", path: path, code: errno) }
        defer { close(descriptor) }
        try append(bytes, to: descriptor, path)
        guard fsync(descriptor) == 0 else { throw Failure(verb: "flush", path: path, code: errno) }
    }

    static func append(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                systemWrite(descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(verb: "write", path: path, code: count < 0 ? errno : ENOSPC) }
            done += count
        }
    }

    /// Makes names in a folder durable: what was created, renamed or removed there.
    static func flushFolder(_ path: String) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(verb: "open", path: path, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure(verb: "flush", path: path, code: errno) }
    }

    /// The whole file, or nil where there is none.
    static func read(_ path: String) throws(Failure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Failure(verb: "open", path: path, code: errno)
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw Failure(verb: "read", path: path, code: errno) }
        return try read(descriptor, path, from: 0, count: Int(information.st_size))
    }

    /// Bytes of a file from a place on; fewer than asked for where it ends before.
    static func read(_ descriptor: Int32, _ path: String, from offset: Int64, count: Int) throws(Failure) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
            while filled < count {
                let got = pread(
                    descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset) + off_t(filled))
                if got < 0, errno == EINTR { continue }
                if got < 0 { code = errno }
                if got <= 0 { break }
                filled += got
            }
        }
        guard code == 0 else { throw Failure(verb: "read", path: path, code: code) }
        return bytes
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension DurableFile.Failure {
    var inStateFolder: StreamError { FileTrouble.stateFolder(verb, path, code) }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
