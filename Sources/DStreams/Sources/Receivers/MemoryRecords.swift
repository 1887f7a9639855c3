import StreamCore
import Synchronization

/// What a receiver stores, in memory alone: lost when the process dies.
final class MemoryRecords: ReceivedRecords {
    private struct State {
        var frames: [[UInt8]] = []
        var first: Int64
        var bytes = 0
    }

    private let state: Mutex<State>

    /// - Parameter first: behind the positions of every earlier process.
    init(first: Int64) { state = Mutex(State(first: first)) }

    func open() -> Bool { true }

    /// The clock went back between two processes: what is stored here comes behind what the earlier one had.
    func begin(at position: Int64) {
        state.withLock { state in
            state.first = max(state.first, position - Int64(state.frames.count))
        }
    }

    func append(_ records: [Record]) {
        let frames = records.map { record in
            var frame: [UInt8] = []
            SegmentFrame.append(record, to: &frame)
            return frame
        }
        state.withLock { state in
            state.frames += frames
            state.bytes += frames.reduce(0) { $0 + $1.count }
        }
    }

    func trim(before position: Int64) {
        state.withLock { state in
            let count = Int(max(0, min(position - state.first, Int64(state.frames.count))))
            state.bytes -= state.frames.prefix(count).reduce(0) { $0 + $1.count }
            state.frames.removeFirst(count)
            state.first += Int64(count)
        }
    }

    func heldBytes(behind position: Int64) -> Int { state.withLock { $0.bytes } }
    var bounds: Range<Int64> { state.withLock { $0.first..<$0.first + Int64($0.frames.count) } }
    func makeReader() -> any SourceReader { Reader(self) }
    func letGo() {}

    private final class Reader: SourceReader {
        private let records: MemoryRecords
        init(_ records: MemoryRecords) { self.records = records }

        func read(from position: Position, into block: RecordBlock, bytesMax: Int) -> SourceRead {
            records.state.withLock { state in
                // What an earlier process had taken is gone with it.
                if position.number < state.first { return .upTo(Position(state.first)) }
                var next = position.number
                let end = state.first + Int64(state.frames.count)
                while next < end, block.arena.count < bytesMax {
                    let frame = state.frames[Int(next - state.first)]
                    _ = frame.withUnsafeBytes { SegmentFrame.decode($0, offset: next, into: block) }
                    next += 1
                }
                return next == position.number ? .nothing : .upTo(Position(next))
            }
        }
    }
}
