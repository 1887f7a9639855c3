import StreamCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads a write-ahead log up to what is on disk. Confined to the driver's thread.
final class SegmentReader: SourceReader {
    private let log: SegmentLog
    /// The segment that is open, and where its next record is.
    private var open: (first: Int64, descriptor: Int32)?
    private var next: Int64 = 0
    private var at: Int64 = 0

    init(_ log: SegmentLog) { self.log = log }

    deinit { closeSegment() }

    func read(from position: Position, into block: RecordBlock, bytesMax: Int) throws -> SourceRead {
        let view = log.view
        guard view.folder != nil else { return .nothing }
        let number = position.number
        guard let segment = view.segments.first(where: { number < $0.end }) else {
            let end = view.segments.last?.end ?? 0
            return number > end ? .lost(next: Position(end)) : .nothing
        }
        if number < segment.first { return .lost(next: Position(segment.first)) }
        do {
            try go(to: segment, number)
            try read(segment, from: number, into: block, bytesMax: bytesMax)
        } catch {
            closeSegment()
            throw (error as? DurableFile.Failure)?.inStateFolder ?? error
        }
        return .upTo(Position(next))
    }

    private func go(to segment: SegmentLog.Segment, _ number: Int64) throws(DurableFile.Failure) {
        if let open, open.first == segment.first {
            if next > number { (next, at) = (segment.first, 0) }
            return
        }
        closeSegment()
        let path = log.file(segment)
        let descriptor = openForReading(path)
        guard descriptor >= 0 else { throw DurableFile.Failure(verb: "open", path: path, code: errno) }
        open = (segment.first, descriptor)
        (next, at) = (segment.first, 0)
    }

    /// Reads a piece of the segment; records before the position are passed over.
    private func read(
        _ segment: SegmentLog.Segment, from number: Int64, into block: RecordBlock, bytesMax: Int
    ) throws {
        guard let descriptor = open?.descriptor else { return }
        let path = log.file(segment)
        var wanted = max(64 << 10, min(bytesMax, 1 << 20))
        while block.isEmpty, next < segment.end {
            let count = Int(min(Int64(wanted), segment.bytes - at))
            let bytes = try DurableFile.read(descriptor, path, from: at, count: count)
            let (used, missing) = try bytes.withUnsafeBytes { bytes in
                try take(bytes, segment, from: number, into: block)
            }
            // Short of what the log knows to be on disk: somebody else has written to the file.
            guard used > 0 || (Int64(count) < segment.bytes - at && missing > count) else {
                throw SegmentRecovery.damaged(path, Int(at))
            }
            wanted = max(wanted, missing)
            at += Int64(used)
        }
    }

    /// Takes the whole records of a piece.
    /// - Returns: the bytes that were taken, and how many the record behind them needs, if it is cut.
    private func take(
        _ bytes: UnsafeRawBufferPointer, _ segment: SegmentLog.Segment, from number: Int64, into block: RecordBlock
    ) throws(StreamError) -> (used: Int, missing: Int) {
        var used = 0
        while next < segment.end {
            let rest = SegmentFrame.part(bytes, used, bytes.count - used)
            switch SegmentFrame.look(rest) {
            case .record(let length):
                let frame = SegmentFrame.part(rest, 0, length)
                if next >= number, !SegmentFrame.decode(frame, offset: next, into: block) {
                    throw SegmentRecovery.damaged(log.file(segment), Int(at) + used)
                }
                next += 1
                used += length
            case .cut(let length): return (used, max(length, SegmentFrame.headerBytes))
            case .damaged: throw SegmentRecovery.damaged(log.file(segment), Int(at) + used)
            }
        }
        return (used, 0)
    }

    private func closeSegment() {
        if let open { close(open.descriptor) }
        open = nil
    }
}

private func openForReading(_ path: String) -> Int32 { open(path, O_RDONLY | O_CLOEXEC) }
