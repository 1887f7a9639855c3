import StateStore
import StreamCore
import Testing

/// Random epochs of an operator beside a changelog that is compacted at random, compared with dictionaries: through
/// commits, failures, unknown outcomes, epochs of other instances, and restores at other task counts.
@Suite struct OperatorStateModelTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func agreesWithDictionaries(_ seed: UInt64) throws {
        var world = OperatorWorld(seed: seed) { clock, task, taskCount in
            OperatorState(
                query: QueryName("q"), operatorID: OperatorID("count"), layout: ShardLayout(), task: task,
                taskCount: taskCount, clock: clock)
        }
        for _ in 0..<120 { try world.step() }
    }
}

/// The tasks of one operator, the epochs in flight, and what all of it must be.
struct OperatorWorld {
    typealias Make = (HandClock, _ task: Int, _ taskCount: Int) throws -> OperatorState

    let make: Make
    let clock = HandClock()
    var random: StableRandom
    var log = Changelog(topic: "q-count-changelog")
    var tasks: [CountingTask] = []
    var open = Contents()
    /// The newest committed epoch and its contents.
    var committed: (epoch: Epoch, contents: Contents) = (0, Contents())
    var sealed: [(epoch: Epoch, blocks: [RecordBlock?], contents: Contents)] = []

    init(seed: UInt64, make: @escaping Make) {
        random = StableRandom(seed: seed)
        self.make = make
    }

    mutating func step() throws {
        if tasks.isEmpty { try start() }
        switch Int.random(in: 0..<24, using: &random) {
        case 0..<9: try change()
        case 9..<13: if sealed.count < 2 { try seal() }
        case 13..<16: try commitFirst()
        case 16: try fail()
        case 17: try restoreElsewhere()
        case 18: log.compact(deletionsBefore: clock.wallMilliseconds - 24 * 3_600_000)
        case 19: try overtake()
        case 20: clock.wallMilliseconds += Int64.random(in: 0..<30 * 3_600_000, using: &random)
        case 21: noteEnds()
        case 22: try restart()
        default: clock.wallMilliseconds += 1_000
        }
        try check()
    }

    // MARK: - What may happen

    /// Tasks anew, in another number.
    mutating func start() throws {
        let taskCount = Int.random(in: 1...5, using: &random)
        tasks = try (0..<taskCount).map { CountingTask(try make(clock, $0, taskCount)) }
        try recover()
    }

    private mutating func restart() throws {
        tasks = []
        try start()
    }

    private mutating func change() throws {
        for _ in 0..<Int.random(in: 1..<10, using: &random) {
            let word = "w\(Int.random(in: 0..<60, using: &random))"
            let shard = ShardLayout().shard(ofKeyHash: stableHash(word))
            let table = tasks[shard % tasks.count].table
            if Int.random(in: 0..<4, using: &random) == 0 {
                try table.update(word) { value in value = nil }
                open.counts[word] = nil
            } else {
                try table.update(word) { value in value = (value ?? 0) + 1 }
                open.counts[word, default: 0] += 1
            }
            let number = Int.random(in: 0..<1_000, using: &random)
            let time = Int64.random(in: 0..<20, using: &random)
            tasks[shard % tasks.count].panes.add([number], at: time, shard: shard)
            open.panes[time] = ((open.panes[time] ?? []) + [number]).sorted()
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let time = Int64.random(in: 0..<20, using: &random)
            for task in tasks { task.panes.removePanes(through: time) }
            open.panes = open.panes.filter { $0.key > time }
        }
        if Int.random(in: 0..<5, using: &random) == 0 {
            for task in tasks { try task.table.updateAll { $1 = $1.flatMap { $0 > 3 ? nil : $0 + 1 } } }
            open.counts = open.counts.compactMapValues { $0 > 3 ? nil : $0 + 1 }
        }
    }

    private mutating func seal() throws {
        let epoch = (sealed.last?.epoch ?? committed.epoch).next
        sealed.append((epoch, try tasks.map { try $0.state.seal(epoch) }, open))
    }

    private mutating func commitFirst() throws {
        guard let first = durable() else { return }
        for task in tasks { try task.state.commit(first) }
    }

