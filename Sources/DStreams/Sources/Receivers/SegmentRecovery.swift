import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Finds out what of a write-ahead log is whole after a crash.
enum SegmentRecovery {
    /// - Throws: `STATE_FOLDER`, `RECEIVER_LOG_DAMAGED`.
    static func segments(in folder: String) throws -> [SegmentLog.Segment] {
        let firsts = try names(folder).compactMap { name in
            name.hasSuffix(".log") ? Int64(name.dropLast(4)) : nil
        }.sorted()
        var segments: [SegmentLog.Segment] = []
        for (index, first) in firsts.enumerated() {
            let next = index + 1 < firsts.count ? firsts[index + 1] : nil
            let path = SegmentLog.file(folder, first)
            let bytes: [UInt8]
            do {
                bytes = try DurableFile.read(path) ?? []
            } catch {
                throw error.inStateFolder
            }
            let whole = prefix(bytes, limit: next.map { $0 - first } ?? .max)
            // The newest may end within a record; before it, and in front of a whole record, nothing may be missing.
            if whole.isDamaged || next.map({ first + whole.count < $0 }) ?? false { throw damaged(path, whole.bytes) }
            segments.append(SegmentLog.Segment(first: first, count: whole.count, bytes: Int64(whole.bytes)))
        }
        return segments
    }

    /// The whole records at the beginning of a segment.
    static func prefix(_ bytes: [UInt8], limit: Int64) -> (count: Int64, bytes: Int, isDamaged: Bool) {
        bytes.withUnsafeBytes { prefix($0, limit: limit) }
    }

    private static func prefix(
        _ bytes: UnsafeRawBufferPointer, limit: Int64
    ) -> (count: Int64, bytes: Int, isDamaged: Bool) {
        var count: Int64 = 0
        var at = 0
        while count < limit {
            switch SegmentFrame.look(SegmentFrame.part(bytes, at, bytes.count - at)) {
            case .record(let length):
                at += length
                count += 1
                continue
            case .cut: return (count, at, false)
            case .damaged: return (count, at, hasLaterAppend(bytes, behind: at))
            }
        }
        return (count, at, false)
    }

    /// Whether something that was appended later follows what is damaged here: then it was on disk once, and a crash
    /// while writing is not the reason. The pages of one append may come to disk in any order.
    private static func hasLaterAppend(_ bytes: UnsafeRawBufferPointer, behind damage: Int) -> Bool {
        var rest = SegmentFrame.part(bytes, damage, bytes.count - damage)
        var length = SegmentFrame.headerBytes + SegmentFrame.length(rest)
        while length < rest.count {
            rest = SegmentFrame.part(rest, length, rest.count - length)
            guard case .record(let next) = SegmentFrame.look(rest) else { return false }
            if SegmentFrame.isFirst(rest) { return true }
            length = next
        }
        return false
    }

    static func damaged(_ path: String, _ at: Int) -> StreamError {
        StreamError(
            "RECEIVER_LOG_DAMAGED", "'\(path)' is damaged at byte \(at): a record's checksum is wrong.",
            remedy: "Restore it from a backup. Without it, move the file away: the records in it are lost, and "
                + "'continuesOnDataLoss' lets the query go on.", domain: .external)
    }

    private static func names(_ folder: String) throws -> [String] {
        guard let handle = opendir(folder) else { throw FileTrouble.stateFolder("list", folder, errno) }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}
