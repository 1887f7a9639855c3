import StateStore
import StreamCore
import Testing

@Suite struct OperatorStateTests {
    let clock = HandClock()

    private func task(
        _ task: Int = 0, of taskCount: Int = 1, layout: ShardLayout = ShardLayout(), name: String = "count"
    ) -> CountingTask {
        CountingTask(
            OperatorState(
                query: QueryName("q"), operatorID: OperatorID(name), layout: layout, task: task, taskCount: taskCount,
                clock: clock))
    }

    private func split(_ partition: Int32) -> Split { Split("q-count-changelog", PartitionID(partition)) }

    @Test func anEpochIsOneBlockAndItsFirstTellsTheTypes() throws {
        let task = task()
        #expect(task.state.topic == "q-count-changelog")
        #expect(try task.state.seal(1) == nil)
        try task.table.update("abc") { value in value = 1 }
        task.panes.add([4], at: 1_000, shard: 6)
        let block = try #require(try task.state.seal(2))
        #expect(block.topics == ["q-count-changelog"])
        // Two tables in four partitions, then a key of shard 9 and a chunk of shard 6.
        #expect(block.slots.map(\.partition) == [0, 0, 1, 1, 2, 2, 3, 3, 1, 2])
        #expect(block.key(8) == [0, 0, 9, 0x61, 0x62, 0x63])
        #expect(block.key(9)?.prefix(3) == [1, 0, 6])
        try task.state.commit(2)
        try task.state.commit(2)
        #expect(task.state.stateEpoch == 2)
        try task.table.update("abc") { value in value = 2 }
        #expect(try task.state.seal(3)?.count == 1)
        // What was told in a transaction that failed is told again.
        let other = self.task()
        try other.table.update("abc") { value in value = 1 }
        #expect(try other.state.seal(1)?.count == 9)
        _ = try other.state.recover(to: nil)
        try other.table.update("abc") { value in value = 1 }
        #expect(try other.state.seal(1)?.count == 9)
        #expect(other.state.rowCount == 1)
    }

    @Test func ownedPartitionsAreThoseOfItsShards() {
        // Shards 1, 4, 7, 10, 13 lie in partitions 1, 0, 3, 2, 1.
        #expect(task(1, of: 3).state.followPositions().count == 4)
        // Shards 2, 10: partition 2 alone.
        #expect(task(2, of: 8).state.followPositions() == [split(2): 0])
        #expect(task(17, of: 20).state.followPositions() == [:])
    }

    @Test func recoveryAtAKnownEpochReadsNothing() throws {
        let task = task()
        try task.table.update("a") { value in value = 1 }
        _ = try task.state.seal(1)
        try task.state.commit(1)
        try task.table.update("a") { value in value = 2 }
        _ = try task.state.seal(2)
        try task.table.update("a") { value in value = 3 }
        _ = try task.state.seal(3)
        try task.table.update("a") { value in value = 4 }
        #expect(try task.state.recover(to: 2) == [:])
        #expect(try task.contents().counts == ["a": 2])
        #expect(task.state.stateEpoch == 2)
        try task.table.update("a") { value in value = 5 }
        task.state.rollbackOpen()
        try task.state.commit(3)
        #expect(try task.state.recover(to: 3) == [:])
        // Another instance committed epochs in between.
        #expect(try task.state.recover(to: 7).count == 4)
    }

    /// The number of an epoch is no proof that it is the one that was sealed here.
    @Test func sealedEpochOfAnotherInstanceIsUndone() throws {
        let task = task()
        try task.table.update("a") { value in value = 1 }
        _ = try task.state.seal(1)
        try task.state.commit(1)
        try task.table.update("a") { value in value = 2 }
        _ = try task.state.seal(2)
        try task.table.update("a") { value in value = 3 }
        try task.state.dropSealed()
        #expect(try task.contents().counts == ["a": 1])
        #expect(task.state.stateEpoch == 1)
        #expect(try task.state.recover(to: 2).count == 4)
    }

