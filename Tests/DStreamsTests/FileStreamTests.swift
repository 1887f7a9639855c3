import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Testing

/// Files that come into a folder, each of them once.
@Suite struct FileStreamTests {
    private let folder = TempFolder()
    private let kafka = ScriptedKafka()
    private let seen = Seen<[String]>()

    init() { folder.makeFolder("in") }

    private func makeRun(continues: Bool = false) -> TestRun {
        TestRun(kafka: kafka) {
            $0.stateFolder = folder.path + "/state"
            $0.continuesOnDataLoss = continues
        }
    }

    private func lines(_ run: TestRun) {
        run.context.textFileStream(folder.path + "/in").foreachBatch { [seen] batch, _ in
            if !batch.isEmpty { seen.append(batch) }
        }
    }

    /// A file that is changed now.
    private func put(_ name: String, _ text: String, _ run: TestRun, ageMs: Int64 = 0) {
        folder.write("in/" + name, text, modifiedMs: run.clock.wallMilliseconds - ageMs)
    }

    @Test func newFilesInTheOrderOfTheirTimes() throws {
        let run = makeRun()
        put("old", "old\n", run, ageMs: 10)
        lines(run)
        try run.start()
        run.settle()
        put("b", "1\n\n2\r\n", run, ageMs: 1)
        put("a", "3", run)
        put(".hidden", "no\n", run)
        put("_hidden", "no\n", run)
        put("copy._COPYING_", "no\n", run)
        run.settle()
        put("c", "", run)
        put("d", "4\n", run)
        for _ in 0..<2 { run.settle() }
        #expect(seen.all == [["1", "", "2", "3"], ["4"]])
        #expect(run.failure == nil)
    }

    @Test func aFileIsReadOnceAlsoWhenItIsChanged() throws {
        let run = makeRun()
        lines(run)
        try run.start()
        run.settle()
        put("a", "1\n", run)
        run.settle()
        folder.write("in/a", "2\n", modifiedMs: run.clock.wallMilliseconds, appends: true)
        for _ in 0..<3 { run.settle() }
        #expect(seen.all == [["1"]])
    }

    @Test func aTimeInTheFutureIsWaitedFor() throws {
        let run = makeRun()
        lines(run)
        try run.start()
        run.settle()
        put("a", "1\n", run, ageMs: -2500)
        run.settle()
        run.settle()
        #expect(seen.all.isEmpty)
        for _ in 0..<3 { run.settle() }
        #expect(seen.all == [["1"]])
    }

    @Test func filesThatWereThereAreTakenWhereAskedFor() throws {
        let run = makeRun()
        put("recent", "1\n", run, ageMs: 59_000)
        put("older", "2\n", run, ageMs: 61_000)
        put("left", "3\n", run, ageMs: 1000)
        run.context.fileStream(folder.path + "/in", filter: { !$0.hasSuffix("left") }, newFilesOnly: false)
            .foreachBatch { [seen] batch, _ in
                let names = batch.map { "\($0.path.split(separator: "/").last ?? ""):\($0.text)" }
                if !names.isEmpty { seen.append(names) }
            }
        try run.start()
        run.settle()
        run.settle()
        #expect(seen.all == [["recent:1"]])
    }

    @Test func aFolderThatComesLaterHoldsNothingUp() throws {
        let run = makeRun()
        let lines = run.context.textFileStream(folder.path + "/later")
        lines.union(run.context.queueStream([["first"]])).foreachBatch { [seen] batch, _ in
            if !batch.isEmpty { seen.append(batch) }
        }
        try run.start()
        run.settle()
        run.settle()
        #expect(seen.all == [["first"]])
        folder.makeFolder("later")
        folder.write("later/a", "second\n", modifiedMs: run.clock.wallMilliseconds)
        for _ in 0..<3 { run.settle() }
        #expect(seen.all == [["first"], ["second"]])
    }

