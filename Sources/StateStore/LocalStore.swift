private import CRocksDB
private import FoundationEssentials
internal import StreamCore
private import Synchronization

/// A query's state on the disk: one RocksDB database in a folder, which all its operators and tasks of this process use
/// from their threads.
///
/// It holds committed state only. What an operator writes at once is there as a whole or not at all, also after a crash
/// of the process; a power failure may take back the newest writes, in their order. (Nothing is synced: the changelog
/// has it all.)
@safe
package final class LocalStore: @unchecked Sendable {
    // Safety: RocksDB's handle may be used from any thread; the pointers never change, and `close` is called when no
    // other call runs, which `isClosed` checks as far as it can.
    package let folder: String
    private let database: OpaquePointer
    private let reading: OpaquePointer
    /// A pass over everything must not drive out what single reads need.
    private let scanning: OpaquePointer
    private let writing: OpaquePointer
    private let options: OpaquePointer?
    /// For files that are written beside the database: they are merged soon, and compressed then.
    private let fileOptions: OpaquePointer?
    private let memoryBytes: Int
    private let isClosed = Atomic(false)
    private let fileCount = Atomic(0)
    /// Operators that are being restored.
    private let restoring = Mutex(0)
    /// What is being gone over: RocksDB closes after that.
    private let scans = Mutex<[ObjectIdentifier: LocalScan]>([:])
    /// What is being written in the background: RocksDB closes after that, too.
    private let writes = Mutex<[ObjectIdentifier: BackgroundWrite]>([:])

    /// Opens the database, or makes it.
    /// - Parameter memoryBytes: for write buffers and cached blocks together, at least 8 MiB.
    /// - Throws: `STATE_STORE` where the folder cannot be used, is in use, damaged, or something else.
    package init(folder: String, memoryBytes: Int) throws {
        self.folder = folder
        self.memoryBytes = max(memoryBytes, 8 << 20)
        try Self.prepare(folder)
        unsafe options = Self.options(self.memoryBytes)
        unsafe fileOptions = rocksdb_options_create_copy(options)
        unsafe rocksdb_options_set_compression(fileOptions, Int32(rocksdb_no_compression))
        var failure: UnsafeMutablePointer<CChar>?
        // Safety: RocksDB copies options and path; the handles are ours until `close`.
        let opened = unsafe rocksdb_open(options, folder, &failure)
        do {
            try unsafe Self.check(failure, folder, "open")
        } catch {
            unsafe rocksdb_options_destroy(options)
            unsafe rocksdb_options_destroy(fileOptions)
            throw error
        }
        guard let opened = unsafe opened else { throw Self.error(folder, "open", "no reason was given") }
        unsafe database = opened
        unsafe reading = rocksdb_readoptions_create()
        unsafe scanning = rocksdb_readoptions_create()
        unsafe rocksdb_readoptions_set_fill_cache(scanning, 0)
        unsafe writing = rocksdb_writeoptions_create()
        try claim()
    }

    deinit { close() }

    /// Writes what is in buffers and gives the folder back. No other call runs or follows; repeats do nothing.
    package func close() {
        guard isClosed.exchange(true, ordering: .acquiringAndReleasing) == false else { return }
        settle()
        for scan in scans.withLock({ $0.values.map { $0 } }) { scan.close() }
        unsafe rocksdb_readoptions_destroy(reading)
        unsafe rocksdb_readoptions_destroy(scanning)
        unsafe rocksdb_writeoptions_destroy(writing)
        unsafe rocksdb_close(database)
        unsafe rocksdb_options_destroy(options)
        unsafe rocksdb_options_destroy(fileOptions)
    }

    // MARK: - Reading and writing

    func value(for key: [UInt8]) throws(StreamError) -> [UInt8]? {
        // Safety: the slice is copied before it is given back.
        guard let slice = unsafe try pinned(key) else { return nil }
        defer { unsafe rocksdb_pinnableslice_destroy(slice) }
        var count = 0
        let bytes = unsafe rocksdb_pinnableslice_value(slice, &count)
        return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    func contains(_ key: [UInt8]) throws(StreamError) -> Bool {
        try checkOpen()
        // From filters and indexes alone: most keys that are asked for are not there.
        let mayBe = unsafe key.withUnsafeBytes {
            unsafe rocksdb_key_may_exist(
                database, reading, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, nil, nil, nil, 0, nil)
        }
        guard mayBe != 0, let slice = unsafe try pinned(key) else { return false }
        unsafe rocksdb_pinnableslice_destroy(slice)
        return true
    }

    /// - Returns: a value that the caller gives back; nil for none.
    private func pinned(_ key: [UInt8]) throws(StreamError) -> OpaquePointer? {
        try checkOpen()
        var failure: UnsafeMutablePointer<CChar>?
        let slice = unsafe key.withUnsafeBytes {
            unsafe rocksdb_get_pinned(
                database, reading, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, &failure)
        }
        try unsafe Self.check(failure, folder, "read")
        return unsafe slice
    }

    /// The values of several keys, in their order.
    func values(for keys: [[UInt8]]) throws(StreamError) -> [[UInt8]?] {
        try checkOpen()
        guard !keys.isEmpty else { return [] }
        let bytes = keys.flatMap { $0 }
        let lengths = keys.map(\.count)
        var values = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: keys.count)
        var valueLengths = [Int](repeating: 0, count: keys.count)
        var failures = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: keys.count)
        // Safety: the pointers are used before the calls return; what RocksDB gives is copied, and freed here.
        unsafe bytes.withUnsafeBytes { bytes in
            var at = 0
            let starts = unsafe lengths.map { length in
                defer { at += length }
                return unsafe bytes.baseAddress.map { unsafe ($0 + at).assumingMemoryBound(to: CChar.self) }
            }
            unsafe rocksdb_multi_get(
                database, reading, keys.count, starts, lengths, &values, &valueLengths, &failures)
        }
        defer {
            for at in keys.indices { unsafe rocksdb_free(values[at]) }
        }
        var found: StreamError?
        for at in keys.indices {
            do throws(StreamError) { try unsafe Self.check(failures[at], folder, "read") } catch { found = error }
        }
        if let found { throw found }
        return keys.indices.map { at in
            guard let value = unsafe values[at] else { return nil }
            return unsafe Array(UnsafeRawBufferPointer(start: value, count: valueLengths[at]))
        }
    }

    /// A pass over the keys from `from` up to `to`, which ends before the store is closed.
    func range(from: [UInt8], to: [UInt8], isReversed: Bool) throws(StreamError) -> LocalRange {
        try checkOpen()
        return unsafe LocalRange(database, folder, from: from, to: to, isReversed: isReversed)
    }

    /// Calls `body` with each key that begins with `prefix`, without that, and its value, in the order of keys: what
    /// was there when it was called.
    /// - Parameter limit: ends after so many.
    func forEachEntry(prefix: [UInt8], limit: Int = .max, _ body: ([UInt8], [UInt8]) throws -> Void) throws {
        let scan = try scan()
        defer { scan.close() }
        scan.seek(prefix)
        _ = try unsafe scan.next(limit, prefix: prefix) { unsafe try body(Array($0), Array($1)) }
    }

    /// A pass over the keys as they are now, in as many steps as one likes.
    func scan() throws(StreamError) -> LocalScan {
        try checkOpen()
        let scan = unsafe LocalScan(self, rocksdb_create_iterator(database, scanning))
        scans.withLock { $0[ObjectIdentifier(scan)] = scan }
        return scan
    }

    func forget(_ scan: LocalScan) { scans.withLock { $0[ObjectIdentifier(scan)] = nil } }

    /// Writes everything in the batch, or nothing.
    func write(_ batch: LocalBatch) throws(StreamError) {
        try checkOpen()
        // Of this thread: counting each comparison for nobody was a tenth of a write.
        rocksdb_set_perf_level(Int32(rocksdb_disable))
        var failure: UnsafeMutablePointer<CChar>?
        unsafe rocksdb_write(database, writing, batch.raw, &failure)
        try unsafe Self.check(failure, folder, "write")
    }

    // MARK: - Restoring

    /// Writes many rows at once, or none, as a file of their own: without the log, a buffer in memory, and a merge.
    /// - Parameters:
    ///   - rows: one at least.
    ///   - prefix: goes before each key.
    func add(_ rows: EncodedRows, prefix: [UInt8]) throws {
        try checkOpen()
        let path = "\(folder)/\(Self.filePrefix)\(fileCount.add(1, ordering: .relaxed).newValue).sst"
        // A link of it stays where this succeeds, and nothing where it does not.
        defer { try? FileManager.default.removeItem(atPath: path) }
        var file = unsafe try SortedFile(path, prefix: prefix, options: fileOptions)
        try unsafe rows.forEachSorted { unsafe try file.append($0, $1) }
        try file.finish()
        let ingesting = unsafe rocksdb_ingestexternalfileoptions_create()
        defer { unsafe rocksdb_ingestexternalfileoptions_destroy(ingesting) }
        unsafe rocksdb_ingestexternalfileoptions_set_move_files(ingesting, 1)
        var failure: UnsafeMutablePointer<CChar>?
        unsafe path.withCString { path in
            var paths: UnsafePointer<CChar>? = unsafe path
            unsafe rocksdb_ingest_external_file(database, &paths, 1, ingesting, &failure)
        }
        try unsafe Self.check(failure, folder, "write")
    }

    /// Begins a call that writes, on a thread of its own; the database is not closed before it is over.
    func write(inBackground body: @escaping @Sendable () throws -> Void) -> BackgroundWrite {
        let write = BackgroundWrite(body)
        writes.withLock { $0[ObjectIdentifier(write)] = write }
        return write
    }

    /// Waits for the call.
    /// - Throws: what it threw.
    func finish(_ write: BackgroundWrite) throws {
        defer { writes.withLock { $0[ObjectIdentifier(write)] = nil } }
        try write.wait()
    }

    /// Waits for all that is written in the background. Whoever finishes a call hears of its failure all the same.
    package func settle() {
        for write in writes.withLock({ $0.values.map { $0 } }) { try? finish(write) }
    }

    /// Until `endRestoring` hardly anything is read: files are merged when they are many.
    func beginRestoring() throws(StreamError) {
        try restoring.withLock { users throws(StreamError) in
            users += 1
            if users == 1 { try set("level0_file_num_compaction_trigger", "64") }
        }
    }

    func endRestoring() throws(StreamError) {
        try restoring.withLock { users throws(StreamError) in
            users -= 1
            if users == 0 { try set("level0_file_num_compaction_trigger", "\(Self.filesMax)") }
        }
    }

    /// What each operator that is being restored may collect for a file, while another is written: three quarters are
    /// kept for blocks and buffers, which are not used now.
    var fileBytes: Int { memoryBytes * 3 / 8 / max(1, restoring.withLock { $0 }) }

    private func set(_ name: String, _ value: String) throws(StreamError) {
        try checkOpen()
        var failure: UnsafeMutablePointer<CChar>?
        unsafe name.withCString { name in
            unsafe value.withCString { value in
                var names: UnsafePointer<CChar>? = unsafe name
                var values: UnsafePointer<CChar>? = unsafe value
                unsafe rocksdb_set_options(database, 1, &names, &values, &failure)
            }
        }
        try unsafe Self.check(failure, folder, "set up")
    }

    private func checkOpen() throws(StreamError) {
        if isClosed.load(ordering: .acquiring) { throw Self.error(folder, "use", "it was closed") }
    }
}

