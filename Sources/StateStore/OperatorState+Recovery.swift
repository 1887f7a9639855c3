package import StreamCore

extension OperatorState {
    /// A changelog topic's `delete.retention.ms` (Kafka's default, 24 h), less an hour for clocks and slow readers.
    package static let deletionsKeptMs: Int64 = 23 * 3_600_000

    /// Brings the state to a committed epoch, as far as that goes without the changelog. Nothing is in flight.
    ///
    /// The sealed epochs up to `epoch` are committed if it is one of them, all others are undone: what was sealed here
    /// and overtaken elsewhere comes from the changelog.
    /// - Parameter epoch: what the committed progress says; nil when there is none.
    /// - Returns: nothing when the state is that of `epoch`. Else the position to read each changelog partition from:
    ///   where what is known of it ends; 0, with its state cleared, where nothing is known or it is so old that
    ///   deletions may be compacted away. Then: `apply` what is read, and `restored`.
    /// - Throws: `STATE_STORE`; `STATE_SCHEMA` where the state on the disk is of another program.
    package func recover(to epoch: Epoch?) throws -> [Split: Position] {
        try prepare()
        rollbackOpen()
        if let epoch, sealedEpochs.contains(where: { $0.epoch == epoch }) { try commit(epoch) }
        dropUncommitted()
        if let epoch, stateEpoch == epoch { return [:] }
        // What is told late of an epoch that was undone here must not count.
        stateEpoch = nil
        let now = clock.wallMilliseconds
        readingSinceMs = now
        for (split, place) in partitions where place.position == 0 || now - place.knownMs > Self.deletionsKeptMs {
            try clear(split)
        }
        return followPositions()
    }

    /// Takes committed changes, in the order of each partition. Those of other tasks' shards are passed over; older
    /// ones may come again before newer ones.
    /// - Throws: `STATE_SCHEMA` where the changelog is of another program, `STATE_DAMAGED` where it is none of ours.
    package func apply(_ block: RecordBlock) throws {
        try prepare()
        let topicIndex = block.topics.firstIndex(of: topic).map(Int32.init)
        let now = clock.wallMilliseconds
        var changes = LocalChanges()
        for (index, slot) in block.slots.enumerated() where slot.topic == topicIndex {
            let split = Split(topic, PartitionID(slot.partition))
            guard var place = partitions[split] else { continue }
            do {
                try apply(block, index, partition: Int(slot.partition), &changes)
            } catch {
                var located = error
                located.place.split = split
                located.place.offset = Offset(slot.offset)
                throw located
            }
            // Also back, where older changes come again: until the newer ones follow, the state is that of then.
            place.position = Offset(slot.offset).next
            place.knownMs = max(place.knownMs, min(slot.timestamp, now))
            partitions[split] = place
        }
        guard !block.isEmpty else { return }
        stateEpoch = nil
        guard let local else { return }
        let batch = LocalBatch()
        try changes.put(in: batch, local)
        try writeLocal(batch, epoch: nil)
        countLocal()
    }

    /// What `recover` asked for, or what a standby followed, was applied up to these ends, and is the state of `epoch`.
    package func restored(_ ends: [Split: Position], epoch: Epoch?) throws {
        try prepare()
        let known = readingSinceMs ?? clock.wallMilliseconds
        readingSinceMs = nil
        for (split, end) in ends {
            guard let place = partitions[split] else { continue }
            partitions[split] = ChangelogPlace(position: end, knownMs: max(place.knownMs, known))
        }
        if local != nil { try writeLocal(LocalBatch(), epoch: epoch) }
        stateEpoch = epoch
    }

    /// Where a standby goes on reading.
    package func followPositions() -> [Split: Position] { partitions.mapValues(\.position) }

    /// Everything below these ends is in the state as soon as `inFlight` is committed; at once if that is nil. A later
    /// recovery then reads no more than what follows.
    package func noteStableEnds(_ ends: [Split: Position], inFlight: Epoch?) {
        let now = clock.wallMilliseconds
        guard let inFlight else { return raise(ends, knownMs: now) }
        // Forgetting one only makes a recovery read more; two epochs at most are in flight.
        if pendingEnds.count == 4 { pendingEnds.removeFirst() }
        pendingEnds.append(PendingEnds(ends: ends, inFlight: inFlight, knownMs: now))
    }

    /// Changes of a partition were lost: its shards and what is known of it are forgotten, and uncommitted changes with
    /// them.
    package func clear(_ split: Split) throws {
        guard partitions[split] != nil else { return }
        dropUncommitted()
        let partition = Int(split.partition.number)
        if partitions.count == 1 {
            for member in members { member.removeAll() }
        } else {
            for member in members {
                member.removeShards({ layout.partition(ofShard: $0) == partition }, layout)
            }
        }
        partitions[split] = ChangelogPlace(position: 0, knownMs: clock.wallMilliseconds)
        schemas = schemas.filter { $0.partition != partition }
        stateEpoch = nil
        try clearLocal(split)
    }

    // MARK: -

    private func dropUncommitted() {
        for member in members { member.rollback() }
        sealedEpochs = []
        pendingEnds = []
    }

    private func apply(
        _ block: RecordBlock, _ index: Int, partition: Int, _ changes: inout LocalChanges
    ) throws(StreamError) {
        guard let bytes = block.key(index) else { throw StateReader.damaged }
        let value = block.value(index)
        if bytes.first == ChangelogKey.schemaTable {
            guard bytes.count == 2 else { throw StateReader.damaged }
            guard let value else { return }
            var reader = StateReader(value)
            try check(StateSchema(from: &reader), of: member(bytes[1]), table: bytes[1])
            schemas.insert(SchemaPlace(partition: partition, table: bytes[1]))
            return
        }
        let key = try ChangelogKey(bytes)
        guard let member = member(key.table) else { throw mismatch(key.table, stored: "records", program: "none") }
        guard key.shard < layout.shards, layout.partition(ofShard: key.shard) == partition else {
            throw mismatch(key.table, stored: "other shards", program: member.schema(layout).description)
        }
        guard isOwned[key.shard] else { return }
        if local != nil { changes.note(key, value) }
        if let value {
            try member.apply(shard: key.shard, key: key.key, value: ChangelogKey.value(value))
        } else {
            try member.apply(shard: key.shard, key: key.key, value: nil)
        }
    }

    /// - Throws: `STATE_SCHEMA` where what is stored is not what the program has.
    func check(_ stored: StateSchema, of member: (any StateMember)?, table: UInt8) throws(StreamError) {
        let program = member?.schema(layout)
        guard program != stored else { return }
        throw mismatch(table, stored: stored.description, program: program?.description ?? "no such table")
    }

    private func mismatch(_ table: UInt8, stored: String, program: String) -> StreamError {
        StreamError(
            "STATE_SCHEMA",
            "The state of operator '\(operatorID)' of query '\(query)' is of another program: its table \(table) has "
                + "\(stored), the program has \(program).",
            remedy: "Run the program that wrote it, give the operator another name, so that it begins without state, "
                + "or reset the query.", domain: .user)
    }
}
