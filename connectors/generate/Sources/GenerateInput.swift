internal import CommitProtocol
internal import ConnectorKit
internal import StreamCore

/// Reads made-up records. A split is a lane, its position the number of the next record; what is due follows from the
/// clock.
final class GenerateInput: InputPort {
    private struct Lane {
        let split: Split
        /// Seeds the lane's records.
        let seed: UInt64
        let limit: Int64
        var position: Int64 = 0
        var isOpen = false
        var isPaused = false
        /// The pace: `paceFrom` was due at `paceStart`.
        var paceStart = MonotonicTime.zero
        var paceFrom: Int64 = 0
        /// Records below were handed out before: they are due at once when they are asked for again.
        var handedOut: Int64 = 0
        /// The position that was last reported as the end.
        var reportedEnd: Int64?
    }

    var onReady: (@Sendable () -> Void)?

    private static let recordsMax = 20_000
    private static let blockBytesMax = 4 << 20

    private let config: GenerateConfig
    private let context: ConnectorContext
    private var lanes: [Lane]
    private var events: [InputEvent] = []
    private var turn = 0
    private var nextWake: MonotonicTime?
    private var scratch: [UInt8] = []

    init(_ config: GenerateConfig, _ context: ConnectorContext) {
        self.config = config
        self.context = context
        var seeds = StableRandom(seed: config.seed)
        lanes = (0..<config.lanes).map { lane in
            Lane(
                split: Split(TopicName(context.name), PartitionID(Int32(lane))), seed: seeds.next(),
                limit: config.limit(ofLane: lane))
        }
    }

    func start() {
        events.append(.assigned(Set(lanes.map(\.split))))
        onReady?()
    }

    func poll(bytesMax: Int) -> InputEvent? {
        if !events.isEmpty { return events.removeFirst() }
        let now = context.clock.now
        if bytesMax > 0, let block = block(bytesMax: min(bytesMax, Self.blockBytesMax), now) { return .records(block) }
        if let end = nextEnd(now) { return end }
        scheduleWake(now)
        return nil
    }

    func open(_ positions: [Split: Position]) {
        let now = context.clock.now
        change(Set(positions.keys)) { lane in
            lane.position = min(max(0, positions[lane.split]?.number ?? 0), lane.limit)
            lane.isOpen = true
            lane.paceStart = now
            lane.paceFrom = lane.position
            lane.reportedEnd = nil
        }
        // What was said about older positions holds no more.
        events.removeAll { event in
            switch event {
            case .reachedEnd(let split, _), .finished(let split, _): positions[split] != nil
            default: false
            }
        }
        nextWake = nil
        onReady?()
    }

    func release(_ splits: Set<Split>) { change(splits) { $0.isOpen = false } }
    func pause(_ splits: Set<Split>) { change(splits) { $0.isPaused = true } }

    func resume(_ splits: Set<Split>) {
        change(splits) { $0.isPaused = false }
        nextWake = nil
        onReady?()
    }

    func resolve(_ starts: [Split: StartPosition]) {
        let now = context.clock.now
        var positions: [Split: Position] = [:]
        for index in lanes.indices {
            let lane = lanes[index]
            switch starts[lane.split] {
            case nil: continue
            case .earliest: positions[lane.split] = 0
            case .latest: positions[lane.split] = Position(due(lane, now))
            case .timestamp(let milliseconds): positions[lane.split] = Position(firstRecord(atMs: milliseconds, index))
            case .position(let position): positions[lane.split] = position
            }
        }
        events.append(.resolved(positions))
        onReady?()
    }

    func requestEnds(_ splits: Set<Split>) {
        let now = context.clock.now
        let asked = lanes.filter { splits.contains($0.split) }
        events.append(.ends(Dictionary(uniqueKeysWithValues: asked.map { ($0.split, Position(due($0, now))) })))
        onReady?()
    }

    func close(within: Duration) {
        for index in lanes.indices { lanes[index].isOpen = false }
        events.removeAll()
        onReady = nil
    }

    // MARK: - Records

