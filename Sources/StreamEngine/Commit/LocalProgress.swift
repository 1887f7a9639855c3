public import CommitProtocol
private import FoundationEssentials
public import StreamCore

/// Progress of a query without Kafka: positions in a file of the state folder, or in memory alone. At-least-once:
/// nothing that sinks wrote is taken back.
///
/// The file is written beside its name and renamed over it, so that a reader finds the old or the new one.
public final class LocalProgress: TransactionPort {
    public var onReady: (@Sendable () -> Void)?
    public let gate = CommitGate()
    private let file: String?
    private var positions: [SplitPosition] = []
    private var progress: ProgressRecord?
    private var events: [TransactionEvent] = []

    private struct Saved: Codable {
        var positions: [SplitPosition]
        var progress: ProgressRecord?
    }

    /// - Parameter folder: the state folder; nil: a restart begins at the start positions.
    /// - Throws: `StreamError` `STATE_FOLDER`.
    public init(query: QueryName, folder: String?) throws {
        guard let folder else {
            file = nil
            return
        }
        do {
            try FileManager.default.createDirectory(atPath: folder + "/progress", withIntermediateDirectories: true)
        } catch {
            throw Self.error("create '\(folder)/progress'", error)
        }
        file = "\(folder)/progress/\(query).json"
    }

    public func submit(_ command: TransactionCommand) {
        do {
            events.append(try carryOut(command))
        } catch {
            let wrapped = error as? StreamError ?? Self.error("write the progress", error)
            events.append(.failed(TransactionFailure(.hopeless, wrapped)))
        }
        onReady?()
    }

    public func poll() -> TransactionEvent? { events.isEmpty ? nil : events.removeFirst() }
    public func close(within: Duration) {}

    private func carryOut(_ command: TransactionCommand) throws -> TransactionEvent {
        switch command {
        case .initialize:
            gate.open()
            try load()
            return .initialized
        case .recover(let splits):
            let found = positions.filter { splits.contains($0.split) }
            return .recovered(
                RecoveredProgress(
                    positions: Dictionary(found.map { ($0.split, $0.position) }) { _, new in new }, progress: progress))
        case .begin(let epoch): return .begun(epoch)
        case .produce(let block): return .produced(block)
        case .commit(let commit):
            guard gate.isOpen else {
                let error = StreamError("GIVEN_UP", "The epoch was given up.", recovery: .abortEpoch)
                return .failed(TransactionFailure(.fenced, error))
            }
            var merged = Dictionary(positions.map { ($0.split, $0.position) }) { _, new in new }
            merged.merge(commit.positions) { _, new in new }
            positions = merged.map { SplitPosition($0.key, $0.value) }.sorted { $0.split < $1.split }
            progress = commit.progress ?? progress
            try save()
            return .committed(commit.epoch)
        }
    }

    private func load() throws {
        guard let file, FileManager.default.fileExists(atPath: file) else { return }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: file))
        } catch {
            throw Self.error("read the progress file '\(file)'", error)
        }
        guard let saved = try? JSONDecoder().decode(Saved.self, from: data) else {
            throw StreamError(
                "PROGRESS_DAMAGED", "The progress file '\(file)' holds no progress.",
                remedy: "Restore it from a backup, or delete it to begin at the start positions.", domain: .user)
        }
        positions = saved.positions
        progress = saved.progress
    }

    private func save() throws {
        guard let file else { return }
        let data = try JSONEncoder().encode(Saved(positions: positions, progress: progress))
        try data.write(to: URL(filePath: file), options: .atomic)
    }

    private static func error(_ what: String, _ cause: any Error) -> StreamError {
        StreamError(
            "STATE_FOLDER", "Could not \(what): \(cause).",
            remedy: "Check the folder's owner, its rights and the disk's space.",
            domain: .external, cause: cause)
    }
}
