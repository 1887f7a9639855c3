internal import CRocksDB

/// Changes that `LocalStore` writes at once, in their order.
@safe
final class LocalBatch {
    let raw: OpaquePointer?

    init() { unsafe raw = rocksdb_writebatch_create() }
    deinit { unsafe rocksdb_writebatch_destroy(raw) }

    // Safety: RocksDB copies the bytes into the batch.

    func put(_ key: [UInt8], _ value: UnsafeRawBufferPointer) {
        unsafe key.withUnsafeBytes { key in
            unsafe rocksdb_writebatch_put(
                raw, key.baseAddress?.assumingMemoryBound(to: CChar.self), key.count,
                value.baseAddress?.assumingMemoryBound(to: CChar.self), value.count)
        }
    }

    func put(_ key: [UInt8], _ value: [UInt8]) {
        unsafe value.withUnsafeBytes { unsafe put(key, $0) }
    }

    func remove(_ key: [UInt8]) {
        unsafe key.withUnsafeBytes {
            unsafe rocksdb_writebatch_delete(raw, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
    }

    /// Removes the keys from `start` up to `end`, which stays.
    func removeRange(_ start: [UInt8], _ end: [UInt8]) {
        unsafe start.withUnsafeBytes { start in
            unsafe end.withUnsafeBytes { end in
                unsafe rocksdb_writebatch_delete_range(
                    raw, start.baseAddress?.assumingMemoryBound(to: CChar.self), start.count,
                    end.baseAddress?.assumingMemoryBound(to: CChar.self), end.count)
            }
        }
    }
}
