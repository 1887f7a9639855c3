internal import CommitProtocol
private import ConnectorKit
internal import StreamCore

/// Reads files, one after the other in the order of their paths. A split is a file, its position a byte: what comes
/// next is the first line that begins there or behind it, so that the position right behind a record's offset is also
/// one.
final class FileInput: InputPort {
    private struct Lane {
        let split: Split
        let path: String
        /// The file's size when the query was started: it is read up to there.
        let end: Int64
        var position: Int64 = 0
        var isOpen = false
        var isPaused = false
        var isDone = false
        var reader: LineReader?
    }

    var onReady: (@Sendable () -> Void)?

    private static let blockBytesMax = 1 << 20

    private let path: String
    private let lineBytesMax: Int
    private var lanes: [Lane] = []
    private var events: [InputEvent] = []

    init(path: String, lineBytesMax: Int) {
        self.path = path
        self.lineBytesMax = lineBytesMax
    }

    func start() {
        do {
            lanes = try FileList.files(path).map { file in
                Lane(split: Split(TopicName(file), 0), path: file, end: try RegularFile.size(file))
            }
            events.append(.assigned(Set(lanes.map(\.split))))
        } catch {
            events.append(.trouble(Self.streamError(error)))
        }
        onReady?()
    }

    func poll(bytesMax: Int) -> InputEvent? {
        if !events.isEmpty { return events.removeFirst() }
        guard bytesMax > 0, let index = lanes.firstIndex(where: { $0.isOpen && !$0.isPaused && !$0.isDone }) else {
            return nil
        }
        let block = RecordBlock(topics: [lanes[index].split.topic])
        do {
            let reader = try lanes[index].reader ?? reader(index)
            lanes[index].reader = reader
            // One poll reads so much at most, also where all of it is blank.
            let hasMore = try reader.read(into: block, topic: 0, bytesMax: min(bytesMax, Self.blockBytesMax))
            if !hasMore { finish(index) }
        } catch {
            lanes[index].isDone = true
            lanes[index].reader = nil
            events.append(.trouble(Self.streamError(error)))
        }
        if !block.isEmpty { return .records(block) }
        if !events.isEmpty { return events.removeFirst() }
        // Nothing but blank lines so far. One poll stays short: the caller stops at nil and is called back for the
        // rest.
        onReady?()
        return nil
    }

    func open(_ positions: [Split: Position]) {
        for index in lanes.indices {
            guard let position = positions[lanes[index].split] else { continue }
            lanes[index].position = max(0, position.number)
            lanes[index].isOpen = true
            lanes[index].isDone = false
            lanes[index].reader = nil
            if lanes[index].position > lanes[index].end {
                lanes[index].isDone = true
                events.append(.dataLoss(lanes[index].split, at: position, next: Position(lanes[index].end)))
            }
        }
        events.removeAll { event in
            if case .finished(let split, _) = event { positions[split] != nil } else { false }
        }
        onReady?()
    }

    func release(_ splits: Set<Split>) {
        change(splits) { lane in
            lane.isOpen = false
            lane.reader = nil
        }
    }

    func pause(_ splits: Set<Split>) { change(splits) { $0.isPaused = true } }

    func resume(_ splits: Set<Split>) {
        change(splits) { $0.isPaused = false }
        onReady?()
    }

    /// Lines have no time: a timestamp cannot be resolved.
    func resolve(_ starts: [Split: StartPosition]) {
        var positions: [Split: Position] = [:]
        for lane in lanes {
            switch starts[lane.split] {
            case nil: continue
            case .earliest: positions[lane.split] = 0
            case .latest: positions[lane.split] = Position(lane.end)
            case .position(let position): positions[lane.split] = position
            case .timestamp:
                events.append(
                    .trouble(
                        StreamError(
                            "FILE_NO_TIME", "Could not start at a timestamp: lines of files have none.", domain: .user))
                )
                onReady?()
                return
            }
        }
        events.append(.resolved(positions))
        onReady?()
    }

    func requestEnds(_ splits: Set<Split>) {
        let asked = lanes.filter { splits.contains($0.split) }
        events.append(.ends(Dictionary(uniqueKeysWithValues: asked.map { ($0.split, Position($0.end)) })))
        onReady?()
    }

    func close(within: Duration) {
        lanes.removeAll()
        events.removeAll()
        onReady = nil
    }

    // MARK: - Reading

    private func reader(_ index: Int) throws -> LineReader {
        let lane = lanes[index]
        return try LineReader(path: lane.path, from: lane.position, end: lane.end, lineBytesMax: lineBytesMax)
    }

    private func finish(_ index: Int) {
        lanes[index].isDone = true
        lanes[index].reader = nil
        events.append(.finished(lanes[index].split, Position(lanes[index].end)))
    }

    private func change(_ splits: Set<Split>, _ body: (inout Lane) -> Void) {
        for index in lanes.indices where splits.contains(lanes[index].split) { body(&lanes[index]) }
    }

    private static func streamError(_ error: any Error) -> StreamError {
        error as? StreamError ?? StreamError("FILE_UNREADABLE", "Could not read files: \(error)", domain: .external)
    }
}
