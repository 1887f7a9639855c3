import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Testing

/// The process dies between any two steps of its machines, and another goes on with what is on disk and committed.
@Suite struct SourceCrashTests {
    /// What a crash at some moment leaves behind.
    private struct Moment {
        var kafka: ScriptedKafka
        var folder: TempFolder
        var clock: Duration
        var fed: Int
    }

    /// One of the two sources that keep something on disk.
    enum Kind: CaseIterable { case files, receiver }

    private final class Script {
        let kind: Kind
        let run: TestRun
        let receiver = ScriptedReceiver()
        let folder: TempFolder
        /// Lines that were given, and acknowledged where there is somebody to do it.
        var fed: Int
        static let total = 9

        /// - Parameter outputs: batches as output code saw them, with their epoch.
        init(_ kind: Kind, _ folder: TempFolder, _ kafka: ScriptedKafka, fed: Int, _ outputs: Seen<(Epoch, [String])>)
            throws
        {
            self.kind = kind
            self.folder = folder
            self.fed = fed
            run = TestRun(kafka: kafka) { $0.stateFolder = folder.path + "/state" }
            folder.makeFolder("in")
            let lines =
                switch kind {
                case .files: run.context.textFileStream(folder.path + "/in")
                case .receiver: run.context.receiverStream(receiver).map { $0.text }
                }
            lines.saveToKafka("out") { Record(value: $0) }
            lines.saveAsTextFiles(prefix: folder.path + "/out/batch")
            lines.foreachBatch { batch, info in if !batch.isEmpty { outputs.append((info.epoch, batch)) } }
            try run.start()
        }

        /// Gives the next lines, three at a time at most.
        func feed() throws {
            let next = Array(fed..<min(Self.total, fed + 3))
            switch kind {
            case .files:
                let text = next.map { "line \($0)\n" }.joined()
                if !next.isEmpty { folder.write("in/\(fed)", text, modifiedMs: run.clock.wallMilliseconds) }
            case .receiver: try receiver.store?.store(next.map { Record(value: "line \($0)") })
            }
            fed += next.count
        }

        /// Every line of every folder that was written.
        var written: [String] {
            folder.names("out").flatMap { batch in
                (folder.read("out/\(batch)/part-00000") ?? "").split(separator: "\n").map(String.init)
            }
        }

        func finish() throws {
            run.settle()
            while fed < Self.total {
                try feed()
                run.settle()
            }
            for _ in 0..<2 { run.settle() }
        }
    }

    @Test(arguments: Kind.allCases)
    func everyLineCountsOnceWhateverStops(kind: Kind) throws {
        let expected = (0..<Script.total).map { "line \($0)" }
        var moments: [Moment] = []
        let folder = TempFolder()
        // The folder's path is part of the source's name: a crash leaves it where it is.
        let kafka = ScriptedKafka()
        let outputs = Seen<(Epoch, [String])>()
        let script = try Script(kind, folder, kafka, fed: 0, outputs)
        var last: (commits: Int, names: [String], fed: Int) = (-1, [], 0)
        let look = { [unowned script] in
            let files = folder.names("in") + folder.allFiles("state") + folder.allFiles("out")
            let now = (kafka.commits.count, files, script.fed)
            guard now != last else { return }
            last = now
            let elapsed = Duration.milliseconds(script.run.clock.wallMilliseconds - ManualClock.startMs)
            moments.append(Moment(kafka: kafka.copy(), folder: folder.copy(), clock: elapsed, fed: script.fed))
        }
        script.run.onStep = look
        kafka.onCommit = look
        try script.finish()
        #expect(kafka.written.compactMap(\.line.value) == expected)
        #expect(script.written == expected)
        #expect(moments.count > 8)

        var planned = 0
        for (number, moment) in moments.enumerated() {
            let state = moment.folder
            let again: Script
            let repeated = Seen<(Epoch, [String])>()
            switch kind {
            case .receiver: again = try Script(kind, state, moment.kafka, fed: moment.fed, repeated)
            case .files:
                // Put back in its place.
                folder.replace(with: state)
                again = try Script(kind, folder, moment.kafka, fed: moment.fed, repeated)
            }
            again.run.clock.advance(moment.clock)
            let plan = moment.kafka.progress.flatMap { $0.phase == .planned && !$0.ranges.isEmpty ? $0.epoch : nil }
            try again.finish()
            #expect(moment.kafka.written.compactMap(\.line.value) == expected, "crashed at moment \(number)")
            #expect(again.written == expected, "crashed at moment \(number)")
            #expect(again.run.failure == nil)
            guard let plan else { continue }
            // Output code sees what the first one saw under this number, whatever has come since.
            planned += 1
            let first = try #require(outputs.all.first { $0.0 == plan }).1
            #expect(repeated.all.first { $0.0 == plan }?.1 == first)
        }
        #expect(planned > 2)
    }
}