// MARK: - Opening

extension LocalStore {
    /// No operator's keys begin with this: their first byte is the length of a name.
    private static let mark: [UInt8] = [0]
    private static let format = Array("millrace state 1".utf8)

    /// Of files that a crash may leave behind before the database has them.
    private static let filePrefix = "restore-"

    /// Sees that the folder is there and has nothing but a database in it.
    private static func prepare(_ folder: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            if names.contains("CURRENT") {
                for name in names where name.hasPrefix(filePrefix) {
                    try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
                }
            }
            // RocksDB's own first files; a crash may leave them without CURRENT.
            let isDatabase = names.contains("CURRENT") || names.allSatisfy { $0.hasPrefix("LOG") || $0 == "LOCK" }
            if isDatabase || names.allSatisfy({ $0.hasPrefix("MANIFEST") || $0.hasSuffix(".dbtmp") }) { return }
        } catch {
            throw Self.error(folder, "open", "the folder cannot be made or read: \(error)")
        }
        throw Self.error(folder, "open", "the folder has other files in it")
    }

    /// Marks a new database as ours, and refuses another program's.
    private func claim() throws {
        if let format = try value(for: Self.mark) {
            guard format == Self.format else { throw Self.error(folder, "open", "it is of another version") }
            return
        }
        var isEmpty = true
        try forEachEntry(prefix: [], limit: 1) { _, _ in isEmpty = false }
        guard isEmpty else { throw Self.error(folder, "open", "it is another program's database") }
        let batch = LocalBatch()
        batch.put(Self.mark, Self.format)
        try write(batch)
    }

    /// So many files are merged: RocksDB's default.
    private static let filesMax = 4

    private static func options(_ memoryBytes: Int) -> OpaquePointer? {
        let options = unsafe rocksdb_options_create()
        unsafe rocksdb_options_set_create_if_missing(options, 1)
        // Two buffers of an eighth; half for blocks; the rest is room for what RocksDB adds.
        unsafe rocksdb_options_set_write_buffer_size(options, memoryBytes / 8)
        unsafe rocksdb_options_set_max_write_buffer_number(options, 2)
        // Runs of like size are merged: each key is written about eight times on its way, by levels over twenty times
        // with buffers this small; the price is disk, up to twice the state.
        unsafe rocksdb_options_set_compaction_style(options, Int32(rocksdb_universal_compaction))
        // A restore leaves many runs. Writing goes on while they are merged: the changelog is the bound of what comes.
        unsafe rocksdb_options_set_level0_file_num_compaction_trigger(options, Int32(filesMax))
        unsafe rocksdb_options_set_level0_slowdown_writes_trigger(options, 2000)
        unsafe rocksdb_options_set_level0_stop_writes_trigger(options, 4000)
        unsafe rocksdb_options_set_max_total_wal_size(options, UInt64(memoryBytes))
        unsafe rocksdb_options_set_max_open_files(options, 256)
        unsafe rocksdb_options_set_keep_log_file_num(options, 2)
        unsafe rocksdb_options_set_compression(options, Int32(rocksdb_lz4_compression))
        let table = unsafe rocksdb_block_based_options_create()
        let cache = unsafe rocksdb_cache_create_lru(memoryBytes / 2)
        unsafe rocksdb_block_based_options_set_block_cache(table, cache)
        // Indexes and filters in small pieces: as one block each they are larger than a part of a small cache, and are
        // read anew for every key.
        unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1)
        unsafe rocksdb_block_based_options_set_index_type(
            table, Int32(rocksdb_block_based_table_index_type_two_level_index_search))
        unsafe rocksdb_block_based_options_set_partition_filters(table, 1)
        unsafe rocksdb_block_based_options_set_metadata_block_size(table, 4096)
        unsafe rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1)
        unsafe rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(10))
        // Safety: the options share the cache and copy the table's options, so that both can go.
        unsafe rocksdb_options_set_block_based_table_factory(options, table)
        unsafe rocksdb_block_based_options_destroy(table)
        unsafe rocksdb_cache_destroy(cache)
        return unsafe options
    }
}