    private func block(bytesMax: Int, _ now: MonotonicTime) -> RecordBlock? {
        let order = lanes.indices.map { ($0 + turn) % lanes.count }
        let ready = order.filter { lanes[$0].isOpen && !lanes[$0].isPaused && lanes[$0].position < due(lanes[$0], now) }
        guard let first = ready.first else { return nil }
        // The lane that had its turn first now is the last of the next round.
        turn = (first + 1) % lanes.count
        let block = RecordBlock(topics: [TopicName(context.name)])
        let shareBytes = max(1, bytesMax / ready.count)
        let shareRecords = max(1, Self.recordsMax / ready.count)
        for index in ready {
            let end = min(
                due(lanes[index], now), lanes[index].position.addingReportingOverflow(Int64(shareRecords)).partialValue)
            let before = block.arena.count
            repeat {
                append(index, lanes[index].position, to: block)
                lanes[index].position += 1
            } while lanes[index].position < end && block.arena.count - before < shareBytes
            lanes[index].handedOut = max(lanes[index].handedOut, lanes[index].position)
            if block.arena.count >= bytesMax { break }
        }
        return block
    }

    private func append(_ index: Int, _ number: Int64, to block: RecordBlock) {
        let sequence = config.sequence(lane: index, number)
        // A stream of its own for each record: no record depends on those before it.
        var mixer = StableRandom(seed: lanes[index].seed ^ UInt64(bitPattern: number))
        var input = TemplateInput(
            sequence: sequence, lane: index, timestampMs: config.timestampMs(sequence: sequence),
            random: StableRandom(seed: mixer.next()))
        let key = config.key.map { write($0, &input, to: block) } ?? .null
        let value = write(config.value, &input, to: block)
        block.slots.append(
            RecordSlot(
                key: key, value: value, offset: number, timestamp: input.timestampMs, topic: 0, partition: Int32(index),
                timestampType: .createTime))
    }

    private func write(_ template: Template, _ input: inout TemplateInput, to block: RecordBlock) -> ByteView {
        scratch.removeAll(keepingCapacity: true)
        template.write(&input, into: &scratch)
        return scratch.withUnsafeBytes { block.arena.append($0) }
    }

    // MARK: - Pace

    private var laneRate: Double { config.rate / Double(lanes.count) }

    /// The position up to which a lane's records are due.
    private func due(_ lane: Lane, _ now: MonotonicTime) -> Int64 {
        guard lane.isOpen else { return min(lane.limit, lane.handedOut) }
        let paced = (now - lane.paceStart).seconds * laneRate
        let sum = Double(lane.paceFrom) + max(0, paced)
        let byPace = sum < 9e18 ? lane.paceFrom + Int64(max(0, paced)) : .max
        return min(lane.limit, max(byPace, lane.handedOut))
    }

    private func nextEnd(_ now: MonotonicTime) -> InputEvent? {
        for index in lanes.indices {
            let lane = lanes[index]
            guard lane.isOpen, !lane.isPaused, lane.reportedEnd != lane.position, lane.position >= due(lane, now) else {
                continue
            }
            lanes[index].reportedEnd = lane.position
            let position = Position(lane.position)
            return lane.position == lane.limit ? .finished(lane.split, position) : .reachedEnd(lane.split, position)
        }
        return nil
    }

    private func firstRecord(atMs milliseconds: Int64, _ lane: Int) -> Int64 {
        let sequence = (Double(milliseconds) - Double(config.startTimeMs)) / 1000 * config.rate
        let number = ((sequence - Double(lane)) / Double(config.lanes)).rounded(.up)
        return number < 9e18 ? min(lanes[lane].limit, Int64(max(0, number))) : lanes[lane].limit
    }

    /// Has `onReady` called when the next record is due, and not more often than every millisecond.
    private func scheduleWake(_ now: MonotonicTime) {
        let waits = lanes.compactMap { lane -> Double? in
            guard lane.isOpen, !lane.isPaused, lane.position < lane.limit else { return nil }
            return Double(lane.position - lane.paceFrom + 1) / laneRate - (now - lane.paceStart).seconds
        }
        guard let wait = waits.min(), let onReady else { return }
        let delay = Duration.nanoseconds(Int64(min(max(wait, 0.001), 3600) * 1e9))
        let wake = now + delay
        if let nextWake, nextWake > now, nextWake <= wake { return }
        nextWake = wake
        context.wakeTimer.after(delay, onReady)
    }

    private func change(_ splits: Set<Split>, _ body: (inout Lane) -> Void) {
        for index in lanes.indices where splits.contains(lanes[index].split) { body(&lanes[index]) }
    }
}
