private import CRocksDB
internal import StreamCore

/// A pass over some of a `LocalStore`'s keys, as they were when it was made, in either direction. Confined to one
/// thread; it goes before the store is closed.
@safe
final class LocalRange {
    // Safety: the options and the bytes of the bounds, to which the iterator points, are there until it has gone.
    private let iterator: OpaquePointer?
    private let options: OpaquePointer?
    private let bounds: UnsafeMutableRawBufferPointer
    private let folder: String
    private let isReversed: Bool
    private var progress = Progress.begin

    private enum Progress { case begin, within, end }

    /// - Parameter to: the first key behind the range. What was deleted behind it is not passed over.
    init(_ database: OpaquePointer, _ folder: String, from: [UInt8], to: [UInt8], isReversed: Bool) {
        self.folder = folder
        self.isReversed = isReversed
        unsafe bounds = .allocate(byteCount: from.count + to.count, alignment: 1)
        unsafe bounds.copyBytes(from: from + to)
        unsafe options = rocksdb_readoptions_create()
        let start = unsafe bounds.baseAddress?.assumingMemoryBound(to: CChar.self)
        unsafe rocksdb_readoptions_set_iterate_lower_bound(options, start, from.count)
        unsafe rocksdb_readoptions_set_iterate_upper_bound(options, start.map { unsafe $0 + from.count }, to.count)
        unsafe iterator = rocksdb_create_iterator(database, options)
    }

    deinit {
        unsafe rocksdb_iter_destroy(iterator)
        unsafe rocksdb_readoptions_destroy(options)
        unsafe bounds.deallocate()
    }

    /// The next key with its value; nil at the end.
    func next() throws(StreamError) -> (key: [UInt8], value: [UInt8])? {
        switch (progress, isReversed) {
        case (.begin, false): unsafe rocksdb_iter_seek_to_first(iterator)
        case (.begin, true): unsafe rocksdb_iter_seek_to_last(iterator)
        case (.within, false): unsafe rocksdb_iter_next(iterator)
        case (.within, true): unsafe rocksdb_iter_prev(iterator)
        case (.end, _): return nil
        }
        progress = .within
        guard unsafe rocksdb_iter_valid(iterator) != 0 else {
            progress = .end
            var failure: UnsafeMutablePointer<CChar>?
            unsafe rocksdb_iter_get_error(iterator, &failure)
            try unsafe LocalStore.check(failure, folder, "read")
            return nil
        }
        // Safety: both are copied before the iterator moves.
        var count = 0
        let key = unsafe Array(UnsafeRawBufferPointer(start: rocksdb_iter_key(iterator, &count), count: count))
        let value = unsafe Array(UnsafeRawBufferPointer(start: rocksdb_iter_value(iterator, &count), count: count))
        return (key, value)
    }
}
