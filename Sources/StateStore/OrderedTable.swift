internal import StreamCore

/// The ordered state of one operator in one task: bytes by bytes, where the entries of a group lie together in the
/// order of their keys. For what is asked for by ranges: the other side of a join by time, sessions of a user.
///
/// Epochs are those of `StateTable`: the first touch of a key saves what was there in the open journal; `seal` writes
/// each changed key once, in the order of first touches; `commit` forgets the oldest journal, `rollback` undoes. All
/// reads see the open epoch. The order of groups among one another means nothing, but is the same in every run.
///
/// With a local store, memory holds what is not committed, whatever its size, and of the rest what was used and there
/// is room for; passes then go over disk and memory at once. Bodies that are handed in may change the table: a pass
/// goes on over what was there when it began (the first change within it copies the list of chunks, 16 bytes for each
/// 128 rows).
///
/// In memory a key costs about 110 bytes beside its own and its value's. Confined to its task's thread.
///
/// Calls that read throw `STATE_STORE` where the disk cannot be read, and `STATE_DAMAGED`, with the folder or the
/// record's place, where bytes are not what this program writes. What throws changes nothing.
package final class OrderedTable {
    package let id: UInt8
    /// About what the table costs in memory, without what journals keep. A deletion counts until it is committed, and
    /// what is read back counts as it came until it is put in its place.
    @safe @exclusivity(unchecked) package internal(set) var byteSize = 0

    let layout: ShardLayout
    // Unchecked, as in `StateTable`: one thread owns the table, and passes have a copy.
    @safe @exclusivity(unchecked) var rows = OrderedRows()
    @safe @exclusivity(unchecked) var journal = ContiguousArray<Undo>()
    /// Of the open journal; a row that carries it was touched since the last seal.
    @safe @exclusivity(unchecked) var serial = 1
    var sealed: [SealedJournal] = []
    /// Keys that have a value now; `restored` is not in it.
    @safe @exclusivity(unchecked) var counted = 0
    /// Committed changes that were read back and have no place yet, in their order.
    @safe @exclusivity(unchecked) var restored: [(key: [UInt8], value: [UInt8]?)] = []

    /// Where the rest of the table is; nil: there is no rest.
    var local: LocalOperator?
    /// Memory has every key, so that nobody need ask the disk.
    @safe @exclusivity(unchecked) var isComplete = true
    /// With more keys than these it is not tried to have everything in memory: half of those that had no room.
    var warmCountMax = Int.max
    /// The chunk where eviction goes on.
    var hand = 0

    init(id: UInt8, layout: ShardLayout) {
        self.id = id
        self.layout = layout
    }

    /// What a key was before the epoch that touched it.
    struct Undo {
        var key: [UInt8]
        var value: [UInt8]?
        var touched: Int
    }

    struct SealedJournal {
        var epoch: Epoch
        var serial: Int
        var entries: ContiguousArray<Undo>
        /// Without a value at its end.
        var deleted: [[UInt8]]
    }

    /// What a row costs beside its bytes: its place in a chunk that is not full, and two blocks of memory.
    static let rowBytes = MemoryLayout<OrderedRows.Row>.stride * 3 / 2 + 64

    // MARK: - Groups

    /// The group with these bytes. It may be empty.
    package func group(_ bytes: some Collection<UInt8>) -> OrderedGroup { OrderedGroup(bytes, layout) }

    /// The group that a shard has of its own: for an index over other groups of the shard, as one by time.
    package func group(ofShard shard: Int) -> OrderedGroup {
        precondition(shard >= 0 && shard < layout.shards, "a shard is one of the layout's")
        return OrderedGroup(shard: shard)
    }

    // MARK: - One entry

    /// Keys that have a value now; about so many after a long restore (`OperatorState.isCounted`).
    package var count: Int {
        settle()
        return max(0, counted)
    }

    /// The value of a key in the open epoch.
    /// - Complexity: O(log keys in memory); where it is not there, one read of the disk.
    package func value(for key: [UInt8], in group: OrderedGroup) throws -> [UInt8]? {
        let key = group.start + key
        guard let place = try place(of: key) else { return nil }
        return rows[place].value
    }

    /// Sets the value of a key. (Bytes that are there already are no change.)
    /// - Complexity: as `value(for:in:)`, and moves within a chunk of up to 128 rows where the key is new.
    package func put(_ value: [UInt8], for key: [UInt8], in group: OrderedGroup) throws {
        _ = try set(group.start + key, value)
    }

    /// Removes a key, if it is there.
    /// - Returns: the value that it had.
    /// - Complexity: as `put(_:for:in:)`.
    @discardableResult
    package func remove(_ key: [UInt8], in group: OrderedGroup) throws -> [UInt8]? {
        try set(group.start + key, nil)
    }

    /// Lets `body` change the value of a key; nil is "none", before and after. If it throws, nothing has changed.
    /// - Complexity: twice that of `put(_:for:in:)`.
    package func update<Result, Failure: Error>(
        _ key: [UInt8], in group: OrderedGroup, _ body: (inout [UInt8]?) throws(Failure) -> Result
    ) throws -> Result {
        let key = group.start + key
        var value = try place(of: key).flatMap { rows[$0].value }
        let result = try body(&value)
        _ = try set(key, value)
        return result
    }

    // MARK: -

    /// - Returns: what was there.
    private func set(_ key: [UInt8], _ value: [UInt8]?) throws -> [UInt8]? {
        let place = try place(of: key)
        let before = place.flatMap { rows[$0].value }
        if before != value { change(key, from: before, to: value, at: place ?? rows.find(key).place, place != nil) }
        return before
    }

    /// Notes the first touch of an epoch and sets the value.
    /// - Parameter isFound: whether the row is in memory, at `place`.
    func change(
        _ key: [UInt8], from before: [UInt8]?, to value: [UInt8]?, at place: OrderedRows.Place, _ isFound: Bool
    ) {
        if isFound {
            let row = rows[place]
            if row.touched != serial { journal.append(Undo(key: row.key, value: before, touched: row.touched)) }
            rows.set(place, value, touched: serial)
            note((value?.count ?? 0) - (before?.count ?? 0))
        } else {
            journal.append(Undo(key: key, value: before, touched: 0))
            rows.insert(OrderedRows.Row(key: key, value: value, touched: serial), at: place)
            note(Self.cost(key, value))
        }
        counted += (value == nil ? 0 : 1) - (before == nil ? 0 : 1)
    }

    /// Where the row of a key is in memory, maybe since now; nil where it has none, and no value.
    private func place(of key: [UInt8]) throws -> OrderedRows.Place? {
        settle()
        let (place, isFound) = rows.find(key)
        if isFound {
            if local != nil { rows.noteUse(place) }
            return place
        }
        return isComplete ? nil : try load(key)
    }

    static func cost(_ key: [UInt8], _ value: [UInt8]?) -> Int { rowBytes + key.count + (value?.count ?? 0) }

    /// Memory has become so much larger.
    func note(_ change: Int) {
        byteSize += change
        local?.cache.used += change
    }

    /// Whether a journal that is open or sealed has this serial.
    func isPending(_ touched: Int) -> Bool { touched >= (sealed.first?.serial ?? serial) }
}
