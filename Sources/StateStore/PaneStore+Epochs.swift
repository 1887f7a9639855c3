package import StreamCore

extension PaneStore {
    /// A chunk ends when it has so many bytes.
    static var chunkBytes: Int { 64 << 10 }
    /// More chunks than any part has: a larger number is none that this program wrote.
    static var chunksMax: Int { 1 << 20 }

    /// Closes the open journal as that of `epoch`, writes what was added in chunks and deletes the chunks of dropped
    /// panes.
    /// - Throws: `STATE_ENCODING`, `STATE_TOO_LARGE`; the journal is then still open.
    package func seal(_ epoch: Epoch, into writer: ChangelogWriter) throws {
        precondition(sealed.last.map { $0.epoch < epoch } ?? true, "epochs are sealed in their order")
        guard !journal.isEmpty else { return }
        // Deletions first: a pane may have been dropped and begun anew.
        for case .removed(let panes) in journal {
            for pane in panes {
                for part in pane.parts {
                    for number in part.chunks.indices {
                        try writer.append(
                            table: id, shard: part.shard, key: Self.key(pane.time, number), value: nil)
                    }
                }
            }
        }
        for case .added(let time, let shard, _, _) in journal {
            // None where the pane was dropped again, or another entry's turn was before.
            guard let (pane, part) = findPart(time, shard) else { continue }
            try cut(pane, part, into: writer)
        }
        sealed.append((epoch, journal))
        journal = []
    }

    /// `epoch` and those before it are durable: their journals are forgotten. Repeats do nothing.
    package func commit(_ epoch: Epoch) { sealed.removeAll { $0.epoch <= epoch } }

    /// Undoes what was changed since the last seal.
    package func rollbackOpen() {
        let entries = journal
        journal = []
        undo(entries)
    }

    /// Undoes everything that is not committed, the newest first.
    package func rollback() {
        rollbackOpen()
        while let last = sealed.popLast() { undo(last.entries) }
    }

    /// Forgets everything, with the journals.
    package func removeAll() {
        panes = []
        journal = []
        sealed = []
        count = 0
        byteSize = 0
    }

    // MARK: - Changelog

    /// A committed chunk, or its deletion, from a changelog. For a store without open or sealed changes.
    func apply(shard: Int, key: ArraySlice<UInt8>, value: ArraySlice<UInt8>?) throws(StreamError) {
        precondition(journal.isEmpty && sealed.isEmpty, "a changelog is applied to committed state")
        var reader = StateReader(key)
        let time = Int64(bitPattern: UInt64(bigEndian: try reader.read(UInt64.self)) ^ 1 << 63)
        let number = Int(UInt32(bigEndian: try reader.read(UInt32.self)))
        guard reader.isAtEnd, number < Self.chunksMax else { throw StateReader.damaged }
        guard let value else {
            guard let (pane, part) = findPart(time, shard) else { return }
            if number < panes[pane].parts[part].chunks.count { set(Chunk(), number, pane, part) }
            return trim(pane, part)
        }
        var chunk = Chunk(bytes: value.count)
        var elements = StateReader(value)
        while !elements.isAtEnd { chunk.elements.append(try elements.read(nested: Element.self)) }
        let (pane, part) = makePart(time, shard)
        while panes[pane].parts[part].chunks.count <= number { panes[pane].parts[part].chunks.append(Chunk()) }
        set(chunk, number, pane, part)
    }

    /// Forgets the elements of some shards; nothing is open or sealed.
    func removeShards(_ isRemoved: (Int) -> Bool) {
        precondition(journal.isEmpty && sealed.isEmpty, "shards are removed from committed state")
        for pane in panes.indices {
            note(panes[pane], -1)
            panes[pane].parts.removeAll { isRemoved($0.shard) }
            note(panes[pane], 1)
        }
        panes.removeAll { $0.parts.isEmpty }
    }

    // MARK: -

    /// The time so that the order of bytes is that of times, and the number of the chunk.
    private static func key(_ time: Int64, _ number: Int) -> StateWriter {
        var key = StateWriter()
        key.append((UInt64(bitPattern: time) ^ 1 << 63).bigEndian)
        key.append(UInt32(number).bigEndian)
        return key
    }

    /// Makes chunks of a part's open elements.
    private func cut(_ pane: Int, _ part: Int, into writer: ChangelogWriter) throws(StreamError) {
        let open = panes[pane].parts[part].open
        var values = StateWriter()
        var start = 0
        defer { panes[pane].parts[part].open.removeFirst(start) }
        for index in open.indices {
            values.append(nested: open[index])
            guard index == open.count - 1 || values.bytes.count >= Self.chunkBytes else { continue }
            let shard = panes[pane].parts[part].shard
            let number = panes[pane].parts[part].chunks.count
            try writer.append(
                table: id, shard: shard, key: Self.key(panes[pane].time, number), value: values)
            let elements = start == 0 && index == open.count - 1 ? open : Array(open[start...index])
            panes[pane].parts[part].chunks.append(Chunk(elements: elements, bytes: values.bytes.count))
            byteSize += values.bytes.count
            start = index + 1
            values.removeAll()
        }
    }

    private func undo(_ entries: [Undo]) {
        for entry in entries.reversed() {
            switch entry {
            case .removed(let removed):
                for pane in removed { note(pane, 1) }
                panes.insert(contentsOf: removed, at: 0)
            case .added(let time, let shard, let chunks, let open):
                guard let (pane, part) = findPart(time, shard) else { continue }
                note(panes[pane], -1)
                // Chunks first: what a seal that failed has cut belongs to this entry too.
                let cut = panes[pane].parts[part].chunks.dropFirst(chunks).flatMap(\.elements)
                panes[pane].parts[part].chunks.removeSubrange(chunks...)
                panes[pane].parts[part].open.insert(contentsOf: cut, at: 0)
                panes[pane].parts[part].open.removeSubrange(open...)
                note(panes[pane], 1)
                trim(pane, part)
            }
        }
    }

    private func set(_ chunk: Chunk, _ number: Int, _ pane: Int, _ part: Int) {
        let old = panes[pane].parts[part].chunks[number]
        panes[pane].parts[part].chunks[number] = chunk
        count += chunk.elements.count - old.elements.count
        byteSize += chunk.bytes - old.bytes
    }

    /// Drops what has nothing in it.
    private func trim(_ pane: Int, _ part: Int) {
        while let last = panes[pane].parts[part].chunks.last, last.elements.isEmpty {
            panes[pane].parts[part].chunks.removeLast()
        }
        guard panes[pane].parts[part].chunks.isEmpty, panes[pane].parts[part].open.isEmpty else { return }
        panes[pane].parts.remove(at: part)
        if panes[pane].parts.isEmpty { panes.remove(at: pane) }
    }
}
