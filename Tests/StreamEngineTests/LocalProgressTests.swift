import CommitProtocol
import FoundationEssentials
import StreamCore
import StreamEngine
import Testing

@Suite struct LocalProgressTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "millrace-\(UUID())").path
    private let query = QueryName("local")
    private let split = Split("file", 0)

    private func ask(_ progress: LocalProgress, _ command: TransactionCommand) -> TransactionEvent? {
        progress.submit(command)
        return progress.poll()
    }

    private func recover(_ progress: LocalProgress) -> RecoveredProgress? {
        _ = ask(progress, .initialize)
        guard case .recovered(let found)? = ask(progress, .recover([split])) else { return nil }
        return found
    }

    @Test func aRestartFindsWhatWasCommitted() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try LocalProgress(query: query, folder: folder)
        #expect(recover(first) == RecoveredProgress(positions: [:]))
        let record = ProgressRecord(
            phase: .committed, epoch: 3, ranges: [], positions: [SplitPosition(split, 7)], batchTimeMs: 5)
        guard
            case .committed(3)? = ask(
                first, .commit(EpochCommit(epoch: 3, positions: [split: 7, Split("file", 1): 2], progress: record)))
        else {
            Issue.record("not committed")
            return
        }
        let second = try LocalProgress(query: query, folder: folder)
        #expect(recover(second) == RecoveredProgress(positions: [split: 7], progress: record))
        let other = try LocalProgress(query: QueryName("other"), folder: folder)
        #expect(recover(other)?.positions == [:])
    }

    @Test(arguments: ["", "{", "[]", "{\"positions\": 5}"]) func aDamagedFileIsNamed(text: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let progress = try LocalProgress(query: query, folder: folder)
        try Data(text.utf8).write(to: URL(filePath: folder + "/progress/local.json"))
        guard case .failed(let failure)? = ask(progress, .initialize) else {
            Issue.record("a damaged file was taken for progress")
            return
        }
        #expect(failure.kind == .hopeless && failure.error.code == "PROGRESS_DAMAGED")
        #expect(failure.error.message.contains("local.json"))
    }

    @Test func aFolderThatCannotBeMadeIsAnError() {
        #expect(throws: StreamError("STATE_FOLDER", "")) { try LocalProgress(query: query, folder: "/proc/nothing") }
    }
}
