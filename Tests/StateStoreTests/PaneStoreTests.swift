import StateStore
import StreamCore
import Testing

@Suite struct PaneStoreTests {
    let store = PaneStore<Int>(id: 1)

    private func contents(_ store: PaneStore<Int>) throws -> [Int64: [Int]] {
        var result: [Int64: [Int]] = [:]
        try store.forEachPane(after: .min, through: .max) {
            #expect(result[$0] == nil)
            result[$0] = $1
        }
        return result
    }

    private func seal(_ epoch: Epoch, _ store: PaneStore<Int>) throws -> RecordBlock {
        let writer = ChangelogWriter(topic: "t", layout: ShardLayout())
        try store.seal(epoch, into: writer)
        return writer.block
    }

    @Test func panesComeInTheOrderOfTimeAndShard() throws {
        store.add([5], at: 2_000, shard: 4)
        store.add([1, 2], at: 1_000, shard: 9)
        store.add([3], at: 1_000, shard: 0)
        store.add([4], at: 1_000, shard: 9)
        var seen: [Int64] = []
        try store.forEachPane(after: 0, through: 2_000) { time, _ in seen.append(time) }
        #expect(seen == [1_000, 2_000])
        #expect(try contents(store) == [1_000: [3, 1, 2, 4], 2_000: [5]])
        seen = []
        try store.forEachPane(after: 1_000, through: 1_999) { time, _ in seen.append(time) }
        #expect(seen == [])
        #expect(store.count == 5)
        store.removePanes(through: 1_999)
        #expect(try contents(store) == [2_000: [5]])
        #expect(store.count == 1)
    }

    @Test func chunksHaveTheirNumbersAndAreDeletedByThem() throws {
        // 8 bytes each: 8192 elements make 64 KiB, so that 20,000 are two full chunks and one of 3,616.
        store.add(Array(0..<20_000), at: 1, shard: 5)
        let first = try seal(1, store)
        #expect(first.slots.map(\.partition) == [1, 1, 1])
        let time: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 1]
        #expect(first.key(2) == [1, 0, 5] + time + [0, 0, 0, 2])
        #expect(first.value(0)?.count == 1 + 65_536)
        #expect(first.value(2)?.count == 1 + 3_616 * 8)
        store.add([7], at: 1, shard: 5)
        #expect(try seal(2, store).key(0) == [1, 0, 5] + time + [0, 0, 0, 3])
        #expect(try contents(store) == [1: Array(0..<20_000) + [7]])
        store.removePanes(through: 1)
        store.add([8], at: 1, shard: 5)
        let third = try seal(3, store)
        #expect(third.slots.map(\.value.isNull) == [true, true, true, true, false])
        #expect(third.key(4) == [1, 0, 5] + time + [0, 0, 0, 0])
        #expect(try contents(store) == [1: [8]])
        store.rollback()
        #expect(try contents(store) == [:])
        #expect(store.count == 0)
        #expect(store.byteSize == 0)
    }

    /// Random panes, seals, commits and rollbacks, compared with copies of a dictionary, and the changes of committed
    /// epochs with it too.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithADictionary(_ seed: UInt64) throws {
        var random = StableRandom(seed: seed)
        let store = PaneStore<Int>(id: 1)
        var model: [Int64: [Int]] = [:]
        var openBase = model
        var bases: [(epoch: Epoch, before: [Int64: [Int]])] = []
        var epoch: Epoch = 1
        for step in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let time = Int64.random(in: -3..<20, using: &random)
                let elements = Array(step..<step + Int.random(in: 0..<4, using: &random))
                // One shard, so that the order is that of coming.
                store.add(elements, at: time, shard: 2)
                if !elements.isEmpty { model[time, default: []] += elements }
            case 4:
                let time = Int64.random(in: -5..<15, using: &random)
                store.removePanes(through: time)
                model = model.filter { $0.key > time }
            case 5, 6:
                _ = try seal(epoch, store)
                bases.append((epoch, openBase))
                openBase = model
                epoch = epoch.next
            case 7:
                guard let first = bases.first else { continue }
                store.commit(first.epoch)
                bases.removeFirst()
            case 8:
                store.rollbackOpen()
                model = openBase
            default:
                guard bases.count > 1 else { continue }
                store.rollback()
                model = bases[0].before
                openBase = model
                bases = []
            }
            #expect(try contents(store) == model)
            #expect(store.count == model.values.reduce(0) { $0 + $1.count })
        }
    }
}
