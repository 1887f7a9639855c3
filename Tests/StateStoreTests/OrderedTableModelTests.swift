import StateStore
import StreamCore
import Testing

/// Random epochs of an ordered table beside a changelog that is compacted at random, compared with a sorted array:
/// through commits, failures, unknown outcomes, restarts, and restores at other task counts.
@Suite struct OrderedTableModelTests {
    @Test(arguments: 0..<16 as Range<UInt64>)
    func agreesWithASortedArrayInMemory(_ seed: UInt64) throws {
        var world = OrderedWorld(seed: seed) { clock, task, taskCount, _ in
            OrderedWorld.state(clock, task, taskCount, nil)
        }
        for _ in 0..<150 { try world.step() }
    }

    /// With a cache of about 20 rows, so that most of the table is on the disk alone; or with one that has room now and
    /// then.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func agreesWithASortedArrayOnTheDisk(_ seed: UInt64) throws {
        try withFolder { folder in
            var stores = [try LocalStore(folder: "\(folder)/0", memoryBytes: 8 << 20)]
            defer { for store in stores { store.close() } }
            var world = OrderedWorld(seed: seed) { clock, task, taskCount, isNew in
                if isNew { stores.append(try LocalStore(folder: "\(folder)/\(stores.count)", memoryBytes: 8 << 20)) }
                return OrderedWorld.state(
                    clock, task, taskCount, stores[isNew ? stores.count - 1 : 0],
                    cacheBytes: seed % 3 == 0 ? 20_000 : 2_500, collectingFrom: seed % 2 == 0 ? 0 : 50_000)
            }
            for _ in 0..<120 { try world.step() }
        }
    }

    /// The disk fails in the midst of an epoch: what is told as an error has changed nothing, all else counts.
    @Test(arguments: 0..<6 as Range<UInt64>)
    func aDiskThatFailsTakesNoChangeInPart(_ seed: UInt64) throws {
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            var isFailing = false
            var world = OrderedWorld(seed: seed) { clock, task, taskCount, isNew in
                OrderedWorld.state(
                    clock, task, taskCount, isFailing || isNew ? nil : store, cacheBytes: 2_500)
            }
            for _ in 0..<60 { try world.step() }
            try world.start(taskCount: 2)
            try world.change()
            store.close()
            isFailing = true
            var failures = 0
            for turn in 0..<80 {
                if turn == 40 { world.rollback() }
                do {
                    try world.change(1)
                } catch {
                    #expect((error as? StreamError)?.code == "STATE_STORE")
                    failures += 1
                }
                #expect(world.tasks.reduce(0) { $0 + $1.table.count } == world.open.count)
            }
            #expect(failures > 5 || !world.tasks.contains(where: \.table.isOnDisk))
            try world.seal()
            _ = world.durable()
            try world.restoreElsewhere()
        }
    }

    /// What is written depends on the changes alone, not on what memory has.
    @Test(arguments: 0..<6 as Range<UInt64>)
    func theChangelogIsTheSameWithAndWithoutADisk(_ seed: UInt64) throws {
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            var worlds = [
                OrderedWorld(seed: seed) { clock, task, taskCount, _ in
                    OrderedWorld.state(clock, task, taskCount, nil)
                },
                OrderedWorld(seed: seed) { clock, task, taskCount, _ in
                    OrderedWorld.state(clock, task, taskCount, store, cacheBytes: 2_500)
                },
            ]
            for epoch in 1...15 {
                var bytes: [[UInt8]] = []
                for at in worlds.indices {
                    if epoch == 1 { try worlds[at].start(taskCount: 1) }
                    try worlds[at].change()
                    let state = worlds[at].tasks[0].state
                    let block = try state.seal(Epoch(Int64(epoch)))
                    bytes.append(block.map { $0.arena.array(ByteView(start: 0, length: $0.arena.count)) } ?? [])
                    try state.commit(Epoch(Int64(epoch)))
                }
                #expect(bytes[0] == bytes[1])
                #expect(epoch > 1 || !bytes[0].isEmpty)
            }
        }
    }
}