    @Test func positionsRiseWithTheEpochInFlight() throws {
        let task = task(2, of: 8)
        _ = try task.state.seal(1)
        try task.state.commit(1)
        task.state.noteStableEnds([split(2): 10, split(3): 99], inFlight: nil)
        task.state.noteStableEnds([split(2): 20], inFlight: 2)
        #expect(task.state.followPositions() == [split(2): 10])
        try task.state.commit(2)
        #expect(task.state.followPositions() == [split(2): 20])
        task.state.noteStableEnds([split(2): 30], inFlight: 3)
        #expect(try task.state.recover(to: 9) == [split(2): 20])
        // It failed and was dropped; what is told of it late counts for nothing.
        try task.state.commit(3)
        #expect(task.state.stateEpoch == nil)
        #expect(task.state.followPositions() == [split(2): 20])
    }

    @Test func whatIsOlderThanDeletionsIsReadAnew() throws {
        let task = task(2, of: 8)
        try task.table.update("a") { value in value = 1 }
        _ = try task.state.seal(1)
        try task.state.commit(1)
        task.state.noteStableEnds([split(2): 10], inFlight: nil)
        clock.wallMilliseconds += 23 * 3_600_000
        #expect(try task.state.recover(to: 5) == [split(2): 10])
        #expect(try task.contents().counts == ["a": 1])
        clock.wallMilliseconds += 1
        #expect(try task.state.recover(to: 5) == [split(2): 0])
        #expect(try task.contents() == Contents())
        // Read to its end, it is known from when the reading began.
        try task.state.restored([split(2): 12], epoch: 5)
        clock.wallMilliseconds += 23 * 3_600_000
        #expect(try task.state.recover(to: 6) == [split(2): 12])
    }

    @Test func lostChangesForgetTheirPartitionAlone() throws {
        let task = task()
        // "abc" is in partition 1; the others are looked up.
        for word in ["abc", "b", "c", "d", "e", "f"] { try task.table.update(word) { value in value = 1 } }
        task.panes.add([1], at: 1, shard: 9)
        task.panes.add([2], at: 1, shard: 10)
        _ = try task.state.seal(1)
        try task.state.commit(1)
        try task.state.restored([split(0): 5, split(1): 5, split(2): 5, split(3): 5], epoch: 1)
        try task.state.clear(split(1))
        let layout = ShardLayout()
        let kept = ["abc", "b", "c", "d", "e", "f"].filter { layout.shard(ofKeyHash: stableHash($0)) % 4 != 1 }
        #expect(try Set(task.contents().counts.keys) == Set(kept))
        #expect(try task.contents().panes == [1: [2]])
        #expect(task.state.followPositions()[split(1)] == 0)
        #expect(task.state.followPositions()[split(0)] == 5)
        #expect(task.state.stateEpoch == nil)
    }

    @Test func stateOfAnotherProgramIsRefused() throws {
        let task = task()
        try task.table.update("a") { value in value = 1 }
        var log = Changelog(topic: task.state.topic)
        log.commit(try task.state.seal(1), at: 0)
        let other = OperatorState(
            query: QueryName("q"), operatorID: OperatorID("count"), layout: ShardLayout(), task: 0, taskCount: 1,
            clock: clock)
        _ = other.table(id: 0, String.self, String.self)
        let error = try #require(throws: StreamError.self) { try other.apply(log.read(other.followPositions())) }
        #expect(error.code == "STATE_SCHEMA")
        for part in ["'count'", "table 0", "String -> Int64", "String -> String"] {
            #expect(error.message.contains(part))
        }
        let wider = self.task(layout: ShardLayout(shards: 32, partitions: 4))
        #expect(throws: StreamError.self) { try wider.state.apply(log.read(wider.state.followPositions())) }
    }

