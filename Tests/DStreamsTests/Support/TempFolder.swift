import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A folder of one test's own, removed with it.
final class TempFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/dstreams-test-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/tmp"
        }
    }

    deinit { remove(path) }

    private func remove(_ path: String) {
        for name in Self.names(in: path) { remove(path + "/" + name) }
        if rmdir(path) != 0 { unlink(path) }
    }

    /// Every name in a folder, sorted; none where there is no folder.
    static func names(in path: String) -> [String] {
        guard let handle = opendir(path) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func names(_ folder: String = "") -> [String] { Self.names(in: path + "/" + folder) }

    func makeFolder(_ name: String) { mkdir(path + "/" + name, 0o755) }

    /// Writes a file and sets when it was changed.
    func write(_ name: String, _ text: String, modifiedMs: Int64? = nil, appends: Bool = false) {
        write(name, Array(text.utf8), modifiedMs: modifiedMs, appends: appends)
    }

    func write(_ name: String, _ bytes: [UInt8], modifiedMs: Int64? = nil, appends: Bool = false) {
        guard let file = fopen(path + "/" + name, appends ? "a" : "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
        guard let modifiedMs else { return }
        let time = timespec(tv_sec: Int(modifiedMs / 1000), tv_nsec: Int(modifiedMs % 1000) * 1_000_000)
        utimensat(AT_FDCWD, path + "/" + name, [time, time], 0)
    }

    func read(_ name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    func bytes(_ name: String) -> [UInt8]? {
        guard let file = fopen(path + "/" + name, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    func rename(_ name: String, _ newName: String) { moveFile(path + "/" + name, path + "/" + newName) }

    /// What a crash at this moment leaves behind, in a folder of its own.
    func copy() -> TempFolder {
        let copy = TempFolder()
        copyAll("", to: copy)
        return copy
    }

    /// Takes the other's content instead of its own; its locks are those of nobody.
    func replace(with other: TempFolder) {
        for name in names() { remove(path + "/" + name) }
        other.copyAll("", to: self)
    }

    /// Every file below a folder with its size.
    func allFiles(_ folder: String) -> [String] {
        names(folder).flatMap { name in
            let name = folder + "/" + name
            var information = stat()
            guard stat(path + "/" + name, &information) == 0 else { return [String]() }
            return information.st_mode & S_IFMT == S_IFDIR ? allFiles(name) : ["\(name) \(information.st_size)"]
        }
    }

    private func copyAll(_ folder: String, to copy: TempFolder) {
        for name in names(folder) {
            let name = folder.isEmpty ? name : folder + "/" + name
            var information = stat()
            guard stat(path + "/" + name, &information) == 0 else { continue }
            if information.st_mode & S_IFMT == S_IFDIR {
                copy.makeFolder(name)
                copyAll(name, to: copy)
            } else {
                let modified = information.st_mtim
                let modifiedMs = Int64(modified.tv_sec) * 1000 + Int64(modified.tv_nsec) / 1_000_000
                copy.write(name, bytes(name) ?? [], modifiedMs: modifiedMs)
            }
        }
    }

    func delete(_ name: String) { unlink(path + "/" + name) }
}

private func moveFile(_ from: String, _ to: String) { rename(from, to) }