    /// The oldest sealed epoch is committed, whoever is told.
    private mutating func durable() -> Epoch? {
        guard !sealed.isEmpty else { return nil }
        let first = sealed.removeFirst()
        for block in first.blocks { log.commit(block, at: clock.wallMilliseconds) }
        committed = (first.epoch, first.contents)
        return first.epoch
    }

    /// The attempt is given up; what is in flight may have been committed.
    private mutating func fail() throws {
        for _ in 0..<Int.random(in: 0...2, using: &random) { _ = durable() }
        try recover()
    }

    /// Another instance commits some epochs.
    private mutating func overtake() throws {
        try fail()
        let mine = tasks
        tasks = [
            CountingTask(
                OperatorState(
                    query: QueryName("q"), operatorID: OperatorID("count"), layout: ShardLayout(), task: 0,
                    taskCount: 1, clock: clock))
        ]
        try recover()
        for _ in 0..<3 {
            try change()
            try seal()
            _ = durable()
        }
        tasks = mine
        sealed = []
        if Bool.random(using: &random) {
            // So long that deletions are gone.
            clock.wallMilliseconds += Int64.random(in: 0..<60 * 3_600_000, using: &random)
            log.compact(deletionsBefore: clock.wallMilliseconds - 24 * 3_600_000)
        }
        try recover()
    }

    private mutating func noteEnds() {
        // With nothing open behind the newest committed epoch, or with the one that is in flight.
        for task in tasks {
            let ends = log.ends(of: task.state.followPositions().keys)
            task.state.noteStableEnds(ends, inFlight: sealed.last?.epoch)
        }
    }

    private mutating func recover() throws {
        sealed = []
        open = committed.contents
        for task in tasks {
            // Nobody knows the epoch at a first start.
            let epoch = committed.epoch == 0 ? nil : committed.epoch
            let positions = try task.state.recover(to: epoch)
            guard !positions.isEmpty else { continue }
            let block = log.read(positions)
            if Bool.random(using: &random) {
                // Interrupted, begun again a little earlier, interrupted again.
                try task.state.apply(half(block))
                let again = try task.state.recover(to: epoch)
                try task.state.apply(half(log.read(again.mapValues { Position(max(0, $0.number - 20)) })))
                try task.state.apply(log.read(task.state.followPositions()))
            } else {
                try task.state.apply(block)
            }
            try task.state.restored(log.ends(of: positions.keys), epoch: epoch)
            #expect(try task.state.recover(to: epoch) == [:] || epoch == nil)
            if epoch == nil { try task.state.restored(log.ends(of: positions.keys), epoch: nil) }
        }
    }

    /// The first records of a block.
    private func half(_ block: RecordBlock) -> RecordBlock {
        let part = RecordBlock(topics: block.topics)
        part.arena.append(contentsOf: block.arena.array(ByteView(start: 0, length: block.arena.count)))
        part.slots = Array(block.slots.prefix(block.count / 2))
        return part
    }

    // MARK: - What must be

    /// The committed state, brought back from the changelog alone by another number of tasks.
    private mutating func restoreElsewhere() throws {
        let taskCount = Int.random(in: 1...6, using: &random)
        let others = (0..<taskCount).map { task in
            CountingTask(
                OperatorState(
                    query: QueryName("q"), operatorID: OperatorID("count"), layout: ShardLayout(), task: task,
                    taskCount: taskCount, clock: clock))
        }
        for other in others { try other.state.apply(log.read(other.state.followPositions())) }
        #expect(try Self.contents(others) == committed.contents)
    }

    private mutating func check() throws {
        // Reading everything gives a slot to what nobody has asked for yet: not every time.
        if Int.random(in: 0..<3, using: &random) == 0 {
            let contents = try Self.contents(tasks)
            #expect(contents == open)
        }
        guard tasks.allSatisfy(\.state.isCounted) else { return }
        let rows = open.counts.count + open.panes.values.reduce(0) { $0 + $1.count }
        #expect(tasks.reduce(0) { $0 + $1.state.rowCount } == rows)
    }

    private static func contents(_ tasks: [CountingTask]) throws -> Contents {
        var result = Contents()
        for task in tasks {
            let part = try task.contents()
            result.counts.merge(part.counts) { _, _ in -1 }
            result.panes.merge(part.panes) { ($0 + $1).sorted() }
        }
        return result
    }
}
