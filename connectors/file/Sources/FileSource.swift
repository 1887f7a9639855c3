public import CommitProtocol
public import ConnectorKit
private import StreamCore

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// The `file` source.
public struct FileSource: Source {
    private let path: String
    private let lineBytesMax: Int
    private let context: ConnectorContext

    public init(path: String, lineBytesMax: Int = 1 << 20, _ context: ConnectorContext) {
        self.path = path
        self.lineBytesMax = lineBytesMax
        self.context = context
    }

    public var isReplayable: Bool { true }
    public var isBounded: Bool { true }

    public func makeInput() -> any InputPort { FileInput(path: path, lineBytesMax: lineBytesMax) }
}

/// Finds the files that a path, a folder or a pattern means.
enum FileList {
    /// Absolute paths, sorted.
    /// - Throws: `StreamError` `FILE_NOT_FOUND`, `FILE_UNREADABLE`
    static func files(_ path: String) throws -> [String] {
        var information = stat()
        let absolute = try absolutePath(path)
        var found: [String] = []
        if stat(absolute, &information) == 0 {
            found = isFolder(information) ? try folder(absolute) : [absolute]
        } else if absolute.contains(where: { "*?[".contains($0) }) {
            found = try pattern(absolute)
        }
        guard !found.isEmpty else {
            throw StreamError(
                "FILE_NOT_FOUND", "Could not find a file to read: nothing is at \(quoted(path, limit: 300)).",
                remedy: "Check the path, and that this user may read the folder.", domain: .user)
        }
        return found.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    /// A split is known by its file's path, which must not depend on where the process was started from.
    private static func absolutePath(_ path: String) throws -> String {
        if path.hasPrefix("/") { return path }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard getcwd(&buffer, buffer.count) != nil else {
            throw StreamError("FILE_UNREADABLE", "Could not find the current folder.", domain: .external)
        }
        let folder = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return folder + "/" + (path.hasPrefix("./") ? path.dropFirst(2) : path[...])
    }

    private static func folder(_ path: String) throws -> [String] {
        guard let handle = opendir(path) else {
            throw StreamError(
                "FILE_UNREADABLE",
                "Could not list the folder \(quoted(path, limit: 300)): it \(FileProblem.system(errno)).",
                domain: .external)
        }
        defer { closedir(handle) }
        let base = path.hasSuffix("/") ? path : path + "/"
        var found: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") || name.hasPrefix("_") { continue }
            var information = stat()
            if stat(base + name, &information) == 0, !isFolder(information) { found.append(base + name) }
        }
        return found
    }

    private static func pattern(_ path: String) throws -> [String] {
        var matches = glob_t()
        defer { globfree(&matches) }
        let status = glob(path, 0, nil, &matches)
        guard status == 0 else {
            if status == GLOB_NOMATCH { return [] }
            throw StreamError(
                "FILE_UNREADABLE", "Could not look for \(quoted(path, limit: 300)).", domain: .external)
        }
        return (0..<Int(matches.gl_pathc)).compactMap { index in
            guard let pointer = matches.gl_pathv[index] else { return nil }
            var information = stat()
            let name = String(cString: pointer)
            return stat(name, &information) == 0 && !isFolder(information) ? name : nil
        }
    }

    private static func isFolder(_ information: stat) -> Bool { information.st_mode & S_IFMT == S_IFDIR }
}
