import StreamCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The write-ahead log of a receiver: files of checksummed records, each named after its first record's number.
///
/// A record is on disk when `append` returns. What a crash cut off at the end was never acknowledged and is dropped;
/// damage anywhere else is an error, never a gap. The newest segment stays, so that numbers are not used again.
final class SegmentLog: ReceivedRecords {
    /// A segment as far as it is on disk.
    struct Segment: Hashable {
        var first: Int64
        var count: Int64 = 0
        var bytes: Int64 = 0
        var end: Int64 { first + count }
    }

    struct View {
        var segments: [Segment] = []
        var folder: SourceFolder?
    }

    private struct Writer {
        /// Of the newest segment; -1: the next record begins another.
        var descriptor: Int32 = -1
    }

    let path: String
    private let segmentBytes: Int64
    private let writer = Mutex(Writer())
    private let state = Mutex(View())

    init(path: String, segmentBytes: Int) {
        self.path = path
        self.segmentBytes = Int64(segmentBytes)
    }

    deinit { letGo() }

    var view: View { state.withLock { $0 } }

    func file(_ segment: Segment) -> String { Self.file(path, segment.first) }

    static func file(_ path: String, _ first: Int64) -> String {
        let digits = String(first)
        return "\(path)/\(String(repeating: "0", count: max(0, 20 - digits.count)))\(digits).log"
    }

    var bounds: Range<Int64> {
        state.withLock { ($0.segments.first?.first ?? 0)..<($0.segments.last?.end ?? 0) }
    }

    func makeReader() -> any SourceReader { SegmentReader(self) }

    // MARK: - Opening

    func open() throws -> Bool {
        if state.withLock({ $0.folder != nil }) { return true }
        guard let folder = try SourceFolder(path) else { return false }
        let segments = try SegmentRecovery.segments(in: path)
        state.withLock { $0 = View(segments: segments, folder: folder) }
        return true
    }

    func begin(at position: Int64) {}

    func letGo() {
        writer.withLock { writer in
            if writer.descriptor >= 0 { close(writer.descriptor) }
            writer.descriptor = -1
            state.withLock { $0 = View() }
        }
    }

    // MARK: - Writing

    func append(_ records: [Record]) throws {
        var bytes: [UInt8] = []
        for (index, record) in records.enumerated() {
            SegmentFrame.append(record, isFirst: index == 0, to: &bytes)
        }
        let frames = bytes
        try writer.withLock { writer in
            do throws(DurableFile.Failure) {
                try append(frames, Int64(records.count), &writer)
            } catch {
                // Nothing is known of what is behind the last flush: it is cut off, and no more is added to it.
                giveUpSegment(&writer)
                throw error.inStateFolder
            }
        }
    }

    private func append(_ frames: [UInt8], _ count: Int64, _ writer: inout Writer) throws(DurableFile.Failure) {
        let view = state.withLock { $0 }
        guard view.folder != nil else {
            throw DurableFile.Failure(verb: "write to", path: path, code: ENOLCK)
        }
        if writer.descriptor < 0 || (view.segments.last?.bytes ?? 0) >= segmentBytes { try roll(&writer, view) }
        guard let segment = state.withLock({ $0.segments.last }) else { return }
        let file = file(segment)
        try DurableFile.append(frames, to: writer.descriptor, file)
        guard fdatasync(writer.descriptor) == 0 else {
            throw DurableFile.Failure(verb: "flush", path: file, code: errno)
        }
        state.withLock { state in
            let last = state.segments.count - 1
            state.segments[last].count += count
            state.segments[last].bytes += Int64(frames.count)
        }
    }

    /// Begins the next segment.
    private func roll(_ writer: inout Writer, _ view: View) throws(DurableFile.Failure) {
        if writer.descriptor >= 0 { close(writer.descriptor) }
        writer.descriptor = -1
        let segment = Segment(first: view.segments.last?.end ?? 0)
        let file = file(segment)
        let opened = Self.create(file)
        guard opened >= 0 else { throw DurableFile.Failure(verb: "create", path: file, code: errno) }
        writer.descriptor = opened
        try DurableFile.flushFolder(path)
        state.withLock { state in
            // A segment without a record has the name of the next one.
            if state.segments.last?.count == 0 { state.segments.removeLast() }
            state.segments.append(segment)
        }
    }

    private func giveUpSegment(_ writer: inout Writer) {
        guard writer.descriptor >= 0 else { return }
        let bytes = state.withLock { $0.segments.last?.bytes ?? 0 }
        _ = ftruncate(writer.descriptor, off_t(bytes))
        close(writer.descriptor)
        writer.descriptor = -1
    }

    private static func create(_ file: String) -> Int32 {
        openFile(file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o640)
    }

    // MARK: - Committed records

    func trim(before position: Int64) {
        let done = state.withLock { state -> [Segment] in
            guard state.folder != nil else { return [] }
            let done = state.segments.dropLast().prefix { $0.end <= position }
            state.segments.removeFirst(done.count)
            return Array(done)
        }
        // What cannot be removed is found at the next start and tried again.
        for segment in done { unlink(file(segment)) }
    }

    func heldBytes(behind position: Int64) -> Int {
        state.withLock { state in
            Int(state.segments.lazy.filter { $0.end > position }.reduce(0) { $0 + $1.bytes })
        }
    }
}

/// `open(2)`, under a name that the method does not hide.
private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
