import StateStore
import StreamCore

/// What a window was when its state was written. Another length, slide or batch interval would take what is kept for
/// something else, so it is refused.
struct WindowSettings: StateCodable, Hashable, Sendable {
    var span: WindowSpan
    var batchMs: Int64

    static var stateType: String { "WindowSettings.1" }

    init(_ span: WindowSpan, batchMs: Int64) {
        self.span = span
        self.batchMs = batchMs
    }

    func encode(to writer: inout StateWriter) {
        writer.append(span.lengthMs)
        writer.append(span.slideMs)
        writer.append(batchMs)
    }

    init(from reader: inout StateReader) throws(StreamError) {
        span = WindowSpan(lengthMs: try reader.read(Int64.self), slideMs: try reader.read(Int64.self))
        batchMs = try reader.read(Int64.self)
    }

    var description: String { "length \(span.lengthMs) ms, slide \(span.slideMs) ms, batches of \(batchMs) ms" }
}

/// Keeps a window's settings beside its state, and compares them at each start. One for each task.
final class WindowGuard {
    /// By a number whose shard is the task's: any will do.
    private let table: StateTable<Int64, WindowSettings>
    private let settings: WindowSettings
    private let id: OperatorID
    private let key: Int64
    private var isChecked = false

    init(_ state: OperatorState, _ id: OperatorID, _ settings: WindowSettings, holds: (Int64) -> Bool) {
        table = state.table(id: 100)
        self.settings = settings
        self.id = id
        // Every task has shards, and numbers spread over all of them.
        key = (Int64(0)...).first(where: holds) ?? 0
    }

    /// - Throws: `STATE_SCHEMA` where the state is that of another window.
    func check() throws {
        guard !isChecked else { return }
        try table.forEachEntry { _, stored in
            guard stored != settings else { return }
            throw StreamError(
                "STATE_SCHEMA",
                "The state of operator '\(id)' is that of another window: it has \(stored.description), the program "
                    + "has \(settings.description).",
                remedy: "Give the window another name, so that it begins anew, or its old settings.", domain: .user)
        }
        try table.update(key) { $0 = settings }
        isChecked = true
    }

    /// State was undone or restored.
    func reset() { isChecked = false }
}
