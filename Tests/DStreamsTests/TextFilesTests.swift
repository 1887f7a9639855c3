import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `saveAsTextFiles`: a folder for each batch, whole or not at all, once.
@Suite struct TextFilesTests {
    private let folder = TempFolder()
    private let kafka = ScriptedKafka()
    private static let start = ManualClock.startMs

    init() { kafka.makeTopic("in", partitions: 2) }

    private func makeRun(tasks: Int = 1) -> TestRun {
        TestRun(kafka: kafka, tasks: tasks) { $0.start = .earliest }
    }

    private func out(_ seconds: Int64) -> String { "out/words-\(Self.start + seconds * 1000).txt" }

    @Test func aFolderForEachBatchAlsoAnEmptyOne() throws {
        let run = makeRun(tasks: 2)
        run.lines.map { ($0.text, 1) }.saveAsTextFiles(prefix: folder.path + "/out/words", suffix: "txt")
        try run.start()
        run.settle()
        run.batch(["a", "b"])
        run.batch()
        #expect(run.failure == nil)
        #expect(folder.names("out").contains("words-\(Self.start + 1000).txt"))
        #expect(folder.names(out(1)) == ["_SUCCESS", "part-00000", "part-00001"])
        #expect(folder.read(out(1) + "/part-00000") == "(a,1)\n")
        #expect(folder.read(out(1) + "/part-00001") == "(b,1)\n")
        #expect(folder.names(out(2)) == ["_SUCCESS", "part-00000", "part-00001"])
        #expect(folder.read(out(2) + "/part-00000") == "")
        // Nothing else, not even hidden.
        #expect(folder.names("out").allSatisfy { $0.hasPrefix("words-") && $0.hasSuffix(".txt") })
        // The checksum of "(a,1)\n" is from zlib.
        let manifest = try #require(folder.read(out(1) + "/_SUCCESS"))
        #expect(manifest.contains("\"bytes\" : 6"))
        #expect(manifest.contains("\"crc32\" : 2511442385"))
        #expect(manifest.contains("\"query\" : \"test\""))
    }

    @Test func withoutASuffix() throws {
        let run = makeRun()
        run.lines.map { $0.text }.saveAsTextFiles(prefix: folder.path + "/lines", suffix: "")
        try run.start()
        run.settle()
        run.batch(["a", "b"])
        #expect(folder.read("lines-\(Self.start + 1000)/part-00000") == "a\nb\n")
    }

    @Test func aRepeatedBatchFindsItsFolder() throws {
        let run = makeRun()
        let kafka = kafka
        run.lines.map { $0.text }.saveAsTextFiles(prefix: folder.path + "/out/words", suffix: "txt")
        // Written, and then the process dies before the commit.
        run.lines.foreachBatch { batch, info in
            if !batch.isEmpty { throw StreamError("CRASH", "now") }
        }
        try run.start()
        run.settle()
        run.batch(["a"])
        #expect(run.failure?.code == "CRASH")
        #expect(kafka.progress?.phase == .planned)
        #expect(folder.read(out(1) + "/part-00000") == "a\n")
        folder.write(out(1) + "/mark", "the same folder")

        kafka.append("in", ["b"])
        let again = makeRun()
        again.clock.advance(.milliseconds(1500))
        again.lines.map { $0.text }.saveAsTextFiles(prefix: folder.path + "/out/words", suffix: "txt")
        try again.start()
        for _ in 0..<2 { again.settle() }
        #expect(again.failure == nil)
        #expect(folder.names(out(1)) == ["_SUCCESS", "mark", "part-00000"])
        #expect(folder.read(out(1) + "/part-00000") == "a\n")
        // The batch that was repeated has used up its interval's name.
        #expect(folder.read(out(2) + "/part-00000") == "b\n")
    }

    @Test func aRepeatedBatchThatWasNotWrittenIsWritten() throws {
        let run = makeRun()
        run.lines.foreachBatch { batch, info in
            if !batch.isEmpty { throw StreamError("CRASH", "now") }
        }
        run.lines.map { $0.text }.saveAsTextFiles(prefix: folder.path + "/out/words", suffix: "txt")
        try run.start()
        run.settle()
        run.batch(["a"])
        #expect(folder.names(out(1)).isEmpty)
        let again = makeRun()
        again.lines.map { $0.text }.saveAsTextFiles(prefix: folder.path + "/out/words", suffix: "txt")
        try again.start()
        again.settle()
        #expect(folder.read(out(1) + "/part-00000") == "a\n")
    }

    @Test(arguments: [false, true])
    func whatIsThereIsNeverOverwritten(isEmpty: Bool) throws {
        folder.makeFolder("out")
        folder.makeFolder(out(1))
        if !isEmpty { folder.write(out(1) + "/part-00000", "precious") }
        let run = makeRun()
        run.lines.map { $0.text }.saveAsTextFiles(prefix: folder.path + "/out/words", suffix: "txt")
        try run.start()
        run.settle()
        run.batch(["a"])
        #expect(run.failure?.code == "OUTPUT_EXISTS")
        #expect(folder.names(out(1)) == (isEmpty ? [] : ["part-00000"]))
        #expect(isEmpty || folder.read(out(1) + "/part-00000") == "precious")
    }

    @Test func whereNothingCanBeWrittenNothingIsSeen() throws {
        folder.write("out", "a file where the folder should be")
        let run = makeRun()
        run.lines.map { $0.text }.saveAsTextFiles(prefix: folder.path + "/out/words", suffix: "txt")
        try run.start()
        run.settle()
        run.batch(["a"])
        #expect(run.failure?.code == "OUTPUT_FOLDER")
        #expect(folder.names() == ["out"])
        #expect(kafka.progress?.phase == .planned)
    }

    @Test func twoOutputsNeedTwoNames() throws {
        let run = makeRun()
        run.lines.map { $0.text }.saveAsTextFiles(prefix: folder.path + "/out")
        run.lines.map { $0.text }.saveAsTextFiles(prefix: folder.path + "/out")
        #expect(throws: StreamError("DUPLICATE_OUTPUT", "")) { try run.start() }
    }

    @Test func aFaultyRecordLeavesNoLine() throws {
        let run = TestRun(kafka: kafka) {
            $0.start = .earliest
            $0.errors = .skip
        }
        run.lines.flatMap { ["\($0.text)1", "\($0.text)2"] }.map { text in
            if text == "b2" { throw StreamError("BAD", "bad") }
            return text
        }.saveAsTextFiles(prefix: folder.path + "/out/words", suffix: "txt")
        try run.start()
        run.settle()
        run.batch(["a", "b", "c"])
        #expect(folder.read(out(1) + "/part-00000")?.split(separator: "\n").sorted() == ["a1", "a2", "c1", "c2"])
    }
}