    @Test func recordsOfUnknownTablesAndDamagedOnesAreRefused() throws {
        func error(_ key: [UInt8], _ value: [UInt8]?, isLocated: Bool = true) -> StreamError.Code? {
            var log = Changelog(topic: "q-count-changelog")
            log.records[0] = [Changelog.Record(offset: 7, timestamp: 0, key: key, value: value)]
            let task = task()
            do {
                try task.state.apply(log.read(task.state.followPositions()))
                return nil
            } catch {
                let error = error as? StreamError
                #expect(error?.place.offset == (isLocated ? 7 : nil))
                return error?.code
            }
        }
        let one: [UInt8] = [1, 1, 0, 0, 0, 0, 0, 0, 0]
        #expect(error([0, 0, 4, 0x61], one) == nil)
        #expect(error([9, 0, 4, 0x61], one) == "STATE_SCHEMA")
        #expect(error([0, 0, 5, 0x61], one) == "STATE_SCHEMA")
        #expect(error([0, 1, 0, 0x61], one) == "STATE_SCHEMA")
        #expect(error([0, 0], one) == "STATE_DAMAGED")
        #expect(error([], one) == "STATE_DAMAGED")
        // What is no key or no value of its type is found by who takes it apart, later.
        #expect(error([0, 0, 4, 0xff], one, isLocated: false) == "STATE_DAMAGED")
        #expect(error([0, 0, 4, 0x61], one + [0], isLocated: false) == "STATE_DAMAGED")
        #expect(error([0, 0, 4, 0x61], [2] + one.dropFirst()) == "STATE_DAMAGED")
        #expect(error([1, 0, 4, 0x61], one) == "STATE_DAMAGED")
        #expect(error([1, 0, 4, 0x80] + [UInt8](repeating: 255, count: 11), one) == "STATE_DAMAGED")
        #expect(error([255, 0], [1, 9]) == "STATE_DAMAGED")
        #expect(error([255], one) == "STATE_DAMAGED")
    }

    /// A restore takes nothing apart, so damage is found by who asks, again and again, and concerns no other key.
    @Test func aDamagedRowOfARestoreIsToldWhenItIsAskedFor() throws {
        var log = Changelog(topic: "q-count-changelog")
        let one: [UInt8] = [1, 1, 0, 0, 0, 0, 0, 0, 0]
        let shard = UInt8(ShardLayout().shard(ofKeyHash: stableHash("b")))
        log.records[0] = [Changelog.Record(offset: 7, timestamp: 0, key: [0, 0, 4, 0x61], value: one + [0])]
        log.records[Int32(shard % 4), default: []].append(
            Changelog.Record(offset: 8, timestamp: 0, key: [0, 0, shard, 0x62], value: one))
        let task = task()
        let positions = try task.state.recover(to: 1)
        try task.state.apply(log.read(positions))
        try task.state.restored(log.ends(of: positions.keys), epoch: 1)
        #expect(task.state.rowCount == 2)
        for _ in 0..<2 {
            let error = #expect(throws: StreamError.self) { try task.table.value(for: "a") }
            #expect(error?.code == "STATE_DAMAGED")
            #expect(throws: StreamError.self) { try task.contents() }
        }
        #expect(try task.table.value(for: "b") == 1)
        #expect(task.state.rowCount == 2)
    }

    /// A changelog that was never compacted: each value a little longer than the one before.
    @Test func replacedRowsOfARestoreCostLittle() throws {
        let source = OperatorState(
            query: QueryName("q"), operatorID: OperatorID("list"), layout: ShardLayout(), task: 0, taskCount: 1,
            clock: clock)
        let lists = source.table(id: 0, String.self, [Int].self)
        var log = Changelog(topic: source.topic)
        for epoch in 1...300 {
            for word in ["a", "b", "c"] { try lists.update(word) { $0 = Array(repeating: epoch, count: epoch * 3) } }
            log.commit(try source.seal(Epoch(Int64(epoch))), at: clock.wallMilliseconds)
            try source.commit(Epoch(Int64(epoch)))
        }
        let restored = OperatorState(
            query: QueryName("q"), operatorID: OperatorID("list"), layout: ShardLayout(), task: 0, taskCount: 1,
            clock: clock)
        let table = restored.table(id: 0, String.self, [Int].self)
        let positions = try restored.recover(to: 300)
        let block = log.read(positions)
        #expect(block.arena.count > 3 << 20)
        try restored.apply(block)
        try restored.restored(log.ends(of: positions.keys), epoch: 300)
        #expect(restored.byteSize < 3 << 20 && restored.rowCount == 3)
        for word in ["a", "b", "c"] { #expect(try table.value(for: word) == Array(repeating: 300, count: 900)) }
        #expect(table.byteSize < 200_000, "nothing is left of the restore")
    }
}