// MARK: - Errors

extension LocalStore {
    /// - Parameter failure: RocksDB's text, which is freed here; nil for none.
    static func check(
        _ failure: UnsafeMutablePointer<CChar>?, _ folder: String, _ verb: String
    ) throws(StreamError) {
        guard let failure = unsafe failure else { return }
        let text = unsafe String(cString: failure)
        unsafe rocksdb_free(failure)
        throw error(folder, verb, text)
    }

    private static func error(_ folder: String, _ verb: String, _ reason: String) -> StreamError {
        let remedy =
            if reason.contains("Corruption") {
                // First: a damaged block is no lock.
                "The database is damaged: delete the folder; the state is restored from its changelog topics."
            } else if reason.contains("LOCK") || reason.contains("lock ") {
                "Another process, or another query of this one, uses it: stop that, or give this one its own folder."
            } else if reason.contains("No space left") {
                "The disk is full: make room and start the query again."
            } else if reason.contains("other") {
                "Give the query a folder of its own."
            } else {
                "See to its disk and permissions. Where the folder is deleted, the state is restored from its "
                    + "changelog topics."
            }
        return StreamError(
            "STATE_STORE", "Could not \(verb) the local state in '\(folder)': \(reason).", remedy: remedy,
            domain: .external)
    }
}
