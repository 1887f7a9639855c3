import FoundationEssentials
import StateStore
import StreamCore
import Testing

@Suite struct LocalStoreTests {
    let clock = HandClock()

    private func task(
        _ store: LocalStore, _ task: Int = 0, of taskCount: Int = 1, cacheBytes: Int = 64 << 20
    ) -> CountingTask {
        CountingTask(
            OperatorState(
                query: QueryName("q"), operatorID: OperatorID("count"), layout: ShardLayout(), task: task,
                taskCount: taskCount, local: store, cacheBytes: cacheBytes, collectingFrom: 1_000, clock: clock))
    }

    /// The first partition alone, as if that were all, and then the others.
    private func restore(_ task: CountingTask, _ log: Changelog, afterCollecting: () throws -> Void = {}) throws {
        let splits = try task.state.recover(to: 2).keys.sorted()
        try task.state.apply(log.read([splits[0]: 0]))
        try task.state.restored(log.ends(of: splits[..<1]), epoch: 2)
        #expect(task.state.isCounted, "nothing was there before")
        for split in try task.state.recover(to: 3).keys.sorted().dropFirst() {
            try task.state.apply(log.read([split: 0]))
        }
        try afterCollecting()
        try task.state.restored(log.ends(of: splits), epoch: 3)
        #expect(!task.state.isCounted)
    }

    /// Words with their numbers, in one committed epoch.
    private func fill(_ task: CountingTask, _ epoch: Epoch, _ numbers: Range<Int>) throws {
        for number in numbers { try task.table.update("w\(number)") { value in value = number } }
        task.panes.add(Array(numbers), at: epoch.number, shard: 0)
        _ = try task.state.seal(epoch)
        try task.state.commit(epoch)
    }