/// A table by the book: rows in an array that is sorted after each change.
struct OrderedModel: Equatable {
    enum Group: Hashable {
        case bytes([UInt8])
        case shard(Int)
    }

    struct Row: Equatable {
        var key: [UInt8]
        var value: [UInt8]
    }

    var groups: [Group: [Row]] = [:]
    var count: Int { groups.values.reduce(0) { $0 + $1.count } }

    func value(_ group: Group, _ key: [UInt8]) -> [UInt8]? { groups[group]?.first { $0.key == key }?.value }

    mutating func set(_ group: Group, _ key: [UInt8], _ value: [UInt8]?) {
        var rows = groups[group, default: []].filter { $0.key != key }
        if let value { rows.append(Row(key: key, value: value)) }
        rows.sort { $0.key.lexicographicallyPrecedes($1.key) }
        groups[group] = rows.isEmpty ? nil : rows
    }

    func rows(_ group: Group, where isIn: ([UInt8]) -> Bool) -> [Row] { groups[group]?.filter { isIn($0.key) } ?? [] }
}

/// The tasks of one operator, the epochs in flight, and what all of it must be.
struct OrderedWorld {
    typealias Make = (HandClock, _ task: Int, _ taskCount: Int, _ isNew: Bool) throws -> OperatorState

    struct OneTask {
        let state: OperatorState
        let table: OrderedTable

        init(_ state: OperatorState) {
            self.state = state
            table = state.orderedTable(id: 7)
        }
    }

    let make: Make
    let clock = HandClock()
    var random: StableRandom
    var log = Changelog(topic: "q-join-changelog")
    var tasks: [OneTask] = []
    var open = OrderedModel()
    var committed: (epoch: Epoch, model: OrderedModel) = (0, OrderedModel())
    var sealed: [(epoch: Epoch, blocks: [RecordBlock?], model: OrderedModel)] = []

    static let groups: [OrderedModel.Group] =
        [.bytes([]), .bytes([0]), .bytes([0, 0]), .bytes([255, 255]), .bytes(Array(repeating: 255, count: 300))]
        + [.bytes(Array(repeating: 1, count: 254)), .bytes(Array("user".utf8)), .shard(0), .shard(7), .shard(15)]

    init(seed: UInt64, make: @escaping Make) {
        random = StableRandom(seed: seed)
        self.make = make
    }

    static func state(
        _ clock: HandClock, _ task: Int, _ taskCount: Int, _ store: LocalStore?, cacheBytes: Int = 64 << 20,
        collectingFrom: Int = 50_000
    ) -> OperatorState {
        OperatorState(
            query: QueryName("q"), operatorID: OperatorID("join"), layout: ShardLayout(), task: task,
            taskCount: taskCount, local: store, cacheBytes: cacheBytes, collectingFrom: collectingFrom, clock: clock)
    }

    mutating func step() throws {
        if tasks.isEmpty { try start(taskCount: Int.random(in: 1...5, using: &random)) }
        switch Int.random(in: 0..<25, using: &random) {
        case 0..<9: try change()
        case 9..<13: if sealed.count < 2 { try seal() }
        case 13..<16: if let first = durable() { for task in tasks { try task.state.commit(first) } }
        case 16: try fail()
        case 17: try restoreElsewhere()
        case 18: log.compact(deletionsBefore: clock.wallMilliseconds - 24 * 3_600_000)
        case 19: rollback()
        case 20: clock.wallMilliseconds += Int64.random(in: 0..<30 * 3_600_000, using: &random)
        case 21:
            for task in tasks {
                let ends = log.ends(of: task.state.followPositions().keys)
                task.state.noteStableEnds(ends, inFlight: sealed.last?.epoch)
            }
        case 22: try overtake()
        case 23: try start(taskCount: Int.random(in: 1...5, using: &random))
        default: clock.wallMilliseconds += 1_000
        }
        try check()
    }

