import EmbeddedBroker

extension SegmentStorage {
    /// Finds the files, after it finished or forgot what an earlier process had begun.
    func open() throws(StorageError) {
        var names = try folder.names()
        if let text = try folder.text(of: Self.replacementName, bytesMax: .max) {
            try ReplacementPlan(text, folder.full(Self.replacementName)).apply(in: folder)
            names = try folder.names()
        }
        for name in names where name.hasSuffix(ReplacementPlan.suffix) || name.hasSuffix(".new") {
            try folder.remove(name)
        }
        try readStartOffset()
        for name in names.filter({ Segment.baseOffset($0) != nil }).sorted() {
            guard let baseOffset = Segment.baseOffset(name) else { continue }
            let file = try DiskFile(folder, name, .existing)
            let size = try file.size()
            // Left by a crash between the file's beginning and its first bytes.
            guard size > 0 else {
                try file.remove()
                continue
            }
            segments.append(
                Segment(baseOffset: baseOffset, file: file, position: endPosition, size: size, isSynced: false))
        }
        isMarkedUnsynced = names.contains(Self.unsyncedName)
        trustedPosition = try trusted()
        // From here on the files may change: what was noted of them does not hold any more.
        if names.contains(Self.cleanStopName) {
            try folder.remove(Self.cleanStopName)
            try folder.sync()
        }
    }

    private func readStartOffset() throws(StorageError) {
        guard let text = try folder.text(of: Self.startOffsetName) else { return }
        guard text.last == "\n", let offset = Int64(text.dropLast()), offset >= 0 else {
            throw .failed("\(folder.full(Self.startOffsetName)): there is no offset in it")
        }
        startOffset = offset
    }

    /// Up to where the files are as they were written.
    private func trusted() throws(StorageError) -> Int64 {
        guard let text = try folder.text(of: Self.cleanStopName, bytesMax: .max) else {
            return isMarkedUnsynced ? startPosition : segments.last?.position ?? startPosition
        }
        let lines = text.split(separator: "\n")
        var position = startPosition
        for (segment, line) in zip(segments, lines) {
            guard line == "\(segment.file.name) \(segment.size)" else { break }
            position = segment.end
        }
        return position
    }
}
