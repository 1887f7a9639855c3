internal import StreamCore

/// A table or a pane store, as its operator's state sees it. The contracts are those of `StateTable`.
protocol StateMember: AnyObject {
    var id: UInt8 { get }
    var rowCount: Int { get }
    var byteSize: Int { get }

    func schema(_ layout: ShardLayout) -> StateSchema
    func seal(_ epoch: Epoch, into writer: ChangelogWriter) throws
    func commit(_ epoch: Epoch)
    func rollbackOpen()
    func rollback()
    func removeAll()
    func removeShards(_ isRemoved: (Int) -> Bool, _ layout: ShardLayout)
    /// A committed change: the key without id and shard, the value without its version, nil for a deletion.
    func apply(shard: Int, key: ArraySlice<UInt8>, value: ArraySlice<UInt8>?) throws(StreamError)
}

extension StateTable: StateMember {
    var rowCount: Int { count }

    func schema(_ layout: ShardLayout) -> StateSchema {
        StateSchema(kind: .table, layout: layout, keyType: Key.stateType, valueType: Value.stateType)
    }

    func apply(shard: Int, key: ArraySlice<UInt8>, value: ArraySlice<UInt8>?) throws(StreamError) {
        var reader = StateReader(key)
        let decoded = try Key(whole: &reader)
        guard let value else { return apply(key: decoded, value: nil, bytes: 0) }
        var values = StateReader(value)
        apply(key: decoded, value: try Value(whole: &values), bytes: key.count + value.count)
    }
}

extension PaneStore: StateMember {
    var rowCount: Int { count }

    func schema(_ layout: ShardLayout) -> StateSchema {
        StateSchema(kind: .panes, layout: layout, keyType: "", valueType: Element.stateType)
    }

    func removeShards(_ isRemoved: (Int) -> Bool, _ layout: ShardLayout) { removeShards(isRemoved) }
}