    @Test func recordsOfOneLength() throws {
        let run = makeRun()
        let seen = Seen<[UInt8]>()
        run.context.binaryRecordsStream(folder.path + "/in", recordLength: 3).foreachBatch { batch, _ in
            for record in batch { seen.append(record) }
        }
        try run.start()
        run.settle()
        folder.write("in/a", [1, 2, 3, 10, 5, 6], modifiedMs: run.clock.wallMilliseconds)
        run.settle()
        run.settle()
        #expect(seen.all == [[1, 2, 3], [10, 5, 6]])
        folder.write("in/b", [1, 2, 3, 4], modifiedMs: run.clock.wallMilliseconds)
        run.settle()
        run.settle()
        #expect(run.failure?.code == "FILE_PARTIAL_RECORD")
    }

    @Test func whatComesWhileTheQueryIsDownIsFound() throws {
        var run = makeRun()
        lines(run)
        try run.start()
        run.settle()
        put("a", "1\n", run)
        run.settle()
        run.stop()
        // Two minutes later: longer than the window, and a file came in the middle of it.
        let late = run.clock.wallMilliseconds + 60_000
        folder.write("in/b", "2\n", modifiedMs: late)
        run = makeRun()
        run.clock.advance(.seconds(130))
        lines(run)
        try run.start()
        for _ in 0..<3 { run.settle() }
        #expect(seen.all == [["1"], ["2"]])
        #expect(run.failure == nil)
    }

    @Test func inMemoryTheNextProcessKnowsNothingOfTheFirst() throws {
        for name in ["a", "b"] {
            let run = TestRun(kafka: kafka)
            lines(run)
            try run.start()
            run.settle()
            put(name, name + "\n", run)
            for _ in 0..<2 { run.settle() }
            run.stop()
            #expect(run.failure == nil)
        }
        // The second one's clock begins where the first one's did, so both files are newer than its start.
        #expect(seen.all == [["a"], ["a", "b"]])
    }

    @Test func theCatalogForgetsWhatIsReadAndOld() throws {
        let run = makeRun()
        lines(run)
        try run.start()
        run.settle()
        for number in 0..<5 {
            put("a\(number)", "\(number)\n", run)
            run.settle()
        }
        run.clock.advance(.seconds(120))
        run.settle()
        put("b", "b\n", run)
        for _ in 0..<3 { run.settle() }
        let sources = folder.path + "/state/sources"
        let query = try #require(TempFolder.names(in: sources).first)
        let source = try #require(TempFolder.names(in: sources + "/" + query).first)
        let catalog = try #require(folder.read("state/sources/\(query)/\(source)/catalog.json"))
        #expect(catalog.contains("in\\/b"))
        #expect(!catalog.contains("a4"))
        #expect(seen.all.count == 6)
        #expect(kafka.progress?.positions.count == 1)
    }

    @Test(arguments: [false, true])
    func aFileThatVanishes(continues: Bool) throws {
        let run = makeRun(continues: continues)
        lines(run)
        try run.start()
        run.settle()
        put("a", "1\n", run)
        put("b", "2\n", run)
        run.stepUntilTaken()
        folder.delete("in/a")
        for _ in 0..<3 { run.settle() }
        if continues {
            #expect(run.failure == nil)
            #expect(seen.all == [["2"]])
        } else {
            #expect(run.failure?.code == "FILE_VANISHED")
            #expect(seen.all.isEmpty)
        }
    }

    @Test func aFileThatGrowsBeforeItIsReadIsNotCutOff() throws {
        let run = makeRun()
        lines(run)
        try run.start()
        run.settle()
        put("a", "1\n2", run)
        run.stepUntilTaken()
        folder.write("in/a", "3\n", appends: true)
        for _ in 0..<2 { run.settle() }
        #expect(run.failure?.code == "FILE_CHANGED")
        #expect(seen.all.isEmpty)
    }
}
