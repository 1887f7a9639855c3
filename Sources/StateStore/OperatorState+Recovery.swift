package import StreamCore

extension OperatorState {
    /// A changelog topic's `delete.retention.ms` (Kafka's default, 24 h), less an hour for clocks and slow readers.
    package static let deletionsKeptMs: Int64 = 23 * 3_600_000

    /// Undoes what is sealed and not committed: another instance's epoch may have its number.
    /// - Throws: `STATE_STORE`
    package func dropSealed() throws {
        if breakages.contains(.stateNotRolledBack) { return }
        try prepare()
        if breakages.contains(.undoJournalLost) { try forgetJournals() }
        rollbackOpen()
        dropUncommitted()
    }

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
        try endRestoring()
        if breakages.contains(.stateNotRolledBack), epoch != nil, stateEpoch == epoch { return [:] }
        rollbackOpen()
        if let epoch, sealedEpochs.contains(where: { $0.epoch == epoch }) { try commit(epoch) }
        if breakages.contains(.undoJournalLost) { try forgetJournals() }
        dropUncommitted()
        if let epoch, stateEpoch == epoch { return [:] }
        // What is told late of an epoch that was undone here must not count.
        stateEpoch = nil
        let now = clock.wallMilliseconds
        readingSinceMs = now
        restoredChanges = epoch == nil ? nil : 0
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
        try beginCollecting(block)
        let topicIndex = block.topics.firstIndex(of: topic).map(Int32.init)
        let now = clock.wallMilliseconds
        var changes = LocalChanges()
        let targets = targets()
        defer { for target in targets where target.encoded != nil { target.member.settleEncoded() } }
        var hashes = ContiguousArray<UInt32>(repeating: 0, count: Self.preparedCount)
        var preparedFrom = -Self.preparedCount
        // Of the partition whose records come just now.
        var split = Split(topic, -1)
        var place: ChangelogPlace?
        for (index, slot) in block.slots.enumerated() where slot.topic == topicIndex {
            if slot.partition != split.partition.number {
                if let place { partitions[split] = place }
                split = Split(topic, PartitionID(slot.partition))
                place = partitions[split]
            }
            guard let before = place else { continue }
            if index >= preparedFrom + Self.preparedCount {
                preparedFrom = index
                prepare(block, from: index, targets, &hashes)
            }
            do {
                try apply(
                    block, index, hash: hashes[index - preparedFrom], partition: Int(slot.partition), targets, &changes)
            } catch {
                var located = error
                located.place.split = split
                located.place.offset = Offset(slot.offset)
                throw located
            }
            // Also back, where older changes come again: until the newer ones follow, the state is that of then.
            place = ChangelogPlace(
                position: Offset(slot.offset).next, knownMs: max(before.knownMs, min(slot.timestamp, now)))
        }
        if let place { partitions[split] = place }
        guard !block.isEmpty else { return }
        stateEpoch = nil
        try writeLocal(changes, of: block)
        // A standby's state is wanted at once when its time has come: it is taken apart while little comes.
        if restoredChanges == nil, block.count < 1_000 {
            for member in members { try member.decodeEncoded(10_000) }
        }
    }

    private func writeLocal(_ changes: LocalChanges, of block: RecordBlock) throws {
        guard let local else { return }
        if local.isRestoring {
            if local.hasCollectedFile { try writeCollected() }
            return
        }
        let batch = LocalBatch()
        try changes.put(of: block, in: batch, local)
        try writeLocal(batch, epoch: nil)
        countLocal()
    }

    /// Collects the changes of a restore that are many, or all there is: where the disk has nothing, nobody need look
    /// there whether a key is new.
    private func beginCollecting(_ block: RecordBlock) throws(StreamError) {
        guard let local, let before = restoredChanges, !local.isRestoring, !block.isEmpty else { return }
        restoredChanges = before + block.count
        let known = members.reduce(0) { $0 + local.rowCount(table: $1.id) }
        let isEmpty = known == 0 && !local.needsCount
        if isEmpty || before + block.count > max(collectingFrom, known / 10) { try local.beginRestoring() }
    }

    private func endRestoring() throws {
        try writeCollected()
        try local?.finishCollected()
        restoredChanges = nil
        try local?.endRestoring()
    }

    /// What `recover` asked for, or what a standby followed, was applied up to these ends, and is the state of `epoch`.
    package func restored(_ ends: [Split: Position], epoch: Epoch?) throws {
        try prepare()
        try endRestoring()
        countLocal()
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

    private func forgetJournals() throws {
        let writer = ChangelogWriter(topic: topic, layout: layout)
        for member in members {
            try member.seal(Epoch(.max), into: writer)
            member.commit(Epoch(.max))
        }
    }

    private func dropUncommitted() {
        for member in members { member.rollback() }
        sealedEpochs = []
        pendingEnds = []
    }

    /// Where the changes of one table go, as long as one block is applied.
    private struct Target {
        var id: UInt8
        var member: any StateMember
        /// For changes as they are; nil where they are taken apart.
        var encoded: EncodedRows?
        var isInMemory: Bool
    }

    private func targets() -> [Target] {
        members.map { member in
            Target(id: member.id, member: member, encoded: member.beginEncoded(), isInMemory: member.isInMemory)
        }
    }

    /// So many keys are looked for at once: as many as the processor's caches of pages and memory keep.
    private static let preparedCount = 64

    /// Gives the hashes of the next keys that stay encoded, and has their places in the index read.
    private func prepare(
        _ block: RecordBlock, from start: Int, _ targets: [Target], _ hashes: inout ContiguousArray<UInt32>
    ) {
        for index in start..<min(start + Self.preparedCount, block.slots.count) {
            let slot = block.slots[index]
            guard !slot.key.isNull, slot.key.length >= 3 else { continue }
            // Safety: the block does not change while it is applied.
            let bytes = unsafe block.arena.bytes(slot.key)
            guard let encoded = targets.first(where: { unsafe $0.id == bytes[0] })?.encoded else { continue }
            hashes[index - start] = unsafe encoded.hash(UnsafeRawBufferPointer(rebasing: bytes[3...]))
        }
        // By themselves, since the processor waits for many places at once only where nothing else comes between.
        for target in targets { target.encoded?.look(for: hashes) }
    }

    private func apply(
        _ block: RecordBlock, _ index: Int, hash: UInt32, partition: Int, _ targets: [Target],
        _ changes: inout LocalChanges
    ) throws(StreamError) {
        let slot = block.slots[index]
        // Safety: the block does not change while it is applied.
        let bytes = unsafe slot.key.isNull ? nil : block.arena.bytes(slot.key)
        guard let bytes = unsafe bytes, let table = unsafe bytes.first else { throw StateReader.damaged }
        if table == ChangelogKey.schemaTable { return try applySchema(block, index, partition: partition) }
        guard bytes.count >= 3 else { throw StateReader.damaged }
        let shard = unsafe ChangelogKey.shard(bytes)
        guard let target = targets.first(where: { $0.id == table }) else {
            throw mismatch(table, stored: "records", program: "none")
        }
        guard shard < layout.shards, layout.partition(ofShard: shard) == partition else {
            throw mismatch(table, stored: "other shards", program: target.member.schema(layout).description)
        }
        guard isOwned[shard] else { return }
        let value = unsafe slot.value.isNull ? nil : try ChangelogKey.value(block.arena.bytes(slot.value))
        if let local {
            if local.isRestoring {
                unsafe local.collect(change: bytes, slot.value.isNull ? nil : block.arena.bytes(slot.value))
            } else {
                changes.note(index, in: block)
            }
        }
        // What only the disk has need not be taken apart.
        guard target.isInMemory else { return }
        let key = unsafe UnsafeRawBufferPointer(rebasing: bytes[3...])
        if let encoded = target.encoded { return unsafe encoded.put(key, value, hash: hash) }
        try unsafe target.member.apply(shard: shard, key: Array(key)[...], value: value.map { unsafe Array($0)[...] })
    }

    private func applySchema(_ block: RecordBlock, _ index: Int, partition: Int) throws(StreamError) {
        guard let key = block.key(index), key.count == 2 else { throw StateReader.damaged }
        guard let value = block.value(index) else { return }
        var reader = StateReader(value)
        try check(StateSchema(from: &reader), of: member(key[1]), table: key[1])
        schemas.insert(SchemaPlace(partition: partition, table: key[1]))
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
