private import CRocksDB
internal import StreamCore

/// A file of rows for a `LocalStore`, in the order of their keys.
@safe
struct SortedFile: ~Copyable {
    // Safety: the handles are this one's until it goes; RocksDB copies the bytes of keys and values.
    private let writer: OpaquePointer?
    private let environment: OpaquePointer?
    private let path: String
    private let prefixCount: Int
    /// The prefix and what follows it: one array for all.
    private var key: [UInt8]

    /// - Parameter prefix: of every key.
    init(_ path: String, prefix: [UInt8], options: OpaquePointer?) throws(StreamError) {
        self.path = path
        prefixCount = prefix.count
        key = prefix
        unsafe environment = rocksdb_envoptions_create()
        unsafe writer = rocksdb_sstfilewriter_create(environment, options)
        var failure: UnsafeMutablePointer<CChar>?
        unsafe rocksdb_sstfilewriter_open(writer, path, &failure)
        try unsafe LocalStore.check(failure, path, "write")
    }

    deinit {
        unsafe rocksdb_sstfilewriter_destroy(writer)
        unsafe rocksdb_envoptions_destroy(environment)
    }

    /// - Parameters:
    ///   - rest: of the key, behind the prefix.
    ///   - value: nil deletes.
    mutating func append(_ rest: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) throws(StreamError) {
        key.removeLast(key.count - prefixCount)
        unsafe key.append(contentsOf: rest)
        var failure: UnsafeMutablePointer<CChar>?
        unsafe key.withUnsafeBytes { bytes in
            let key = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            if let value = unsafe value {
                unsafe rocksdb_sstfilewriter_put(
                    writer, key, bytes.count, value.baseAddress?.assumingMemoryBound(to: CChar.self), value.count,
                    &failure)
            } else {
                unsafe rocksdb_sstfilewriter_delete(writer, key, bytes.count, &failure)
            }
        }
        try unsafe LocalStore.check(failure, path, "write")
    }

    mutating func finish() throws(StreamError) {
        var failure: UnsafeMutablePointer<CChar>?
        unsafe rocksdb_sstfilewriter_finish(writer, &failure)
        try unsafe LocalStore.check(failure, path, "write")
    }
}
