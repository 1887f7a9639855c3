/// A file as a look at its folder finds it.
struct FolderFile: Hashable {
    var path: String
    var size: Int64
    /// Milliseconds since 1970-01-01 UTC.
    var modifiedMs: Int64
}

/// Which files of a folder were taken, and where each lies in the one sequence of bytes that the source's positions
/// count. Pure.
///
/// A file is taken once: while it may still be found new, it is in the catalog. It leaves when all of it is committed
/// and it is older than what is looked at, so the catalog holds about the files of one window.
struct FileCatalog: Codable, Hashable {
    struct Entry: Codable, Hashable {
        var path: String
        var start: Int64
        var size: Int64
        var modifiedMs: Int64
        var end: Int64 { start + size }
    }

    /// Of the layout, so that a later version can read an older file.
    var version = 1
    /// Files that were changed at this time or before are not looked at: they are too old, or were there before the
    /// query's first start.
    var floorMs: Int64
    /// The last look that succeeded.
    var scannedMs: Int64
    /// Behind the newest file.
    var end: Int64
    /// In the order of their positions.
    var entries: [Entry] = []

    init(floorMs: Int64, nowMs: Int64, start: Int64) {
        self.floorMs = floorMs
        scannedMs = nowMs
        end = start
    }

    var start: Int64 { entries.first?.start ?? end }

    /// The file that a position lies in.
    func entry(at position: Int64) -> Entry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].end <= position { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].start <= position ? entries[low] : nil
    }

    /// Takes the files of a look that are new: not known, not too old, not from the future (Spark's rule).
    ///
    /// "Too old" is reckoned from the look before, not from this one: what comes while the process is down, or while a
    /// look takes long, is found all the same.
    /// - Returns: what is known and has another size than it was taken with; nothing more of it is read.
    mutating func take(_ found: [FolderFile], nowMs: Int64, rememberMs: Int64) -> [FolderFile] {
        floorMs = max(floorMs, scannedMs - rememberMs)
        scannedMs = max(scannedMs, nowMs)
        let known = Dictionary(entries.map { ($0.path, $0.size) }) { first, _ in first }
        let new = found.filter { known[$0.path] == nil && $0.modifiedMs > floorMs && $0.modifiedMs <= nowMs }
        for file in new.sorted(by: { ($0.modifiedMs, $0.path) < ($1.modifiedMs, $1.path) }) {
            entries.append(
                Entry(path: file.path, start: end, size: max(0, file.size), modifiedMs: file.modifiedMs))
            end += max(0, file.size)
        }
        return found.filter { file in known[file.path].map { $0 != file.size } ?? false }
    }

    /// Moves every file so that the newest ends at this position at least.
    mutating func move(behind position: Int64) {
        let shift = position - end
        guard shift > 0 else { return }
        for index in entries.indices { entries[index].start += shift }
        end += shift
    }

    /// Drops what can neither be read nor found again.
    mutating func forget(committed: Int64) {
        entries.removeAll { $0.end <= committed && $0.modifiedMs <= floorMs }
    }
}
