import StateStore
import StreamCore
import Testing

@Suite struct StateTableTests {
    struct Refused: Error {}

    let table = StateTable<String, [Int]>(id: 3)

    private func writer() -> ChangelogWriter { ChangelogWriter(topic: "t", layout: ShardLayout()) }

    private func contents<Value>(_ table: StateTable<String, Value>) throws -> [String: Value] {
        var result: [String: Value] = [:]
        func add(_ key: String, _ value: Value) { result[key] = value }
        try table.forEachEntry(add)
        return result
    }

    @Test func changesAreInPlaceAndNilDeletes() throws {
        #expect(try table.value(for: "a") == nil)
        try table.update("a") { value in value = [1] }
        try table.update("a") { value in value?.append(2) }
        #expect(try table.value(for: "a") == [1, 2])
        #expect(table.count == 1)
        #expect(try table.update("a") { value in value.take()?.count } == 2)
        #expect(try table.value(for: "a") == nil)
        #expect(table.count == 0)
    }

    @Test func aBodyThatThrowsLeavesTheKeyAsItWas() throws {
        func refuse(_ key: String) {
            #expect(throws: Refused.self) {
                try table.update(key) { value throws in
                    value = (value ?? []) + [9]
                    throw Refused()
                }
            }
        }
        refuse("new")
        #expect(try contents(table) == [:])
        // Twice, as the second touch of an epoch is another way through.
        try table.update("a") { value in value = [1] }
        refuse("a")
        #expect(try contents(table) == ["a": [1]])
        _ = try seal(table, 1)
        refuse("a")
        table.rollbackOpen()
        #expect(try contents(table) == ["a": [1]])
        #expect(table.count == 1)
    }

    @Test func aSealWritesEachChangedKeyOnce() throws {
        try table.update("a") { value in value = [1] }
        try table.update("a") { value in value = [2] }
        try table.update("gone") { value in value = [5] }
        try table.update("gone") { value in value = nil }
        // Hash 0x44bc2cf5ad770999 of "abc" ends in 9: shard 9 of 16, partition 1 of 4.
        try table.update("abc") { value in value = [3] }
        let block = try seal(table, 1)
        #expect(block.count == 2)
        #expect(block.key(1) == [3, 0, 9, 0x61, 0x62, 0x63])
        #expect(block.slots[1].partition == 1)
        #expect(block.value(1) == [1, 3, 0, 0, 0, 0, 0, 0, 0])
        // The same bytes again are no change; a deletion is.
        try table.update("a") { value in value = [2] }
        try table.update("abc") { value in value = nil }
        let second = try seal(table, 2)
        #expect(second.count == 1)
        #expect(second.key(0) == [3, 0, 9, 0x61, 0x62, 0x63])
        #expect(second.value(0) == nil)
    }

    @Test func whatCannotBeEncodedStopsTheSealAndStaysOpen() throws {
        let table = StateTable<Int, Stubborn>(id: 0)
        try table.update(1) { value in value = Stubborn() }
        #expect(throws: StreamError.self) { try table.seal(1, into: writer()) }
        table.rollbackOpen()
        #expect(table.count == 0)
    }

    @Test func sizesFollowSealedKeys() throws {
        try table.update("abc") { value in value = [1] }
        _ = try seal(table, 1)
        let one = table.byteSize
        // Key record 6 bytes, value 9, and more for the slot.
        #expect(one > 15 && one < 200)
        try table.update("abc") { value in value = Array(0..<100) }
        _ = try seal(table, 2)
        #expect(table.byteSize == one + 99 * 8)
        table.commit(2)
        try table.update("abc") { value in value = nil }
        _ = try seal(table, 3)
        table.commit(3)
        #expect(table.byteSize == 0)
    }

    @Test func manyKeysComeAndGo() throws {
        let table = StateTable<Int, Int>(id: 0)
        for key in 0..<20_000 { try table.update(key) { value in value = key } }
        for key in 0..<20_000 where key % 3 != 0 { try table.update(key) { value in value = nil } }
        try table.seal(1, into: writer())
        table.commit(1)
        #expect(table.count == 6_667)
        for key in 0..<20_000 { #expect(try table.value(for: key) == (key % 3 == 0 ? key : nil)) }
    }

    /// Random changes, seals, commits and rollbacks, compared with copies of a dictionary.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithADictionary(_ seed: UInt64) throws {
        var random = StableRandom(seed: seed)
        let table = StateTable<String, Int>(id: 0)
        var model: [String: Int] = [:]
        var openBase = model
        // The state before each epoch that is sealed and not committed.
        var bases: [(epoch: Epoch, before: [String: Int])] = []
        var epoch: Epoch = 1
        for _ in 0..<400 {
            let key = "k\(Int.random(in: 0..<40, using: &random))"
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<9:
                let number = Int.random(in: 0..<5, using: &random)
                try table.update(key) { value in value = (value ?? 0) + number }
                model[key, default: 0] += number
            case 9..<12:
                try table.update(key) { value in value = nil }
                model[key] = nil
            case 12:
                try table.updateAll { key, value in value = value.flatMap { $0 % 3 == 0 ? nil : $0 + 1 } }
                model = model.compactMapValues { $0 % 3 == 0 ? nil : $0 + 1 }
            case 13, 14:
                let block = try seal(table, epoch)
                // What is written is what differs.
                var replayed = openBase
                for index in block.slots.indices {
                    let key = String(decoding: block.key(index)?.dropFirst(3) ?? [], as: UTF8.self)
                    replayed[key] = try block.value(index).map { try decoded(Array($0.dropFirst()), as: Int.self) }
                }
                #expect(replayed == model)
                bases.append((epoch, openBase))
                openBase = model
                epoch = epoch.next
            case 15, 16:
                guard let first = bases.first else { continue }
                table.commit(first.epoch)
                table.commit(first.epoch)
                bases.removeFirst()
            case 17:
                table.rollbackOpen()
                model = openBase
            case 18 where bases.count > 1:
                table.rollback()
                model = bases[0].before
                openBase = model
                bases = []
            default:
                #expect(try table.value(for: key) == model[key])
            }
            #expect(table.count == model.count)
            #expect(try contents(table) == model)
        }
    }

    @Test func committedChangesAreApplied() throws {
        table.apply(key: "a", value: [1])
        table.apply(key: "a", value: [2])
        table.apply(key: "b", value: [3])
        table.apply(key: "b", value: nil)
        table.apply(key: "c", value: nil)
        #expect(try contents(table) == ["a": [2]])
        table.removeAll()
        #expect(table.count == 0)
        #expect(try table.value(for: "a") == nil)
    }
}

/// The records that a table's epoch gives.
func seal<Key, Value>(_ table: StateTable<Key, Value>, _ epoch: Epoch) throws -> RecordBlock {
    let writer = ChangelogWriter(topic: "t", layout: ShardLayout())
    try table.seal(epoch, into: writer)
    return writer.block
}
