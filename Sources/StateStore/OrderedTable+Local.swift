internal import StreamCore

/// A table whose values are on the disk and come into memory when they are asked for.
extension OrderedTable {
    /// Whether passes have to ask the disk.
    package var isOnDisk: Bool { !isComplete }

    /// Brings the value of a key that memory has not from the disk.
    /// - Returns: its place, or nil where the key has no value.
    func load(_ key: [UInt8]) throws -> OrderedRows.Place? {
        guard let local else { return nil }
        evict(rowsMax: 64)
        guard let value = try local.value(table: id, ordered: key) else { return nil }
        return keep(key, value, isRecent: true)
    }

    /// Takes a committed row into memory that is not there.
    @discardableResult
    func keep(_ key: [UInt8], _ value: [UInt8], isRecent: Bool) -> OrderedRows.Place {
        let (place, isFound) = rows.find(key)
        guard !isFound else { return place }
        rows.insert(OrderedRows.Row(key: key, value: value, isRecent: isRecent), at: place)
        note(Self.cost(key, value))
        return rows.find(key).place
    }

    /// Has everything in memory where there is room for it, so that passes leave the disk alone. Where there was none
    /// it is tried again when half of the keys have gone.
    func warm() {
        guard let local, !isComplete, counted <= warmCountMax else { return }
        do {
            for shard in local.shards {
                let start = Array(OrderedGroup(shard: shard).start[..<2])
                let stored = try local.rows(table: id, start, nil, isReversed: false)
                while let (key, value) = try stored.next() {
                    if local.cache.isExceeded {
                        warmCountMax = rows.count / 2
                        return
                    }
                    keep(key, value, isRecent: false)
                }
            }
            isComplete = true
        } catch {
            // Who reads that row is told.
            warmCountMax = -1
        }
    }

    /// Gives memory back while there is too much of it: the committed rows that were not used since it last came by.
    /// - Parameter rowsMax: about how many are looked at.
    func evict(rowsMax: Int) {
        guard let local else { return }
        var left = rowsMax
        while left > 0, local.cache.isExceeded, !rows.isEmpty {
            left -= rows.sweep(&hand) { row in
                guard local.cache.isExceeded, row.value != nil, !isPending(row.touched) else { return false }
                if row.isRecent {
                    row.isRecent = false
                    return false
                }
                note(-Self.cost(row.key, row.value))
                isComplete = false
                return true
            }
        }
    }

    /// A change that the disk has: memory follows where it has the key.
    func follow(_ key: [UInt8], _ value: [UInt8]?) {
        let (place, isFound) = rows.find(key)
        guard isFound else { return }
        guard let value else { return drop(place) }
        note(value.count - (rows[place].value?.count ?? 0))
        rows.set(place, value, touched: 0)
        if local?.cache.isExceeded == true { leaveToDisk() }
    }

    /// Memory holds nothing more. Nothing is open or sealed.
    func leaveToDisk() {
        let known = counted
        warmCountMax = rows.count / 2
        removeAll()
        counted = known
        isComplete = false
    }
}

extension OrderedTable: StateMember {
    var rowCount: Int { count }
    var isInMemory: Bool { local == nil || isComplete || !rows.isEmpty || !restored.isEmpty }

    func attach(_ local: LocalOperator) {
        self.local = local
        counted = local.rowCount(table: id)
        isComplete = counted == 0
    }

    func noteRows(_ count: Int, isExact: Bool) {
        counted = count
        if count == 0 && isExact { isComplete = true }
    }

    func correctRows(by change: Int) { counted += change }

    func schema(_ layout: ShardLayout) -> StateSchema {
        StateSchema(kind: .ordered, layout: layout, keyType: "", valueType: "")
    }

    // Rows are sorted before they are put in their places, which `settle` does.
    func beginEncoded() -> EncodedRows? { nil }
    func settleEncoded() {}
    func decodeEncoded(_ rowsMax: Int) { settle() }
}
