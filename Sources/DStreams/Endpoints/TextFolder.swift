import CommitProtocol
import FoundationEssentials
import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The folders that one `saveAsTextFiles` writes, one for each batch.
struct TextFolder: Sendable {
    let query: QueryName
    let prefix: String
    let suffix: String?

    /// What `_SUCCESS` holds: whose the folder is, and what belongs to it.
    struct Manifest: Codable, Hashable {
        struct Part: Codable, Hashable {
            var name: String
            var bytes: Int
            var crc32: UInt32
        }

        var version = 1
        var query: String
        var epoch: Int64
        var batchTimeMs: Int64
        var parts: [Part]
    }

    func name(batchTimeMs: Int64) -> String { "\(prefix)-\(batchTimeMs)" + (suffix.map { ".\($0)" } ?? "") }

    /// Makes the batch's folder visible with all of its files, or finds that an earlier attempt has done it.
    /// - Throws: `OUTPUT_EXISTS`, `OUTPUT_FOLDER`.
    func write(_ parts: [[UInt8]], _ plan: EpochPlan) throws(StreamError) {
        let path = name(batchTimeMs: plan.batchTimeMs)
        do {
            if exists(path) {
                let isOurs = try isResult(path, of: plan)
                guard isOurs else { throw taken(path) }
                return
            }
            try DurableFile.makeFolders(DurableFile.parent(of: path))
            try build(parts, plan, as: path)
        } catch let failure as DurableFile.Failure {
            throw StreamError(
                "OUTPUT_FOLDER",
                "Could not write batch \(plan.epoch) to '\(path)': could not \(failure.verb) '\(failure.path)': "
                    + "\(FileTrouble.reason(failure.code)).",
                remedy: "Check the folder's rights and the disk's space. The batch is not committed; the next start "
                    + "repeats it.", domain: .external)
        } catch {
            throw error as? StreamError ?? StreamError("OUTPUT_FOLDER", "Could not write '\(path)': \(error).")
        }
    }

    private func exists(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0
    }

    /// Whether an earlier attempt at this very batch has made the folder.
    private func isResult(_ path: String, of plan: EpochPlan) throws -> Bool {
        var information = stat()
        guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else { return false }
        guard let bytes = try DurableFile.read(path + "/_SUCCESS"),
            let found = try? JSONDecoder().decode(Manifest.self, from: Data(bytes))
        else { return false }
        return found.query == query.text && found.epoch == plan.epoch.number && found.batchTimeMs == plan.batchTimeMs
    }

    private func taken(_ path: String) -> StreamError {
        StreamError(
            "OUTPUT_EXISTS", "'\(path)' is there already and is not this batch's result.",
            remedy: "Move it away, or write to another prefix: nothing is overwritten.", domain: .user)
    }

    /// Everything is on disk under another name before the folder gets its own.
    private func build(_ parts: [[UInt8]], _ plan: EpochPlan, as path: String) throws(DurableFile.Failure) {
        let parent = DurableFile.parent(of: path)
        let draft = "\(parent)/.\(FileName.of("\(query) \(path)"))"
        removeDraft(draft)
        do throws(DurableFile.Failure) {
            try DurableFile.makeFolders(draft)
            var manifest = Manifest(
                query: query.text, epoch: plan.epoch.number, batchTimeMs: plan.batchTimeMs, parts: [])
            for (number, bytes) in parts.enumerated() {
                let digits = String(number)
                let name = "part-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
                try DurableFile.write("\(draft)/\(name)", bytes)
                manifest.parts.append(Manifest.Part(name: name, bytes: bytes.count, crc32: CRC32.of(bytes)))
            }
            try DurableFile.write(draft + "/_SUCCESS", encoded(manifest))
            try DurableFile.flushFolder(draft)
            guard rename(draft, path) == 0 else {
                throw DurableFile.Failure(verb: "rename", path: draft, code: errno)
            }
        } catch {
            removeDraft(draft)
            throw error
        }
        try DurableFile.flushFolder(parent)
    }

    private func encoded(_ manifest: Manifest) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        // Names and numbers can always be encoded; without them the folder would be nobody's.
        return ((try? encoder.encode(manifest)).map { Array($0) } ?? []) + [10]
    }

    /// Of an attempt that did not come to its end.
    private func removeDraft(_ draft: String) {
        guard let handle = opendir(draft) else { return }
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(draft)/\(name)") }
        }
        closedir(handle)
        rmdir(draft)
    }
}
