internal import StreamCore

/// A table or a pane store, as its operator's state sees it. The contracts are those of `StateTable`.
protocol StateMember: AnyObject {
    var id: UInt8 { get }
    var rowCount: Int { get }
    var byteSize: Int { get }

    /// Whether memory holds anything that a change on the disk could concern.
    var isInMemory: Bool { get }

    /// The values are on the disk too from now on; called once, before anything is here.
    func attach(_ local: LocalOperator) throws
    /// How many keys there are, where the disk knows it.
    func noteRows(_ count: Int, isExact: Bool)
    /// So many keys more are on the disk than was thought.
    func correctRows(by change: Int)
    func schema(_ layout: ShardLayout) -> StateSchema
    func seal(_ epoch: Epoch, into writer: ChangelogWriter) throws
    func commit(_ epoch: Epoch)
    func rollbackOpen()
    func rollback()
    func removeAll()
    func removeShards(_ isRemoved: (Int) -> Bool, _ layout: ShardLayout)
    /// Where changes go as they are; nil where they have to be applied one by one. Then: `settleEncoded`.
    func beginEncoded() -> EncodedRows?
    /// Takes note of how many keys were put there.
    func settleEncoded()
    /// Applies some of what is there.
    func decodeEncoded(_ rowsMax: Int) throws
    /// A committed change: the key without id and shard, the value without its version, nil for a deletion.
    func apply(shard: Int, key: ArraySlice<UInt8>, value: ArraySlice<UInt8>?) throws(StreamError)
}

extension StateTable: StateMember {
    var rowCount: Int { max(0, count) }
    var isInMemory: Bool { local == nil || isComplete || slots.count > freeSlots.count }

    func attach(_ local: LocalOperator) {
        self.local = local
        isPartial = true
        count = local.rowCount(table: id)
        isComplete = count == 0
    }

    func noteRows(_ count: Int, isExact: Bool) {
        self.count = count
        if count == 0 && isExact { isComplete = true }
    }

    func correctRows(by change: Int) { count += change }

    func schema(_ layout: ShardLayout) -> StateSchema {
        StateSchema(kind: .table, layout: layout, keyType: Key.stateType, valueType: Value.stateType)
    }

    /// Rows are for a table that holds nothing else: a key is in one place.
    func beginEncoded() -> EncodedRows? {
        slots.count == freeSlots.count && (local == nil || isComplete) ? encoded : nil
    }

    func settleEncoded() {
        noteEncoded()
        if local?.cache.isExceeded == true { leaveToDisk() }
    }

    func apply(shard: Int, key: ArraySlice<UInt8>, value: ArraySlice<UInt8>?) throws(StreamError) {
        let (decoded, hash) = try decode(key)
        if !encoded.isEmpty, find(decoded, hash) == nil {
            // Safety: the bytes are copied before the call returns.
            unsafe key.withUnsafeBytes { key in
                if let value {
                    unsafe value.withUnsafeBytes { unsafe encoded.put(key, $0) }
                } else {
                    unsafe encoded.put(key, nil)
                }
            }
            return noteEncoded()
        }
        var decodedValue: Value?
        if let value {
            var values = StateReader(value)
            decodedValue = try Value(whole: &values)
        }
        let bytes = key.count + (value?.count ?? 0)
        if local == nil {
            apply(key: decoded, value: decodedValue, bytes: bytes)
        } else {
            applyStored(key: decoded, value: decodedValue, bytes: bytes)
        }
    }
}

extension PaneStore: StateMember {
    var rowCount: Int { count }
    var isInMemory: Bool { true }

    // A window reads all its panes again and again: they are in memory, the disk only brings them back.
    func attach(_ local: LocalOperator) throws {
        try local.forEachEntry(table: id) { shard, key, value in try apply(shard: shard, key: key, value: value) }
    }

    func noteRows(_ count: Int, isExact: Bool) {}
    func correctRows(by change: Int) {}
    func beginEncoded() -> EncodedRows? { nil }
    func settleEncoded() {}
    func decodeEncoded(_ rowsMax: Int) {}

    func schema(_ layout: ShardLayout) -> StateSchema {
        StateSchema(kind: .panes, layout: layout, keyType: "", valueType: Element.stateType)
    }

    func removeShards(_ isRemoved: (Int) -> Bool, _ layout: ShardLayout) { removeShards(isRemoved) }
}
