internal import ConnectorKit
internal import StreamCore

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// The lines of one file from a byte on, up to an end that was fixed before. Holds one line and one chunk in memory.
final class LineReader {
    private static let chunkBytes = 256 << 10

    private let path: String
    private let end: Int64
    private let lineBytesMax: Int
    private let descriptor: Int32
    /// Bytes of the file that are not handed out: `buffer[head...]` begins at `offset`.
    private var buffer: [UInt8] = []
    private var head = 0
    private var offset: Int64
    /// How far behind `head` no line end was found.
    private var searched = 0
    /// The position lies inside a line, or right behind one: what is left of it was handed out before.
    private var skipsLine: Bool

    /// Begins with the first line that starts at `position` or behind it.
    /// - Throws: `StreamError` `FILE_UNREADABLE`
    init(path: String, from position: Int64, end: Int64, lineBytesMax: Int) throws {
        self.path = path
        self.end = end
        self.lineBytesMax = lineBytesMax
        // One byte earlier: if that is a line end, the line that is skipped is empty.
        offset = max(0, position - 1)
        skipsLine = position > 0
        descriptor = try RegularFile.open(path)
    }

    deinit { close(descriptor) }

    /// Appends the next lines to a block, about `bytesMax` of them and at least one. False: there is none left.
    /// - Throws: `StreamError` `FILE_LINE_TOO_LONG`, `FILE_CHANGED`, `FILE_UNREADABLE`; lines before are in the block.
    func read(into block: RecordBlock, topic: Int32, bytesMax: Int) throws -> Bool {
        var bytes = 0
        while bytes < bytesMax {
            guard let line = try nextLine() else { return false }
            let start = offset
            if !skipsLine, let content = content(line, isFirst: start == 0) {
                let view = buffer.withUnsafeBytes { block.arena.append(UnsafeRawBufferPointer(rebasing: $0[content])) }
                block.slots.append(RecordSlot(value: view, offset: start, topic: topic, partition: 0))
            }
            skipsLine = false
            bytes += line.count + 1
            advance(line)
        }
        return true
    }

    /// The next line's bytes in the buffer, without its line end.
    private func nextLine() throws -> Range<Int>? {
        while true {
            let from = head + searched
            let found = buffer.withUnsafeBytes { bytes -> Int? in
                guard let base = bytes.baseAddress, from < bytes.count else { return nil }
                return memchr(base + from, 10, bytes.count - from).map { UnsafeRawPointer($0) - base }
            }
            let length = (found ?? buffer.count) - head
            guard length <= lineBytesMax || (skipsLine && found != nil) else { throw tooLong() }
            if let found { return head..<found }
            searched = length
            if offset + Int64(length) >= end { return length > 0 ? head..<buffer.count : nil }
            try fill()
        }
    }

    private func advance(_ line: Range<Int>) {
        let next = min(buffer.count, line.upperBound + 1)
        offset += Int64(next - head)
        head = next
        searched = 0
    }

    /// Reads the next chunk behind what is there.
    private func fill() throws {
        buffer.removeFirst(head)
        head = 0
        let position = offset + Int64(buffer.count)
        let wanted = Int(min(Int64(Self.chunkBytes), end - position))
        let kept = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: wanted))
        let count = buffer.withUnsafeMutableBytes { bytes -> Int in
            while true {
                let count = pread(descriptor, bytes.baseAddress.map { $0 + kept }, wanted, off_t(position))
                if count >= 0 || errno != EINTR { return count }
            }
        }
        let code = errno
        buffer.removeLast(wanted - max(0, count))
        if count < 0 {
            throw StreamError(
                "FILE_UNREADABLE", "Could not read \(quoted(path, limit: 300)): it \(FileProblem.system(code)).",
                domain: .external, place: place)
        }
        if count == 0 {
            throw StreamError(
                "FILE_CHANGED", "Could not read \(quoted(path, limit: 300)) to its end: it became shorter meanwhile.",
                remedy: "Files must not change while they are read.", domain: .external, place: place)
        }
    }

    /// A line without what is not its own: a byte order mark, a carriage return. Nil: it is blank.
    private func content(_ line: Range<Int>, isFirst: Bool) -> Range<Int>? {
        var content = line
        if isFirst, buffer[line].starts(with: [0xEF, 0xBB, 0xBF]) { content = line.lowerBound + 3..<line.upperBound }
        if buffer[content].last == 13 { content = content.lowerBound..<content.upperBound - 1 }
        return buffer[content].allSatisfy { $0 == 32 || $0 == 9 } ? nil : content
    }

    private func tooLong() -> StreamError {
        let limit = Units.text(bytes: Int64(lineBytesMax))
        return StreamError(
            "FILE_LINE_TOO_LONG", "Could not read a line of \(quoted(path, limit: 300)): it is longer than \(limit).",
            remedy: "Raise 'max-line', or cut the line.", domain: .user, place: place)
    }

    private var place: StreamError.Place {
        StreamError.Place(split: Split(TopicName(path), 0), offset: Offset(offset))
    }
}

/// Opens files that can be read without waiting: no pipes, no devices.
enum RegularFile {
    static func open(_ path: String) throws -> Int32 {
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(path, FileProblem.system(errno)) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw unreadable(path, FileProblem("is not a regular file"))
        }
        return descriptor
    }

    /// - Throws: `StreamError` `FILE_UNREADABLE`
    static func size(_ path: String) throws -> Int64 {
        let descriptor = try open(path)
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw unreadable(path, FileProblem.system(errno)) }
        return Int64(information.st_size)
    }

    private static func unreadable(_ path: String, _ problem: FileProblem) -> StreamError {
        StreamError("FILE_UNREADABLE", "Could not read \(quoted(path, limit: 300)): it \(problem).", domain: .external)
    }
}

/// `open(2)`, under a name that the function above does not hide.
private func openFile(_ path: String, _ flags: Int32) -> Int32 { open(path, flags) }
