import CommitProtocol
import FoundationEssentials
import StreamCore
import StreamEngine
import Synchronization

/// How the files of a folder become records.
struct FolderOptions: Sendable {
    var folder: String
    var newFilesOnly: Bool
    var remember: Duration
    var format: FileFormat
    /// Each record's key is its file's path.
    var keepsPath: Bool
    var filter: @Sendable (String) -> Bool
}

struct FolderSource: LocalSource {
    let name: TopicName
    let options: FolderOptions

    func check(_ settings: SourceSettings) throws { try SourceFolder.check(name, settings) }
    func makeLog(_ settings: SourceSettings) -> any SourceLog { FolderLog(name, options, settings) }
}

/// The new files of a folder as one sequence: a look now and then adds to the catalog, which is durable before
/// anything of a new file is handed out.
final class FolderLog: SourceLog {
    private struct State {
        var catalog: FileCatalog
        /// The catalog is ours: it was read under the folder's lock.
        var isLoaded = false
        /// The split was given back: another may have it.
        var isGivenBack = false
        var committed: Int64 = 0
        /// Where reading began: new files come behind it.
        var begun: Int64 = 0
        var hold: SourceFolder?
        var warned: Set<String> = []
        var hasTrouble = false
    }

    let name: TopicName
    let options: FolderOptions
    let settings: SourceSettings
    private let state: Mutex<State>

    init(_ name: TopicName, _ options: FolderOptions, _ settings: SourceSettings) {
        self.name = name
        self.options = options
        self.settings = settings
        let now = settings.clock.wallMilliseconds
        let remember = options.remember.nanoseconds / 1_000_000
        let start = settings.stateFolder == nil ? MemoryPositions.first(settings.clock) : 0
        state = Mutex(
            State(
                catalog: FileCatalog(
                    floorMs: options.newFilesOnly ? now : now - remember, nowMs: now, start: start)))
    }

    /// Positions before the first are those of an earlier process, whose files are not known any more.
    var isInMemory: Bool { settings.stateFolder == nil }

    var catalog: FileCatalog? { state.withLock { $0.isLoaded && !$0.isGivenBack ? $0.catalog : nil } }

    // MARK: - Work

    func turn(_ desk: SourceDesk, _ now: MonotonicTime) -> MonotonicTime {
        do {
            if state.withLock({ $0.isGivenBack }) {
                letGo()
                return .distantFuture
            }
            guard try load() else { return now + .milliseconds(500) }
            let began = settings.clock.now
            if try look() { desk.changed() }
            // Looking at a large folder is given a tenth of the time.
            let rest = (settings.clock.now - began) * 9
            state.withLock { $0.hasTrouble = false }
            desk.announce()
            return now + max(rest, .milliseconds(20), min(.seconds(1), settings.batchInterval / 2))
        } catch {
            report(error, desk)
            return now + .seconds(1)
        }
    }

    /// A folder that is away may come back, so that is only said, once; anything else ends the query.
    private func report(_ error: any Error, _ desk: SourceDesk) {
        let trouble =
            (error as? DurableFile.Failure)?.inStateFolder ?? error as? StreamError
            ?? StreamError("SOURCE_FAILED", "'\(name)' failed: \(error).", domain: .external, cause: error)
        let isNew = state.withLock { state in
            defer { state.hasTrouble = true }
            return !state.hasTrouble
        }
        if isNew || trouble.recovery == .stop { desk.post(.trouble(trouble)) }
        // A folder that comes later is no reason to hold up the rest of the query.
        if trouble.recovery == .retry, state.withLock({ $0.isLoaded }) { desk.announce() }
    }

    /// - Returns: false while another process has the source's folder.
    private func load() throws -> Bool {
        if state.withLock({ $0.isLoaded }) { return true }
        guard let path = settings.folder(of: name) else {
            state.withLock { $0.isLoaded = true }
            return true
        }
        guard let hold = try SourceFolder(path) else { return false }
        var saved: FileCatalog?
        if let bytes = try DurableFile.read(hold.path + "/catalog.json") {
            saved = try? JSONDecoder().decode(FileCatalog.self, from: Data(bytes))
            guard saved != nil else {
                throw StreamError(
                    "CATALOG_DAMAGED", "'\(hold.path)/catalog.json' is no list of files that were read.",
                    remedy: "Restore it from a backup; without it nobody knows which files were read.", domain: .user)
            }
        }
        state.withLock { state in
            if let saved { state.catalog = saved }
            state.hold = hold
            state.isLoaded = true
        }
        // From the first start on it is known what was there before.
        if saved == nil { try save(state.withLock { $0.catalog }) }
        return true
    }

    /// - Returns: whether there are new files.
    private func look() throws -> Bool {
        let nowMs = settings.clock.wallMilliseconds
        let found = try FolderListing.files(in: options.folder, where: options.filter)
        var (catalog, committed, begun) = state.withLock { ($0.catalog, $0.committed, $0.begun) }
        // The clock went back between two processes that keep nothing.
        if isInMemory { catalog.move(behind: begun) }
        let before = catalog
        let changed = catalog.take(found, nowMs: nowMs, rememberMs: options.remember.nanoseconds / 1_000_000)
        let hasNew = catalog.end != before.end || catalog.entries.count > before.entries.count
        catalog.forget(committed: committed)
        warn(changed)
        if catalog.entries != before.entries { try save(catalog) }
        state.withLock { $0.catalog = catalog }
        return hasNew
    }

    private func warn(_ changed: [FolderFile]) {
        for file in changed where state.withLock({ $0.warned.insert(file.path).inserted }) {
            settings.log.warning(
                "'\(file.path)' was changed after it was taken; the change is not read. Write files elsewhere and "
                    + "rename them into the folder.", LogField("query", settings.query))
        }
        let names = Set(changed.map(\.path))
        state.withLock { $0.warned.formIntersection(names) }
    }

    private func save(_ catalog: FileCatalog) throws {
        guard let path = state.withLock({ $0.hold?.path }) else { return }
        try DurableFile.replace(path + "/catalog.json", Array(JSONEncoder().encode(catalog)))
    }

    private func letGo() {
        state.withLock { state in
            // A folder's lock goes with its object; what another process adds is read again.
            state.hold = nil
            if settings.stateFolder != nil { state.isLoaded = false }
        }
    }

    // MARK: - The port's side

    func begin(at position: Position) {
        state.withLock { state in
            state.committed = max(state.committed, position.number)
            state.isGivenBack = false
            state.begun = max(state.begun, position.number)
        }
    }

    func giveBack() { state.withLock { $0.isGivenBack = true } }
    var bounds: Range<Int64> { state.withLock { $0.catalog.start..<$0.catalog.end } }
    func makeReader() -> any SourceReader { FolderReader(self) }

    func committed(_ position: Position) {
        state.withLock { $0.committed = max($0.committed, position.number) }
    }

    func close() { letGo() }
}