    private func error(_ body: () throws -> Void) -> StreamError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StreamError
        }
    }

    /// Random epochs as with memory alone, with a cache of some 20 keys; restarts find what was committed.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func agreesWithDictionaries(_ seed: UInt64) throws {
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            var world = OperatorWorld(seed: seed) { clock, task, taskCount in
                OperatorState(
                    query: QueryName("q"), operatorID: OperatorID("count"), layout: ShardLayout(), task: task,
                    taskCount: taskCount, local: store, cacheBytes: 2_000,
                    collectingFrom: seed % 2 == 0 ? 0 : 50_000, clock: clock)
            }
            for _ in 0..<120 { try world.step() }
        }
    }

    @Test func aTinyCacheHoldsEverything() throws {
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            let task = task(store, cacheBytes: 10_000)
            try fill(task, 1, 0..<1_000)
            #expect(task.table.byteSize <= 10_000)
            #expect(task.table.count == 1_000)
            for number in 0..<1_000 { #expect(try task.table.value(for: "w\(number)") == number) }
            #expect(task.table.byteSize <= 10_200)
            #expect(try task.table.value(for: "w1000") == nil)
            // Deleting and counting keys that are on the disk.
            try task.table.update("w7") { value in value = nil }
            try task.table.update("w8") { value in value? += 1 }
            try task.table.update("new") { value in value = 5 }
            #expect(task.table.count == 1_000)
            var counts = try task.contents().counts
            #expect(counts.count == 1_000)
            #expect(counts["w7"] == nil)
            #expect(counts["w8"] == 9)
            task.state.rollbackOpen()
            try task.table.updateAll { _, value in value = value.flatMap { $0 < 500 ? $0 * 2 : nil } }
            _ = try task.state.seal(2)
            try task.state.commit(2)
            #expect(task.table.byteSize <= 10_000)
            counts = try task.contents().counts
            #expect(counts == Dictionary(uniqueKeysWithValues: (0..<500).map { ("w\($0)", $0 * 2) }))
            #expect(task.table.count == 500)
        }
    }

    @Test func whatWasCommittedIsThereAgainAtAnotherNumberOfTasks() throws {
        try withFolder { folder in
            var store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            let first = task(store)
            #expect(first.state.stateEpoch == nil)
            try fill(first, 1, 0..<100)
            let split = Split("q-count-changelog", 2)
            first.state.noteStableEnds([split: 77], inFlight: nil)
            try fill(first, 2, 50..<150)
            try first.table.update("w1") { value in value = nil }
            _ = try first.state.seal(3)
            store.close()
            store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            let tasks = (0..<3).map { task(store, $0, of: 3) }
            var counts: [String: Int] = [:]
            for task in tasks {
                #expect(task.state.stateEpoch == 2)
                #expect(task.state.followPositions()[split] == 77)
                #expect(try task.state.recover(to: 2) == [:])
                let part = try task.contents()
                #expect(part.counts.count == task.table.count)
                counts.merge(part.counts) { _, _ in -1 }
                if task.panes.count > 0 { #expect(part.panes == [1: Array(0..<100), 2: Array(50..<150)]) }
            }
            #expect(counts == Dictionary(uniqueKeysWithValues: (0..<150).map { ("w\($0)", $0) }))
            #expect(tasks.reduce(0) { $0 + $1.panes.count } == 200)
            // One task alone is ahead: together they do not know their epoch.
            try tasks[0].state.commit(3)
            #expect(task(store).state.stateEpoch == nil)
            #expect(task(store).state.followPositions()[split] == 77)
        }
    }

    @Test func aKilledProcessLosesNothingThatWasCommitted() throws {
        try withFolder { folder in
            let store = try LocalStore(folder: "\(folder)/a", memoryBytes: 8 << 20)
            defer { store.close() }
            try fill(task(store), 1, 0..<500)
            // The files as a kill would leave them: nothing was flushed or closed.
            try FileManager.default.copyItem(atPath: "\(folder)/a", toPath: "\(folder)/b")
            let copy = try LocalStore(folder: "\(folder)/b", memoryBytes: 8 << 20)
            defer { copy.close() }
            let after = task(copy)
            #expect(try after.state.recover(to: 1) == [:])
            #expect(try after.contents().counts.count == 500)
        }
    }

    /// What a long restore has collected and not written yet is read again; and what follows it does not outlive it.
    @Test func aKillInALongRestoreOrBehindItLosesNothing() throws {
        let (log, expected) = try longChangelog()
        try withFolder { folder in
            let store = try LocalStore(folder: "\(folder)/a", memoryBytes: 8 << 20)
            defer { store.close() }
            let restored = task(store, cacheBytes: 1 << 20)
            try restore(restored, log) {
                // A copy is no snapshot: nothing may be written meanwhile.
                store.settle()
                try FileManager.default.copyItem(atPath: "\(folder)/a", toPath: "\(folder)/b")
            }
            #expect(restored.table.byteSize <= 1 << 20)
            try count(restored, 3)
            #expect(restored.table.count == expected.counts.count)
            try FileManager.default.copyItem(atPath: "\(folder)/a", toPath: "\(folder)/c")
            #expect(try restored.contents() == expected)

            let killed = try LocalStore(folder: "\(folder)/b", memoryBytes: 8 << 20)
            defer { killed.close() }
            let again = task(killed)
            let positions = try again.state.recover(to: 3)
            #expect(positions.values.contains { $0 > 0 } && positions.values.contains { $0 == 0 })
            try again.state.apply(log.read(positions))
            try again.state.restored(log.ends(of: positions.keys), epoch: 3)
            try count(again, 3)
            #expect(again.table.count == expected.counts.count)
            #expect(try again.contents() == expected)

            let copy = try LocalStore(folder: "\(folder)/c", memoryBytes: 8 << 20)
            defer { copy.close() }
            let after = task(copy)
            #expect(try after.state.recover(to: 3) == [:])
            try count(after, 3)
            #expect(after.table.count == expected.counts.count)
            #expect(try after.contents() == expected)
        }
    }

    /// A file that cannot be written is told of, and comes before the later ones when that is tried again.
    @Test func aFileThatCouldNotBeWrittenComesFirst() throws {
        let (log, expected) = try longChangelog()
        try withFolder { folder in
            var store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            var task = task(store, cacheBytes: 1 << 20)
            // Something is in the way of the first file.
            try FileManager.default.createDirectory(
                atPath: "\(folder)/restore-1.sst", withIntermediateDirectories: false)
            let failure = error { try restore(task, log) }
            #expect(failure?.code == "STATE_STORE" && "\(failure?.message ?? "")".contains("restore-1.sst"))
            try? FileManager.default.removeItem(atPath: "\(folder)/restore-1.sst")
            let positions = try task.state.recover(to: 3)
            try task.state.apply(log.read(positions))
            try task.state.restored(log.ends(of: positions.keys), epoch: 3)
            #expect(try task.contents() == expected)
            store.close()
            store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            task = self.task(store, cacheBytes: 1 << 20)
            #expect(try task.state.recover(to: 3) == [:])
            #expect(try task.contents() == expected)
        }
    }

    /// Two operators collect for one disk, and a partition of one is lost meanwhile.
    @Test func operatorsShareADiskWhileTheyAreRestored() throws {
        let (log, expected) = try longChangelog()
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            let tasks = (0..<2).map { task(store, $0, of: 2, cacheBytes: 1 << 20) }
            for task in tasks { _ = try task.state.recover(to: 3) }
            for partition in Int32(0)...3 {
                for task in tasks {
                    let split = Split("q-count-changelog", PartitionID(partition))
                    try task.state.apply(log.read([split: 0]))
                }
            }
            try tasks[0].state.clear(Split("q-count-changelog", 2))
            try tasks[0].state.apply(log.read([Split("q-count-changelog", 2): 0]))
            var counts: [String: Int] = [:]
            for task in tasks {
                try task.state.restored(log.ends(of: task.state.followPositions().keys), epoch: 3)
                let part = try task.contents().counts
                try count(task, 3)
                #expect(task.table.count == part.count)
                counts.merge(part) { _, _ in -1 }
            }
            #expect(counts == expected.counts)
        }
    }

    /// Keys that come and go while a restored state is counted, and a restart in between.
    @Test func aRestoredStateIsCountedWhileItChanges() throws {
        let (log, expected) = try longChangelog()
        try withFolder { folder in
            var store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            var task = task(store, cacheBytes: 1 << 20)
            try restore(task, log)
            func change(_ epoch: Epoch) throws {
                try task.table.update("new \(epoch)") { value in value = 1 }
                try task.table.update("w\(200 + epoch.number)") { value in value = nil }
                try task.table.update("w\(500 + epoch.number)") { value in value = nil }
                _ = try task.state.seal(epoch)
                try task.state.commit(epoch)
            }
            for number in Int64(4)...6 { try change(Epoch(number)) }
            #expect(!task.state.isCounted)
            store.close()
            store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            task = self.task(store, cacheBytes: 1 << 20)
            #expect(try task.state.recover(to: 6) == [:])
            #expect(!task.state.isCounted)
            try change(7)
            // One more is open, and another sealed, when the last key is counted.
            try task.table.update("sealed") { value in value = 1 }
            _ = try task.state.seal(8)
            try task.table.update("open") { value in value = 1 }
            try count(task, 7)
            #expect(task.table.count == expected.counts.count - 4 + 2)
            try task.state.commit(8)
            #expect(task.table.count == expected.counts.count - 4 + 2)
        }
    }

    /// A few thousand keys are counted with each commit.
    private func count(_ task: CountingTask, _ epoch: Epoch) throws {
        for _ in 0..<100 where !task.state.isCounted { try task.state.commit(epoch) }
        #expect(task.state.isCounted)
    }

    /// More changes than a restore takes for few, and more than a small cache holds; some deleted in the end.
    private func longChangelog() throws -> (Changelog, Contents) {
        let source = CountingTask(
            OperatorState(
                query: QueryName("q"), operatorID: OperatorID("count"), layout: ShardLayout(), task: 0, taskCount: 1,
                clock: clock))
        var log = Changelog(topic: "q-count-changelog")
        for epoch in 1...3 {
            for number in 0..<30_000 { try source.table.update("w\(number * epoch)") { value in value = epoch } }
            if epoch == 3 { for number in 0..<100 { try source.table.update("w\(number)") { value in value = nil } } }
            source.panes.add([epoch], at: Int64(epoch), shard: 0)
            log.commit(try source.state.seal(Epoch(Int64(epoch))), at: clock.wallMilliseconds)
            try source.state.commit(Epoch(Int64(epoch)))
        }
        return (log, try source.contents())
    }

    @Test func stateOfAnotherProgramIsRefused() throws {
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            defer { store.close() }
            try fill(task(store), 1, 0..<5)
            let other = OperatorState(
                query: QueryName("q"), operatorID: OperatorID("count"), layout: ShardLayout(), task: 0, taskCount: 1,
                local: store, clock: clock)
            _ = other.table(id: 0, String.self, [Int].self)
            let error = self.error { _ = try other.recover(to: 1) }
            #expect(error?.code == "STATE_SCHEMA")
            #expect(error?.message.contains("String -> Int64") == true)
            #expect(error?.message.contains("String -> [Int64]") == true)
        }
    }

    @Test func foldersThatCannotBeUsedAreNamed() throws {
        try withFolder { folder in
            let store = try LocalStore(folder: "\(folder)/used", memoryBytes: 8 << 20)
            let locked = error { _ = try LocalStore(folder: "\(folder)/used", memoryBytes: 8 << 20) }
            #expect(locked?.code == "STATE_STORE")
            #expect(locked?.remedy.contains("Another process") == true)
            store.close()
            store.close()
            #expect(error { _ = try task(store).state.recover(to: nil) }?.code == "STATE_STORE")

            try FileManager.default.createDirectory(atPath: "\(folder)/foreign", withIntermediateDirectories: true)
            #expect(FileManager.default.createFile(atPath: "\(folder)/foreign/photo.jpg", contents: Data([1])))
            let foreign = error { _ = try LocalStore(folder: "\(folder)/foreign", memoryBytes: 8 << 20) }
            #expect(foreign?.code == "STATE_STORE")
            #expect(foreign?.remedy.contains("a folder of its own") == true)
            #expect(error { _ = try LocalStore(folder: "/proc/none", memoryBytes: 8 << 20) }?.code == "STATE_STORE")
        }
    }

    @Test func damagedFilesAreNamed() throws {
        try withFolder { folder in
            let store = try LocalStore(folder: folder, memoryBytes: 8 << 20)
            try fill(task(store), 1, 0..<5)
            store.close()
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            let manifest = try #require(names.first { $0.hasPrefix("MANIFEST") })
            try Data(repeating: 7, count: 100).write(to: URL(filePath: "\(folder)/\(manifest)"))
            let damaged = error { _ = try LocalStore(folder: folder, memoryBytes: 8 << 20) }
            #expect(damaged?.code == "STATE_STORE")
            #expect(damaged?.remedy.contains("delete the folder") == true)
        }
    }
}

/// A folder of the test's own, which goes with it.
func withFolder(_ body: (String) throws -> Void) throws {
    var random = SystemRandomNumberGenerator()
    let folder = "\(FileManager.default.temporaryDirectory.path)/millrace-state-\(random.next())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}
