import CommitProtocol
import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How a file is cut into records.
enum FileFormat: Sendable, Hashable {
    /// Lines, without `\n` or `\r\n`; a byte order mark at the beginning is no part of the first. As Hadoop's text.
    case lines
    /// Pieces of one length.
    case fixed(Int)
}

/// Reads the files of a catalog in the order of their positions.
///
/// A position may lie behind the first byte of the last record that was read (it is that record's offset and one):
/// reading goes on with the first record that begins there or later, so nothing but the position is needed for it.
final class FolderReader: SourceReader {
    private static let chunkBytes = 256 << 10
    private static let lineBytesMax = 64 << 20

    private let log: FolderLog
    private var open: OpenFile?

    init(_ log: FolderLog) { self.log = log }

    func read(from position: Position, into block: RecordBlock, bytesMax: Int) throws -> SourceRead {
        guard let catalog = log.catalog else { return .nothing }
        if position.number < catalog.start {
            return log.isInMemory ? .upTo(Position(catalog.start)) : .lost(next: Position(catalog.start))
        }
        guard let entry = catalog.entry(at: position.number) else {
            open = nil
            let isMissing = position.number > catalog.end && !log.isInMemory
            return isMissing ? .lost(next: Position(catalog.end)) : .nothing
        }
        do {
            return .upTo(Position(try read(entry, from: position.number, into: block, bytesMax: bytesMax)))
        } catch {
            open = nil
            guard log.settings.options.continuesOnDataLoss else { throw error }
            log.settings.log.warning("\(error) The rest of it is left out.", LogField("query", log.settings.query))
            return .lost(next: Position(entry.end))
        }
    }

    /// - Returns: where the next record begins, in the sequence of all files.
    private func read(
        _ entry: FileCatalog.Entry, from position: Int64, into block: RecordBlock, bytesMax: Int
    ) throws(StreamError) -> Int64 {
        let file: OpenFile
        if let open, open.entry == entry { file = open } else { file = try OpenFile(entry) }
        open = file
        let key = log.options.keepsPath ? block.arena.append(entry.path) : .null
        let next =
            switch log.options.format {
            case .lines: try readLines(file, from: position - entry.start, into: block, key, bytesMax)
            case .fixed(let length):
                try readFixed(file, length, from: position - entry.start, into: block, key, bytesMax)
            }
        if next == entry.size {
            try file.checkSize()
            open = nil
        }
        return entry.start + next
    }

    // MARK: - Lines

    private func readLines(
        _ file: OpenFile, from local: Int64, into block: RecordBlock, _ key: ByteView, _ bytesMax: Int
    ) throws(StreamError) -> Int64 {
        let size = file.entry.size
        // One byte earlier: if that is a line's end, a line begins here.
        let from = max(0, local - 1)
        var wanted = min(Self.chunkBytes, max(1, bytesMax))
        while true {
            let bytes = try file.bytes(from: from, count: Int(min(Int64(wanted), size - from)))
            let isLast = from + Int64(bytes.count) == size
            let next = bytes.withUnsafeBytes { buffer in
                lines(buffer, isLast: isLast, skipsFirst: local > 0, isBeginning: from == 0) { line in
                    let view = block.arena.append(UnsafeRawBufferPointer(rebasing: buffer[line.content]))
                    let offset = file.entry.start + from + Int64(line.start)
                    block.slots.append(RecordSlot(key: key, value: view, offset: offset, topic: 0, partition: 0))
                }
            }
            if next > 0 { return from + Int64(next) }
            guard wanted < Self.lineBytesMax else {
                throw StreamError(
                    "FILE_LINE_TOO_LONG",
                    "A line of '\(file.entry.path)' is longer than \(Self.lineBytesMax >> 20) MB.",
                    remedy: "Cut it, or set 'continuesOnDataLoss' to leave out the rest of the file.", domain: .user)
            }
            wanted *= 4
        }
    }