    // MARK: - What may happen

    mutating func start(taskCount: Int) throws {
        tasks = try (0..<taskCount).map { OneTask(try make(clock, $0, taskCount, false)) }
        try recover()
    }

    /// - Parameter changes: nil: some.
    mutating func change(_ changes: Int? = nil) throws {
        for _ in 0..<(changes ?? Int.random(in: 1..<30, using: &random)) {
            let (name, table, group) = try pick()
            let key = randomBytes()
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<6:
                let value = [UInt8](repeating: UInt8.random(in: 0...9, using: &random), count: key.count * 4)
                try table.put(value, for: key, in: group)
                open.set(name, key, value)
            case 6, 7:
                #expect(try table.remove(key, in: group) == open.value(name, key))
                open.set(name, key, nil)
            case 8:
                try table.update(key, in: group) { value in value = value.map { $0.count > 6 ? nil : $0 + [1] } ?? [2] }
                open.set(name, key, open.value(name, key).map { $0.count > 6 ? nil : $0 + [1] } ?? [2])
            case 9:
                let (range, isIn) = randomRange()
                let rows = open.rows(name, where: isIn)
                #expect(try table.deleteRange(in: group, range) == rows.count)
                for row in rows { open.set(name, row.key, nil) }
            case 10:
                let keys = (0..<8).map { _ in randomBytes() }
                #expect(try table.values(for: keys, in: group) == keys.map { open.value(name, $0) })
            default:
                #expect(try table.value(for: key, in: group) == open.value(name, key))
            }
            try look()
        }
    }

    mutating func seal() throws {
        let epoch = (sealed.last?.epoch ?? committed.epoch).next
        sealed.append((epoch, try tasks.map { try $0.state.seal(epoch) }, open))
    }

    mutating func durable() -> Epoch? {
        guard !sealed.isEmpty else { return nil }
        let first = sealed.removeFirst()
        for block in first.blocks { log.commit(block, at: clock.wallMilliseconds) }
        committed = (first.epoch, first.model)
        return first.epoch
    }

    mutating func rollback() {
        for task in tasks { task.state.rollbackOpen() }
        open = sealed.last?.model ?? committed.model
    }

    /// The attempt is given up; what is in flight may have been committed.
    private mutating func fail() throws {
        for _ in 0..<Int.random(in: 0...2, using: &random) { _ = durable() }
        try recover()
    }

    /// Another instance commits some epochs, maybe for so long that deletions are gone from the changelog.
    private mutating func overtake() throws {
        try fail()
        let mine = tasks
        tasks = [OneTask(try make(clock, 0, 1, true))]
        try recover()
        for _ in 0..<3 {
            try change()
            try seal()
            _ = durable()
        }
        tasks = mine
        if Bool.random(using: &random) {
            clock.wallMilliseconds += Int64.random(in: 0..<60 * 3_600_000, using: &random)
            log.compact(deletionsBefore: clock.wallMilliseconds - 24 * 3_600_000)
        }
        try recover()
    }

    private mutating func recover() throws {
        sealed = []
        open = committed.model
        for task in tasks { try restore(task, isInterrupted: Bool.random(using: &random)) }
    }

    private func restore(_ task: OneTask, isInterrupted: Bool) throws {
        let epoch = committed.epoch == 0 ? nil : committed.epoch
        var positions = try task.state.recover(to: epoch)
        guard !positions.isEmpty else { return }
        if isInterrupted {
            let block = log.read(positions)
            block.slots.removeLast(block.count / 2)
            try task.state.apply(block)
            positions = try task.state.recover(to: epoch)
        }
        try task.state.apply(log.read(positions))
        try task.state.restored(log.ends(of: positions.keys), epoch: epoch)
    }

    /// The committed table, brought back from the changelog alone by another number of tasks.
    mutating func restoreElsewhere() throws {
        let taskCount = Int.random(in: 1...4, using: &random)
        let others = try (0..<taskCount).map { OneTask(try make(clock, $0, taskCount, true)) }
        for other in others { try restore(other, isInterrupted: Bool.random(using: &random)) }
        #expect(try Self.model(others) == committed.model)
        if others.allSatisfy(\.state.isCounted) {
            #expect(others.reduce(0) { $0 + $1.table.count } == committed.model.count)
        }
        // The same rows cost the same, however they came.
        guard sealed.isEmpty, tasks.allSatisfy({ $0.state.stateEpoch == committed.epoch }) else { return }
        rollback()
        // A count puts what was restored in its place.
        if (tasks + others).contains(where: { $0.table.count < 0 || $0.table.isOnDisk }) { return }
        #expect(others.reduce(0) { $0 + $1.table.byteSize } == tasks.reduce(0) { $0 + $1.table.byteSize })
    }

    // MARK: - What must be

    /// A pass over some range.
    private mutating func look() throws {
        let (name, table, group) = try pick()
        let (range, isIn) = randomRange()
        let isReversed = Bool.random(using: &random)
        let limit = Bool.random(using: &random) ? Int.max : Int.random(in: 0..<5, using: &random)
        let stopAfter = Bool.random(using: &random) ? Int.max : Int.random(in: 1..<5, using: &random)
        var found: [OrderedModel.Row] = []
        try table.forEachEntry(in: group, range, isReversed: isReversed, limit: limit) { key, value in
            found.append(OrderedModel.Row(key: Array(key), value: value))
            return found.count < stopAfter
        }
        let all = open.rows(name, where: isIn)
        #expect(found == Array((isReversed ? all.reversed() : all).prefix(min(limit, stopAfter))))
    }

    private mutating func check() throws {
        try look()
        if Int.random(in: 0..<3, using: &random) == 0 { #expect(try Self.model(tasks) == open) }
        guard tasks.allSatisfy(\.state.isCounted) else { return }
        #expect(tasks.reduce(0) { $0 + $1.state.rowCount } == open.count)
    }

    private static func model(_ tasks: [OneTask]) throws -> OrderedModel {
        var result = OrderedModel()
        for task in tasks {
            try task.table.forEachEntry { group, key, value in
                let name = group.bytes.map { OrderedModel.Group.bytes(Array($0)) } ?? .shard(group.shard)
                let row = OrderedModel.Row(key: Array(key), value: value)
                if let last = result.groups[name]?.last { #expect(last.key.lexicographicallyPrecedes(row.key)) }
                result.groups[name, default: []].append(row)
            }
        }
        return result
    }

    // MARK: -

    private mutating func pick() throws -> (OrderedModel.Group, OrderedTable, OrderedGroup) {
        let name = Self.groups[Int.random(in: 0..<Self.groups.count, using: &random)]
        let group =
            switch name {
            case .bytes(let bytes): tasks[0].table.group(bytes)
            case .shard(let shard): tasks[0].table.group(ofShard: shard)
            }
        return (name, tasks[group.shard % tasks.count].table, group)
    }

    private mutating func randomBytes() -> [UInt8] {
        let alphabet: [UInt8] = [0, 1, 0x7f, 0x80, 0xff]
        return (0..<Int.random(in: 0...3, using: &random)).map { _ in alphabet[Int.random(in: 0..<5, using: &random)] }
    }

    private mutating func randomRange() -> (OrderedRange, ([UInt8]) -> Bool) {
        let from = randomBytes()
        let to = randomBytes()
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return (.all, { _ in true })
        case 1: return (.prefix(from), { $0.starts(with: from) })
        case 2: return (.from(from), { !$0.lexicographicallyPrecedes(from) })
        default:
            return (.from(from, to: to), { !$0.lexicographicallyPrecedes(from) && $0.lexicographicallyPrecedes(to) })
        }
    }
}
