import CommitProtocol
import StreamCore
import StreamEngine

extension DStream {
    /// Writes each batch, also an empty one, as text into a folder of its own, exactly once: Spark's `saveAsTextFiles`.
    ///
    /// The folder is `prefix-TIME` or `prefix-TIME.suffix`, TIME the batch's in milliseconds; in it is one file
    /// `part-NNNNN` for each task, with an element a line (pairs as `(hello,1)`), and `_SUCCESS`, which lists the files
    /// with their lengths and checksums. The folder appears under its name as a whole, after its files are on disk. A
    /// batch that is repeated after a crash finds its folder and leaves it as it is.
    ///
    /// The query stops, uncommitted and with nothing half visible, with `OUTPUT_EXISTS` where something else has the
    /// name (nothing is ever overwritten), or `OUTPUT_FOLDER` where it cannot be written. The batch's text is held in
    /// memory. The query gets an owner.
    public func saveAsTextFiles(prefix: String, suffix: String? = nil) {
        let node = context.addNode(using: [node], runsInEmptyBatches: true)
        let target = TextFolder(
            query: context.query, prefix: FolderListing.absolute(prefix),
            suffix: suffix.flatMap { $0.isEmpty ? nil : $0 })
        let level = level
        var output = Output(node: node, level: level, topic: nil, isUserCode: true) { builder in
            if builder.level == builder.lastLevel {
                builder.add(TextPartReader(partCount: builder.taskCounts[level], target), node: node)
            } else {
                let writer = TextPartWriter<Element>(
                    node: node, level: builder.lastLevel, task: builder.task, scope: builder.scope)
                if connect(builder, writer.push) { builder.add(writer, node: node) }
            }
        }
        output.folder = target.name(batchTimeMs: 0)
        context.addOutput(output)
    }
}

/// What one task has of a batch, as text.
struct TextPart: Sendable {
    var task: Int
    var bytes: [UInt8]
}

/// The sending side of `saveAsTextFiles`: holds a task's lines until the batch ends. Confined to the task's thread.
final class TextPartWriter<Element>: Endpoint {
    private let node: Int
    private let level: Int
    private let task: Int
    private let scope: RecordScope
    private var bytes: [UInt8] = []
    private var lastSerial = -1
    private var mark = 0

    init(node: Int, level: Int, task: Int, scope: RecordScope) {
        self.node = node
        self.level = level
        self.task = task
        self.scope = scope
    }

    func push(_ element: Element) {
        if scope.reached(&lastSerial) { mark = bytes.count }
        bytes += PrintedBatch.describe(element).utf8
        bytes.append(10)
    }

    func undoRecord() {
        if scope.isAt(lastSerial) { bytes.removeSubrange(mark...) }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        guard !bytes.isEmpty else { return }
        let part = TextPart(task: task, bytes: bytes)
        output.exchanges.append((0, Parcel(node: node, level: level, task: 0, payload: part)))
        bytes = []
    }

    func reset() { bytes = [] }
}

/// The receiving side, in the last stage's only task.
final class TextPartReader: Endpoint {
    private let target: TextFolder
    private let empty: [[UInt8]]
    private var parts: [[UInt8]]

    init(partCount: Int, _ target: TextFolder) {
        self.target = target
        empty = [[UInt8]](repeating: [], count: partCount)
        parts = empty
    }

    func receive(_ payload: any Sendable) throws {
        guard let part = payload as? TextPart, parts.indices.contains(part.task) else { throw Parcel.misdirected }
        parts[part.task] += part.bytes
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        let (target, parts) = (target, parts)
        self.parts = empty
        output.userOutputs.append(UserOutput { plan in try target.write(parts, plan) })
    }

    func reset() { parts = empty }
}
