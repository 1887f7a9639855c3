private import CRocksDB
internal import StreamCore

/// A pass over a `LocalStore`'s keys as they were when it was made, in steps. Confined to one thread, and to that of
/// `LocalStore.close` when all others have ended.
@safe
final class LocalScan: @unchecked Sendable {
    // Safety: the iterator is used by one thread at a time, and by nobody after `close`, which the store calls before
    // it closes the database.
    private let store: LocalStore
    private var iterator: OpaquePointer?

    init(_ store: LocalStore, _ iterator: OpaquePointer?) {
        self.store = store
        unsafe self.iterator = iterator
    }

    /// Goes to the first key that is not before this one.
    func seek(_ key: [UInt8]) {
        guard let iterator = unsafe iterator else { return }
        unsafe key.withUnsafeBytes {
            unsafe rocksdb_iter_seek(iterator, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
    }

    /// Hands the keys that follow and begin with `prefix` to `body`, with their values, so many at most.
    /// - Parameter body: gets what follows the prefix, and the value, both valid until it returns.
    /// - Returns: whether there may be more.
    func next(
        _ keysMax: Int, prefix: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        guard let iterator = unsafe iterator else { return false }
        for _ in 0..<keysMax {
            guard unsafe rocksdb_iter_valid(iterator) != 0 else {
                var failure: UnsafeMutablePointer<CChar>?
                unsafe rocksdb_iter_get_error(iterator, &failure)
                try unsafe LocalStore.check(failure, store.folder, "read")
                return false
            }
            var count = 0
            let key = unsafe UnsafeRawBufferPointer(start: rocksdb_iter_key(iterator, &count), count: count)
            guard unsafe key.starts(with: prefix) else { return false }
            let value = unsafe UnsafeRawBufferPointer(start: rocksdb_iter_value(iterator, &count), count: count)
            try unsafe body(UnsafeRawBufferPointer(rebasing: key[prefix.count...]), value)
            unsafe rocksdb_iter_next(iterator)
        }
        return true
    }

    /// Gives the pass up. Repeats do nothing.
    func close() {
        guard let iterator = unsafe iterator else { return }
        unsafe rocksdb_iter_destroy(iterator)
        unsafe self.iterator = nil
        store.forget(self)
    }
}
