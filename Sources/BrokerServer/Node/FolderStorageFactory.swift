package import EmbeddedBroker

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A broker's logs in a data folder: a folder for each partition, named as Kafka names them (`orders-0`).
///
/// For one thread. The folder is locked against other processes for as long as the factory is there.
package final class FolderStorageFactory: LogStorageFactory {
    private static let formatName = "millrace-broker"
    private static let format = "1\n"
    private static let deletedSuffix = ".deleted"

    private let root: SegmentFolder
    private let lock: FolderLock
    private let segmentBytesMax: Int64
    private let policy: SyncPolicy
    private var logs: [TopicPartition: SegmentStorage] = [:]
    private var deletions = 0

    /// Makes the folder if it is not there; its parent must be.
    /// - Throws: `failed` where another process uses it, or where it holds something else than a broker's data:
    ///   nothing in it is touched then.
    package convenience init(path: String, segmentBytesMax: Int64 = 1 << 30, sync policy: SyncPolicy = .never)
        throws(StorageError)
    {
        try self.init(SegmentFolder(path), segmentBytesMax: segmentBytesMax, sync: policy)
    }

    init(_ root: SegmentFolder, segmentBytesMax: Int64, sync policy: SyncPolicy) throws(StorageError) {
        self.root = root
        self.segmentBytesMax = segmentBytesMax
        self.policy = policy
        lock = try FolderLock(folder: root.path)
        try checkFormat()
        for name in try root.names() where Self.isDeleted(name) { try remove(name) }
    }

    private func checkFormat() throws(StorageError) {
        guard let found = try root.text(of: Self.formatName) else {
            let own: Set = [".", "..", ".lock", "\(Self.formatName).new", "lost+found"]
            guard Set(try root.names()).isSubset(of: own) else {
                throw .failed("\(root.path): it holds files that are not this broker's; use an empty folder")
            }
            return try root.replace(Self.formatName, with: Self.format)
        }
        guard found == Self.format else {
            throw .failed("\(root.path): it was written by a version of this broker that this one does not know")
        }
    }

    // MARK: - Logs

    package func list() throws(StorageError) -> [TopicPartition] {
        try root.names().compactMap(Self.partition).sorted()
    }

    package func make(_ name: TopicPartition) throws(StorageError) -> any LogStorage {
        logs[name] = nil
        let folder = Self.folderName(name)
        if try root.names().contains(folder) { try discard(folder) }
        return try storage(name)
    }

    package func open(_ name: TopicPartition) throws(StorageError) -> any LogStorage {
        if let log = logs[name] { return log }
        return try storage(name)
    }

    package func delete(_ name: TopicPartition) throws(StorageError) {
        try discard(Self.folderName(name))
        logs[name] = nil
    }

    private func storage(_ name: TopicPartition) throws(StorageError) -> SegmentStorage {
        let folder = try SegmentFolder(root.full(Self.folderName(name)), fault: root.fault)
        let log = try SegmentStorage(folder, segmentBytesMax: segmentBytesMax, sync: policy)
        if policy != .never { try root.sync() }
        logs[name] = log
        return log
    }

    // MARK: - Safety

    /// Makes all logs outlast a loss of power.
    package func sync() throws(StorageError) {
        for log in logs.values { try log.sync() }
    }

    /// Notes for the next start that the logs are whole. Nothing is written afterwards.
    /// - Throws: the first failure, when all were tried.
    package func close() throws(StorageError) {
        var failure: StorageError?
        for log in logs.values {
            do throws(StorageError) { try log.close() } catch { failure = failure ?? error }
        }
        logs = [:]
        if let failure { throw failure }
    }

    // MARK: - Folders

    /// The folder disappears at once, and is emptied under another name: a crash leaves the whole log or none of it.
    private func discard(_ folder: String) throws(StorageError) {
        var name: String
        repeat {
            name = "\(deletions)\(Self.deletedSuffix)"
            deletions += 1
        } while unsafe access(root.full(name), F_OK) == 0
        try root.rename(folder, to: name)
        if policy != .never { try root.sync() }
        // What is left of it is in nobody's way, and the next start tries again.
        try? remove(name)
    }

    private func remove(_ name: String) throws(StorageError) {
        let folder = try SegmentFolder(root.full(name))
        for file in try folder.names() where file != "." && file != ".." { try folder.remove(file) }
        guard unsafe rmdir(folder.path) == 0 || errno == ENOENT else { throw SegmentFolder.error(errno, folder.path) }
    }

    private static func isDeleted(_ name: String) -> Bool {
        name.hasSuffix(deletedSuffix) && name.utf8.dropLast(deletedSuffix.utf8.count).allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func folderName(_ name: TopicPartition) -> String { "\(name.topic)-\(name.partition)" }

    private static func partition(_ folder: String) -> TopicPartition? {
        guard let dash = folder.lastIndex(of: "-"), let number = Int32(folder[folder.index(after: dash)...]) else {
            return nil
        }
        let name = TopicPartition(String(folder[..<dash]), number)
        // Only as it would be written: no `orders-00`.
        return number >= 0 && !name.topic.isEmpty && folderName(name) == folder ? name : nil
    }
}