    /// Gives the whole lines of a piece of a file.
    /// - Returns: where the first line begins that is not whole; 0: there is no line's end in the piece.
    private func lines(
        _ bytes: UnsafeRawBufferPointer, isLast: Bool, skipsFirst: Bool, isBeginning: Bool,
        _ take: ((start: Int, content: Range<Int>)) -> Void
    ) -> Int {
        var start = 0
        var skips = skipsFirst
        while start < bytes.count {
            var end = bytes.count
            if let base = bytes.baseAddress, let found = memchr(base + start, 10, bytes.count - start) {
                end = UnsafeRawPointer(found) - base
            } else if !isLast {
                return start
            }
            if !skips {
                var content = start..<end
                if isBeginning, start == 0, bytes[content].starts(with: [0xEF, 0xBB, 0xBF]) {
                    content = start + 3..<end
                }
                if bytes[content].last == 13 { content = content.lowerBound..<end - 1 }
                take((start, content))
            }
            skips = false
            start = min(bytes.count, end + 1)
        }
        return start
    }

    // MARK: - Pieces of one length

    private func readFixed(
        _ file: OpenFile, _ length: Int, from local: Int64, into block: RecordBlock, _ key: ByteView, _ bytesMax: Int
    ) throws(StreamError) -> Int64 {
        let size = file.entry.size
        let start = (local + Int64(length) - 1) / Int64(length) * Int64(length)
        let whole = min((size - min(start, size)) / Int64(length), Int64(max(1, min(bytesMax, 1 << 20) / length)))
        guard whole > 0 else {
            guard start >= size else {
                throw StreamError(
                    "FILE_PARTIAL_RECORD",
                    "'\(file.entry.path)' ends within a record: its \(size) bytes are not a multiple of \(length).",
                    remedy: "Set 'continuesOnDataLoss' to leave out the rest of the file.", domain: .user)
            }
            return size
        }
        let bytes = try file.bytes(from: start, count: Int(whole) * length)
        for index in 0..<Int(whole) {
            let view = bytes.withUnsafeBytes { buffer in
                block.arena.append(UnsafeRawBufferPointer(rebasing: buffer[index * length..<(index + 1) * length]))
            }
            let offset = file.entry.start + start + Int64(index * length)
            block.slots.append(RecordSlot(key: key, value: view, offset: offset, topic: 0, partition: 0))
        }
        return start + whole * Int64(length)
    }
}

/// A file of the catalog, which must stay as it was taken until it is read.
private final class OpenFile {
    let entry: FileCatalog.Entry
    private let descriptor: Int32

    /// - Throws: `FILE_VANISHED`, `FILE_UNREADABLE`, `FILE_CHANGED`.
    init(_ entry: FileCatalog.Entry) throws(StreamError) {
        self.entry = entry
        descriptor = openForReading(entry.path)
        guard descriptor >= 0 else {
            let code = errno
            throw code == ENOENT
                ? StreamError(
                    "FILE_VANISHED", "'\(entry.path)' was removed before it was read.",
                    remedy: "Put it back, or set 'continuesOnDataLoss' to go on without it.", domain: .external)
                : StreamError(
                    "FILE_UNREADABLE", "Could not read '\(entry.path)': \(FileTrouble.reason(code)).",
                    remedy: "Make it readable, or set 'continuesOnDataLoss' to go on without it.", domain: .external)
        }
        try checkSize()
    }

    deinit { close(descriptor) }

    func checkSize() throws(StreamError) {
        var information = stat()
        guard fstat(descriptor, &information) == 0, Int64(information.st_size) == entry.size else { throw changed }
    }

    func bytes(from offset: Int64, count: Int) throws(StreamError) -> [UInt8] {
        do {
            let bytes = try DurableFile.read(descriptor, entry.path, from: offset, count: count)
            guard bytes.count == count else { throw changed }
            return bytes
        } catch let failure as DurableFile.Failure {
            throw StreamError(
                "FILE_UNREADABLE", "Could not read '\(entry.path)': \(FileTrouble.reason(failure.code)).",
                domain: .external)
        } catch {
            throw error as? StreamError ?? changed
        }
    }

    private var changed: StreamError {
        StreamError(
            "FILE_CHANGED", "'\(entry.path)' has not the \(entry.size) bytes any more that it was taken with.",
            remedy: "Files must be whole when they come into the folder: write them elsewhere and rename them. Set "
                + "'continuesOnDataLoss' to go on without the rest of it.", domain: .external)
    }
}

private func openForReading(_ path: String) -> Int32 { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
