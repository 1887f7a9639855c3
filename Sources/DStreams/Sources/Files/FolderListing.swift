import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Looks into folders, as Spark's file stream does: plain files of the folder itself.
enum FolderListing {
    /// Files that are not hidden: names beginning with `.` or `_`, and those that a copy is still writing to.
    /// - Throws: `FOLDER_UNREADABLE`.
    static func files(in folder: String, where isWanted: (String) -> Bool) throws -> [FolderFile] {
        guard let handle = opendir(folder) else {
            throw StreamError(
                "FOLDER_UNREADABLE", "Could not list the folder '\(folder)': \(FileTrouble.reason(errno)).",
                remedy: "Check that it exists and that this user may read it.", domain: .external, recovery: .retry)
        }
        defer { closedir(handle) }
        let base = folder.hasSuffix("/") ? folder : folder + "/"
        var found: [FolderFile] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") || name.hasPrefix("_") || name.hasSuffix("._COPYING_") { continue }
            let path = base + name
            // What is gone meanwhile was never there.
            guard let file = file(path), isWanted(path) else { continue }
            found.append(file)
        }
        return found
    }

    private static func file(_ path: String) -> FolderFile? {
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        let modified = information.st_mtim
        return FolderFile(
            path: path, size: Int64(information.st_size),
            modifiedMs: Int64(modified.tv_sec) * 1000 + Int64(modified.tv_nsec) / 1_000_000)
    }

    /// Without the dependence on the folder that the process was started in, and one spelling for one folder.
    static func absolute(_ path: String) -> String {
        var text = path
        while text.count > 1, text.hasSuffix("/") { text.removeLast() }
        if text.hasPrefix("/") { return text }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard getcwd(&buffer, buffer.count) != nil else { return text }
        let current = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return current + "/" + (text.hasPrefix("./") ? String(text.dropFirst(2)) : text)
    }
}
