package import EmbeddedBroker

/// Batches on their way to take the place of a log's head, in files that no start takes for the log's.
struct Replacement {
    let below: Int64
    var segments: [Segment] = []
}

/// What a replacement does to a folder's files. Once it is written down, it is done: now, or at the next start.
struct ReplacementPlan: Equatable {
    static let suffix = ".cleaned"

    /// Files that take their places under the same name without the suffix.
    var added: [String] = []
    var removed: [String] = []

    init(added: [String], removed: [String]) {
        self.added = added
        self.removed = removed
    }

    init(_ text: String, _ path: String) throws(StorageError) {
        for line in text.split(separator: "\n") {
            let name = String(line.dropFirst(2))
            guard Segment.baseOffset(name) != nil else { throw .failed("\(path): '\(line)' names no file of a log") }
            switch line.prefix(2) {
            case "+ ": added.append(name)
            case "- ": removed.append(name)
            default: throw .failed("\(path): '\(line)' is not understood")
            }
        }
    }

    var text: String { (added.map { "+ \($0)\n" } + removed.map { "- \($0)\n" }).joined() }

    /// Does what is not done yet.
    func apply(in folder: SegmentFolder) throws(StorageError) {
        let names = Set(try folder.names())
        if let missing = added.first(where: { !names.contains($0) && !names.contains($0 + Self.suffix) }) {
            throw .failed("\(folder.full(missing)): it is needed to finish a compaction, and is not there")
        }
        // An old file whose name is taken is gone with that.
        for name in removed where !added.contains(name) { try folder.remove(name) }
        for name in added where names.contains(name + Self.suffix) { try folder.rename(name + Self.suffix, to: name) }
        try folder.sync()
        try folder.remove(SegmentStorage.replacementName)
        try folder.sync()
    }
}

extension SegmentStorage {
    package func beginReplacement(below position: Int64) throws(StorageError) {
        try checkIsWhole()
        try check(position)
        discardReplacement()
        replacement = Replacement(below: position)
    }

    package func appendReplacement(_ batch: ArraySlice<UInt8>, baseOffset: Int64, maxTimestamp: Int64)
        throws(StorageError)
    {
        guard var gathered = replacement else { throw .failed("\(folder.path): no replacement was begun") }
        replacement = nil
        defer { replacement = gathered }
        try add(batch, baseOffset, to: &gathered)
    }

    package func commitReplacement() throws(StorageError) {
        try checkIsWhole()
        guard var gathered = replacement else { throw .failed("\(folder.path): no replacement was begun") }
        do throws(StorageError) {
            defer { replacement = gathered }
            try addRest(behind: gathered.below, to: &gathered)
            for index in gathered.segments.indices { try gathered.segments[index].sync() }
            try folder.sync()
        } catch {
            discardReplacement()
            throw error
        }
        let old = segments.filter { $0.position < gathered.below }
        let plan = ReplacementPlan(
            added: gathered.segments.map { Segment.name($0.baseOffset) }, removed: old.map(\.file.name))
        try writeDown(plan)
        replacement = nil
        take(gathered.segments, insteadOf: old)
        do throws(StorageError) {
            for name in plan.removed where !plan.added.contains(name) { try folder.remove(name) }
            for segment in gathered.segments { try segment.file.rename(to: Segment.name(segment.baseOffset)) }
            try folder.sync()
            try folder.remove(Self.replacementName)
            try folder.sync()
        } catch {
            // The new bytes are in place for readers; the next start finishes it. Until then nothing may be written
            // that the plan would remove.
            brokenBecause = error
        }
    }

    package func discardReplacement() {
        for segment in replacement?.segments ?? [] { try? segment.file.remove() }
        replacement = nil
    }

    // MARK: -

    private func writeDown(_ plan: ReplacementPlan) throws(StorageError) {
        do throws(StorageError) {
            try folder.replace(Self.replacementName, with: plan.text)
        } catch {
            if (try? folder.remove(Self.replacementName)) != nil, (try? folder.sync()) != nil {
                discardReplacement()
            } else {
                // The next start may find the plan: it needs the new files then, and the old ones as they are.
                replacement = nil
                brokenBecause = error
            }
            throw error
        }
    }

    private func add(_ bytes: ArraySlice<UInt8>, _ baseOffset: Int64, to gathered: inout Replacement)
        throws(StorageError)
    {
        if let last = gathered.segments.last, last.size + Int64(bytes.count) <= segmentBytesMax {
            return try gathered.segments[gathered.segments.count - 1].append(bytes)
        }
        let file = try DiskFile(folder, Segment.name(baseOffset) + ReplacementPlan.suffix, .replaced)
        var segment = Segment(baseOffset: baseOffset, file: file, position: 0, size: 0, isSynced: false)
        do throws(StorageError) {
            try segment.append(bytes)
        } catch {
            try? file.remove()
            throw error
        }
        gathered.segments.append(segment)
    }

    /// Copies what lies behind the head in a file that the head ends in, into a file of its own.
    private func addRest(behind position: Int64, to gathered: inout Replacement) throws(StorageError) {
        guard position < endPosition else { return }
        let segment = segments[index(at: position)]
        guard segment.position < position else { return }
        // A batch begins with its first offset.
        let front = try segment.file.read(at: position - segment.position, count: 8 < segment.end - position ? 8 : 0)
        guard front.count == 8 else { throw .corrupt(position: position) }
        let baseOffset = front.reduce(0) { $0 << 8 | Int64($1) }
        let file = try DiskFile(folder, Segment.name(baseOffset) + ReplacementPlan.suffix, .replaced)
        var rest = Segment(baseOffset: baseOffset, file: file, position: 0, size: 0, isSynced: false)
        gathered.segments.append(rest)
        var at = position
        while at < segment.end {
            let bytes = try segment.file.read(at: at - segment.position, count: Int(min(1 << 20, segment.end - at)))
            try rest.append(bytes[...])
            at += Int64(bytes.count)
        }
        gathered.segments[gathered.segments.count - 1] = rest
    }

    /// Lays the new segments so that they end where the old ones ended.
    private func take(_ new: [Segment], insteadOf old: [Segment]) {
        let end = old.last?.end ?? startPosition
        var position = new.reduce(end) { $0 - $1.size }
        startPosition = position
        let kept = segments.dropFirst(old.count)
        segments = new
        for index in segments.indices {
            segments[index].position = position
            position = segments[index].end
        }
        segments += kept
        emptyPosition = end
    }
}
