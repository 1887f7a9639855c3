import FoundationEssentials
import StateStore
import StreamCore
import Testing

@Suite struct OrderedTableTests {
    struct Refused: Error {}

    let clock = HandClock()

    private func task(_ store: LocalStore? = nil, cacheBytes: Int = 64 << 20, collectingFrom: Int = 50_000)
        -> OrderedWorld.OneTask
    {
        OrderedWorld.OneTask(
            OrderedWorld.state(clock, 0, 1, store, cacheBytes: cacheBytes, collectingFrom: collectingFrom))
    }

    private func keys(
        _ table: OrderedTable, _ group: OrderedGroup, _ range: OrderedRange = .all, isReversed: Bool = false,
        limit: Int = .max
    ) throws -> [String] {
        var result: [String] = []
        try table.forEachEntry(in: group, range, isReversed: isReversed, limit: limit) { key, _ in
            result.append(String(decoding: key, as: UTF8.self))
            return true
        }
        return result
    }

    private func fill(_ table: OrderedTable, _ group: OrderedGroup, _ keys: [String]) throws {
        for key in keys { try table.put(Array("value of \(key)".utf8), for: Array(key.utf8), in: group) }
    }

    private func error(_ body: () throws -> Void) -> StreamError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StreamError
        }
    }

    // MARK: - By hand

    @Test func oneEntryIsSetChangedAndRemoved() throws {
        let table = task().table
        let group = table.group([1, 2])
        #expect(try table.value(for: [5], in: group) == nil)
        try table.put([9], for: [5], in: group)
        #expect(try table.value(for: [5], in: group) == [9])
        #expect(try table.value(for: [5], in: table.group([1])) == nil)
        #expect(try table.value(for: [5], in: table.group(ofShard: group.shard)) == nil)
        try table.put([], for: [], in: group)
        #expect(try table.value(for: [], in: group) == [])
        #expect(table.count == 2)
        #expect(
            try table.update([5], in: group) { value in
                value?.append(8)
                return value?.count
            } == 2)
        #expect(try table.values(for: [[5], [6], [], [5]], in: group) == [[9, 8], nil, [], [9, 8]])
        #expect(throws: Refused.self) {
            try table.update([5], in: group) { value throws in
                value = nil
                throw Refused()
            }
        }
        #expect(try table.remove([5], in: group) == [9, 8])
        #expect(try table.remove([5], in: group) == nil)
        try table.update([], in: group) { value in value = nil }
        #expect(table.count == 0)
    }

    @Test func rangesAreOfUnsignedBytes() throws {
        let table = task().table
        let group = table.group(Array("g".utf8))
        try fill(table, group, ["b", "ba", "a", "", "c", "ab", "bb"])
        try fill(table, table.group(Array("g2".utf8)), ["b", "x"])
        #expect(try keys(table, group) == ["", "a", "ab", "b", "ba", "bb", "c"])
        #expect(try keys(table, group, .prefix(Array("b".utf8))) == ["b", "ba", "bb"])
        #expect(try keys(table, group, .prefix(Array("z".utf8))) == [])
        #expect(try keys(table, group, .from(Array("ab".utf8), to: Array("bb".utf8))) == ["ab", "b", "ba"])
        #expect(try keys(table, group, .from(Array("bb".utf8))) == ["bb", "c"])
        #expect(try keys(table, group, .from(Array("b".utf8), to: Array("b".utf8))) == [])
        #expect(try keys(table, group, .from(Array("c".utf8), to: Array("a".utf8))) == [])
        #expect(try keys(table, group, .prefix(Array("b".utf8)), isReversed: true) == ["bb", "ba", "b"])
        #expect(try keys(table, group, isReversed: true, limit: 2) == ["c", "bb"])
        #expect(try keys(table, group, .from(Array("aa".utf8)), limit: 2) == ["ab", "b"])
        #expect(try keys(table, group, limit: 0) == [])
        // Bytes above 0x7f come last, and a prefix of them alone has no end of its own.
        try table.put([1], for: [0xff, 0xff], in: group)
        try table.put([2], for: [0x80], in: group)
        try table.put([3], for: [0xff], in: group)
        var found: [[UInt8]] = []
        try table.forEachEntry(in: group, .from([0x63])) { key, _ in
            found.append(Array(key))
            return found.count < 3
        }
        #expect(found == [[0x63], [0x80], [0xff]])
        found = []
        try table.forEachEntry(in: group, .prefix([0xff])) { key, value in
            found.append(Array(key) + value)
            return true
        }
        #expect(found == [[0xff, 3], [0xff, 0xff, 1]])
    }

    @Test func aRangeIsDeletedAndComesBack() throws {
        let task = task()
        let table = task.table
        let group = table.group([7])
        try fill(table, group, ["a", "b", "c", "d"])
        try fill(table, table.group([8]), ["b"])
        let first = try #require(try task.state.seal(1))
        // A schema in each of four partitions, then the entries.
        #expect(first.count == 9)
        #expect(try table.deleteRange(in: group, .from(Array("b".utf8), to: Array("d".utf8))) == 2)
        #expect(try table.deleteRange(in: group, .from(Array("b".utf8), to: Array("d".utf8))) == 0)
        #expect(try keys(table, group) == ["a", "d"])
        #expect(table.count == 3)
        task.state.rollbackOpen()
        #expect(try keys(table, group) == ["a", "b", "c", "d"])
        #expect(table.count == 5)
        #expect(try table.deleteRange(in: group, .prefix([])) == 4)
        let second = try #require(try task.state.seal(2))
        #expect(second.count == 4)
        #expect(!second.slots.contains { !$0.value.isNull })
        try task.state.commit(2)
        #expect(table.count == 1)
        #expect(try table.deleteRange(in: table.group([8])) == 1)
        _ = try task.state.seal(3)
        try task.state.commit(3)
        #expect(table.byteSize == 0)
    }

    @Test func aSealWritesEachChangedKeyOnce() throws {
        let task = task()
        let table = task.table
        // As the key "abc" of a table: shard 9 of 16, partition 1 of 4.
        let group = table.group(Array("abc".utf8))
        #expect(group.shard == 9)
        try table.put([1], for: [0x20], in: group)
        try table.put([2], for: [0x10], in: group)
        try table.put([3], for: [0x20], in: group)
        try table.put([4], for: [0x30], in: group)
        try table.remove([0x30], in: group)
        try table.put([5], for: [0x40], in: table.group(ofShard: 2))
        let block = try #require(try task.state.seal(1))
        #expect(block.count == 4 + 3)
        #expect(block.key(4) == [7, 0, 9, 4, 0x61, 0x62, 0x63, 0x20])
        #expect(block.value(4) == [1, 3])
        #expect(block.key(5) == [7, 0, 9, 4, 0x61, 0x62, 0x63, 0x10])
        #expect(block.key(6) == [7, 0, 2, 0, 0x40])
        #expect(block.slots[4...].map(\.partition) == [1, 1, 2])
        // What is as it was is not written.
        try table.put([3], for: [0x20], in: group)
        try table.put([9], for: [0x10], in: group)
        try table.put([2], for: [0x10], in: group)
        #expect(try task.state.seal(2) == nil)
        try table.remove([0x20], in: group)
        let third = try #require(try task.state.seal(3))
        #expect(third.count == 1 && third.value(0) == nil)
    }

    @Test func anOpenEpochIsUndoneOverASealedOne() throws {
        let task = task()
        let table = task.table
        let group = table.group([1])
        try fill(table, group, ["a", "b"])
        _ = try task.state.seal(1)
        try task.state.commit(1)
        let bytes = table.byteSize
        try table.remove(Array("a".utf8), in: group)
        try fill(table, group, ["c"])
        _ = try task.state.seal(2)
        try fill(table, group, ["a", "d"])
        try table.remove(Array("c".utf8), in: group)
        #expect(try keys(table, group) == ["a", "b", "d"])
        task.state.rollbackOpen()
        #expect(try keys(table, group) == ["b", "c"])
        #expect(table.count == 2)
        // The sealed one was not committed.
        #expect(try task.state.recover(to: 1) == [:])
        #expect(try keys(table, group) == ["a", "b"])
        #expect(table.byteSize == bytes)
    }

    @Test func aBodyMayChangeTheTable() throws {
        let table = task().table
        let group = table.group([1])
        for number in UInt8(0)..<250 { try table.put([number], for: [number], in: group) }
        var seen: [UInt8] = []
        try table.forEachEntry(in: group) { key, value in
            seen += value
            try table.deleteRange(in: group, .from(Array(key), to: Array(key) + [0, 0]))
            try table.put([0], for: [251] + key, in: group)
            return true
        }
        #expect(seen == Array(0..<250))
        #expect(table.count == 250)
        #expect(try table.value(for: [251, 3], in: group) == [0])
    }

    @Test func groupsTellTheirBytes() {
        let table = task().table
        for count in [0, 1, 125, 126, 127, 128, 254, 255, 16_382, 16_383, 20_000] {
            let bytes = [UInt8](repeating: 0x80, count: count)
            #expect(table.group(bytes).bytes.map(Array.init) == bytes)
        }
        #expect(table.group(ofShard: 3).bytes == nil)
        #expect(table.group(ofShard: 3).shard == 3)
    }

    // MARK: - The disk

    @Test func aTinyCacheHoldsEverything() throws {
        try withFolder { folder in
            var store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            var task = task(store, cacheBytes: 10_000)
            func group(_ number: Int) -> OrderedGroup { task.table.group("g\(number % 10)".utf8) }
            func key(_ number: Int) -> [UInt8] { [UInt8(number / 250), UInt8(number % 250)] }
            for number in 0..<1_000 { try task.table.put(key(number), for: key(number), in: group(number)) }
            _ = try task.state.seal(1)
            try task.state.commit(1)
            #expect(task.table.byteSize <= 10_000)
            #expect(task.table.count == 1_000)
            for number in 0..<1_000 {
                #expect(try task.table.value(for: key(number), in: group(number)) == key(number))
            }
            #expect(task.table.byteSize <= 11_000)
            store.close()
            store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            task = self.task(store, cacheBytes: 10_000)
            #expect(try task.state.recover(to: 1) == [:])
            #expect(task.table.count == 1_000)
            // Numbers 3, 13, 23 and so on: of those from 250 to 499 every tenth, less two, and one more.
            #expect(try task.table.remove([1, 3], in: group(3)) == [1, 3])
            #expect(try task.table.deleteRange(in: group(3), .from([1, 20], to: [1, 30])) == 1)
            try task.table.put([9], for: [1, 4], in: group(3))
            var found: [UInt8] = []
            try task.table.forEachEntry(in: group(3), .prefix([1]), isReversed: true) { key, _ in
                found.append(key[key.startIndex + 1])
                return true
            }
            #expect(found.count == 25 - 2 + 1)
            #expect(Array(found.suffix(3)) == [33, 13, 4])
            #expect(task.table.count == 999)
            #expect(
                try task.table.values(for: [[1, 3], [1, 13], [0, 3]], in: group(3)) == [nil, [1, 13], [0, 3]])
        }
    }

    @Test func whatHasRoomIsReadFromTheDiskOnce() throws {
        try withFolder { folder in
            var store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            let first = task(store)
            try fill(first.table, first.table.group([1]), ["a", "b", "c"])
            _ = try first.state.seal(1)
            try first.state.commit(1)
            store.close()
            store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            let task = task(store)
            #expect(try task.state.recover(to: 1) == [:])
            let group = task.table.group([1])
            #expect(try keys(task.table, group) == ["a", "b", "c"])
            store.close()
            #expect(try keys(task.table, group, isReversed: true) == ["c", "b", "a"])
            #expect(try task.table.value(for: Array("x".utf8), in: group) == nil)
        }
    }

    @Test func aTableThatBecomesSmallComesBackToMemory() throws {
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            let task = task(store, cacheBytes: 10_000)
            let table = task.table
            let group = table.group([1])
            try fill(table, group, (100..<999).map { "\($0)" })
            _ = try task.state.seal(1)
            try task.state.commit(1)
            #expect(try keys(table, group).count == 899)
            #expect(table.isOnDisk)
            #expect(try table.deleteRange(in: group, .from(Array("110".utf8))) == 889)
            #expect(try keys(table, group).count == 10)
            _ = try task.state.seal(2)
            try task.state.commit(2)
            #expect(try keys(table, group).count == 10)
            #expect(!table.isOnDisk)
            store.close()
            #expect(try keys(table, group, limit: 2) == ["100", "101"])
        }
    }

    @Test func aDiskThatCannotBeReadIsToldAndChangesNothing() throws {
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            let task = task(store, cacheBytes: 500)
            let table = task.table
            let group = table.group([1])
            try fill(table, group, (0..<50).map { "key \($0)" })
            _ = try task.state.seal(1)
            try task.state.commit(1)
            _ = try keys(table, group)
            try table.put([1], for: [1], in: group)
            let bytes = table.byteSize
            store.close()
            let calls: [() throws -> Void] = [
                { _ = try table.value(for: [9], in: group) }, { _ = try table.values(for: [[9], [8]], in: group) },
                { try table.put([1], for: [9], in: group) }, { try table.remove([9], in: group) },
                { try table.update([9], in: group) { value in value = [1] } },
                { try table.deleteRange(in: group) }, { try table.forEachEntry(in: group) { _, _ in true } },
                { try table.forEachEntry { _, _, _ in } },
            ]
            for call in calls { #expect(error(call)?.code == "STATE_STORE") }
            #expect(table.count == 51)
            #expect(table.byteSize <= bytes)
            #expect(try table.value(for: [1], in: group) == [1])
            #expect(try task.state.seal(2)?.count == 1)
        }
    }

    /// Bytes of the database's files are turned around.
    @Test func aDamagedFileIsTold() throws {
        try withFolder { folder in
            var store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            let first = task(store, cacheBytes: 500)
            var random = StableRandom(seed: 1)
            for number in 0..<2_000 {
                let value = (0..<100).map { _ in UInt8.random(in: 0...255, using: &random) }
                try first.table.put(value, for: Array("\(number)".utf8), in: first.table.group([1]))
            }
            _ = try first.state.seal(1)
            try first.state.commit(1)
            store.close()
            // Opened once more, the log has become a file of rows.
            store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            store.close()
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".sst") {
                let url = URL(filePath: "\(folder)/\(name)")
                var bytes = try Data(contentsOf: url)
                guard bytes.count > 100_000 else { continue }
                for at in stride(from: 20_000, to: 100_000, by: 1_000) { bytes[at] ^= 0xff }
                try bytes.write(to: url)
            }
            store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            let task = task(store, cacheBytes: 500)
            #expect(try task.state.recover(to: 1) == [:])
            let group = task.table.group([1])
            for isReversed in [false, true] {
                let told = error { try task.table.forEachEntry(in: group, isReversed: isReversed) { _, _ in true } }
                #expect(told?.code == "STATE_STORE")
                #expect(told?.remedy.contains("delete the folder") == true)
            }
            #expect(error { try task.table.deleteRange(in: group) }?.code == "STATE_STORE")
            let all = (0..<2_000).map { Array("\($0)".utf8) }
            #expect(error { _ = try task.table.values(for: all, in: group) }?.code == "STATE_STORE")
            #expect(task.table.count == 2_000)
        }
    }

    // MARK: - The changelog

    @Test func damagedRecordsAreRefusedWithTheirPlace() throws {
        func error(_ key: [UInt8], _ value: [UInt8]?) -> StreamError? {
            var log = Changelog(topic: "q-join-changelog")
            log.records[1] = [Changelog.Record(offset: 7, timestamp: 0, key: key, value: value)]
            let task = task()
            return self.error { try task.state.apply(log.read(task.state.followPositions())) }
        }
        let abc: [UInt8] = [7, 0, 9, 4, 0x61, 0x62, 0x63]
        #expect(error(abc, [1, 5]) == nil)
        #expect(error(abc + [1, 2], [1]) == nil)
        #expect(error([7, 0, 9, 0], [1]) == nil)
        let damaged: [([UInt8], [UInt8]?)] = [
            // No group; one that ends too early; lengths that never end or are written in other ways.
            ([7, 0, 9], [1]), ([7, 0, 9, 4, 0x61, 0x62], [1]), ([7, 0, 9, 4], nil),
            ([7, 0, 9] + [UInt8](repeating: 0xff, count: 12), [1]), ([7, 0, 9, 0x80, 0x80], [1]),
            ([7, 0, 9, 0x84, 0, 0x61, 0x62, 0x63], [1]),
            // A group of another shard of the partition; another version of values.
            ([7, 0, 5, 4, 0x61, 0x62, 0x63], [1]), (abc, [2, 5]), (abc, []),
        ]
        for (key, value) in damaged {
            let told = error(key, value)
            #expect(told?.code == "STATE_DAMAGED", "\(key)")
            #expect(told?.place.offset == 7)
            #expect(told?.place.split == Split("q-join-changelog", 1))
        }
        #expect(error([7, 0, 4, 4, 0x61, 0x62, 0x63], [1])?.code == "STATE_SCHEMA")
    }

    /// Where memory has not everything, what is restored goes to the disk as it is.
    @Test func damageThatIsOnTheDiskIsToldWithTheFolder() throws {
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            let source = task()
            for number in 0..<100 { try source.table.put([1], for: [UInt8(number)], in: source.table.group([1])) }
            var log = Changelog(topic: "q-join-changelog")
            log.commit(try source.state.seal(1), at: clock.wallMilliseconds)
            let task = task(store, cacheBytes: 300)
            var positions = try task.state.recover(to: 1)
            try task.state.apply(log.read(positions))
            try task.state.restored(log.ends(of: positions.keys), epoch: 1)
            #expect(task.table.isOnDisk)
            log.records[1] = [Changelog.Record(offset: 900, timestamp: 0, key: [7, 0, 9, 99, 1], value: [1, 5])]
            positions = try task.state.recover(to: 2)
            try task.state.apply(log.read([Split("q-join-changelog", 1): 900]))
            try task.state.restored(positions, epoch: 2)
            let told = error { try task.table.forEachEntry { _, _, _ in } }
            #expect(told?.code == "STATE_DAMAGED")
            #expect(told?.place.file == folder)
            // Other groups are as they were.
            #expect(try keys(task.table, task.table.group([1])).count == 100)
        }
    }

    @Test(arguments: [0, 300, 64 << 20]) func lostChangesForgetTheirPartitionAlone(_ cacheBytes: Int) throws {
        try withFolder { folder in
            let store = cacheBytes == 0 ? nil : try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store?.close() }
            let task = task(store, cacheBytes: cacheBytes)
            for shard in 0..<16 { try fill(task.table, task.table.group(ofShard: shard), ["a", "b"]) }
            _ = try task.state.seal(1)
            try task.state.commit(1)
            let bytes = task.table.byteSize
            try task.state.clear(Split("q-join-changelog", 1))
            var shards: [Int] = []
            try task.table.forEachEntry { group, key, _ in if key == [0x61] { shards.append(group.shard) } }
            #expect(shards == [0, 2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15])
            #expect(task.table.count == 24)
            #expect(task.table.byteSize == bytes * 3 / 4 || cacheBytes == 300)
            #expect(try keys(task.table, task.table.group(ofShard: 9)) == [])
        }
    }

    @Test func anotherKindOfTableIsRefused() throws {
        let task = task()
        try fill(task.table, task.table.group([1]), ["a"])
        var log = Changelog(topic: task.state.topic)
        log.commit(try task.state.seal(1), at: 0)
        let other = OrderedWorld.state(clock, 0, 1, nil)
        _ = other.table(id: 7, String.self, Int.self)
        let told = error { try other.apply(log.read(other.followPositions())) }
        #expect(told?.code == "STATE_SCHEMA")
        #expect(told?.message.contains("ordered bytes") == true)
        #expect(told?.message.contains("String -> Int64") == true)
    }

    /// A long changelog that was never compacted: to memory in pieces, to the disk in files.
    @Test(arguments: [false, true]) func manyChangesAreRestored(_ hasDisk: Bool) throws {
        let source = task()
        var log = Changelog(topic: "q-join-changelog")
        for epoch in 1...3 {
            for number in stride(from: 0, to: 60_000, by: epoch) {
                let group = source.table.group("user \(number % 100)".utf8)
                let key = [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
                try source.table.put([UInt8(epoch)], for: key, in: group)
            }
            if epoch == 3 { try source.table.deleteRange(in: source.table.group("user 4".utf8), .from([9, 0])) }
            log.commit(try source.state.seal(Epoch(Int64(epoch))), at: clock.wallMilliseconds)
            try source.state.commit(Epoch(Int64(epoch)))
        }
        try withFolder { folder in
            let store = hasDisk ? try LocalStore(folder: folder, memoryBytes: 8 << 20) : nil
            defer { store?.close() }
            let task = task(store, cacheBytes: 1 << 20, collectingFrom: 1_000)
            let positions = try task.state.recover(to: 3)
            for (split, position) in positions { try task.state.apply(log.read([split: position])) }
            try task.state.restored(log.ends(of: positions.keys), epoch: 3)
            #expect(task.table.count == source.table.count)
            #expect(task.table.byteSize == source.table.byteSize || hasDisk && task.table.byteSize <= 1 << 20)
            func rows(_ table: OrderedTable) throws -> [OrderedModel.Row] {
                var result: [OrderedModel.Row] = []
                for user in 0..<100 {
                    try table.forEachEntry(in: table.group("user \(user)".utf8)) { key, value in
                        result.append(OrderedModel.Row(key: Array(key), value: value))
                        return true
                    }
                }
                return result
            }
            #expect(try rows(task.table) == rows(source.table))
        }
    }
}
