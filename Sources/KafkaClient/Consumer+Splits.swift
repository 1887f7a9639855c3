import CRDKafka
public import StreamCore

// Which splits are read, and from where: the group's wishes and the owner's.
//
// A rebalance is answered at once with "nothing yet" when it assigns; `open` then adds the splits, with positions. When
// it revokes, the answer waits for `release`: meanwhile the group waits and heartbeats go on. So nothing depends on who
// is called first, and a split is given up only after its open epoch is committed or dropped.

extension Consumer {
    /// Reads splits from these positions on, also those that were read from elsewhere.
    ///
    /// A known split is taken out of librdkafka's assignment and put back: its own seek fails silently while a fetch is
    /// only being started. Both calls wait for librdkafka's main thread, which serves them in order, so that one stop
    /// of a fetch is over before the next is asked for (librdkafka #5573).
    public func open(_ positions: [Split: Position]) {
        for (split, position) in positions {
            let index = table.insert(split)
            table[index].next = position.number
            table[index].isReading = true
            table[index].mustReattach = table[index].isAttached
            table[index].validFrom = .max
            table[index].end = nil
        }
        dropEvents(of: Set(positions.keys))
        reconcile()
    }

    /// Stops handing out records; what was fetched ahead is dropped and fetched again later.
    public func pause(_ splits: Set<Split>) {
        table.update(splits) { $0.isReading = false }
        dropEvents(of: splits)
        reconcile()
    }

    /// Goes on where `pause` stopped.
    public func resume(_ splits: Set<Split>) {
        table.update(splits) {
            guard !$0.isReading, $0.next >= 0 else { return }
            $0.isReading = true
            $0.mustReattach = $0.isAttached
            $0.validFrom = .max
        }
        reconcile()
    }

    /// Records of a split came where they should not: it is read again from where it was.
    func reread(_ split: Split) {
        table.update([split]) {
            $0.mustReattach = $0.isAttached
            $0.validFrom = .max
        }
        reconcile()
    }

    /// Gives splits up: answers the group when these were the last that it waits for.
    public func release(_ splits: Set<Split>) {
        guard var pending = pendingRevoke else {
            detach(splits)
            table.remove(splits)
            return
        }
        let unasked = splits.subtracting(pending)
        pending.subtract(splits)
        pendingRevoke = pending
        if pending.isEmpty { answerRevoke() }
        if !unasked.isEmpty {
            detach(unasked)
            table.remove(unasked)
        }
    }

    /// The splits that are ours now.
    public var splits: Set<Split> { table.splits }

    // MARK: - The group

    func serveGroup() {
        serveControl()
        let notes = heldNotes
        heldNotes = []
        notes.forEach(take)
        while let rebalance = client.context.withState({ $0.rebalances.isEmpty ? nil : $0.rebalances.removeFirst() }) {
            if rebalance.isAssignment { acceptAssignment(rebalance.splits) } else { recordRevoke(rebalance) }
        }
        noticeLoss()
        for error in client.context.takeErrors() { events.append(.failed(error)) }
    }

    /// Lets callbacks record what the group asks for.
    private func serveControl() { feed?.serveControl { heldNotes.append($0) } }

    /// A change of librdkafka's assignment is done. It takes any unassign for the answer to a revocation, also to one
    /// that we have not heard of: then the splits belong to others now, and it joins again. What asks for splits back
    /// and is found here was asked before, or a moment later: nobody knows, so these splits count as lost.
    ///
    /// Commits are safe whatever happens in between, because they carry the generation of what we have heard of.
    private func noticeUntimelyAnswer() {
        guard isCooperative else { return }
        serveControl()
        client.context.withState { state in
            for index in state.rebalances.indices { state.rebalances[index].mayBeAnswered = true }
        }
    }

    /// Splits that the group wants back, as far as it is known and was not looked at yet.
    private var askedBack: Set<Split> {
        client.context.withState { state in
            state.rebalances.reduce(into: []) { splits, rebalance in
                if !rebalance.isAssignment { splits.formUnion(rebalance.splits) }
            }
        }
    }

    /// From here on commits carry the present generation: we know what it has given to us.
    private func noteGeneration() {
        // Where there is none, what was noted before stays, and the broker refuses it.
        guard let membership = try? client.groupMetadata() else { return }
        client.context.withState { $0.membership = membership }
    }

    private func acceptAssignment(_ splits: Set<Split>) {
        // Before the answer: after it, librdkafka may join again at once.
        noteGeneration()
        unsafe answer("accept an assignment") { client in
            let empty = TopicPartitionList(capacity: 1)
            return unsafe empty.withRaw { list in
                if isCooperative {
                    return unsafe rd_kafka_incremental_assign(client, list).map { unsafe AnyError.object($0) }
                }
                return unsafe AnyError(rd_kafka_assign(client, list))
            }
        }
        if !isCooperative { table.update(table.splits) { $0.isAttached = false } }
        for split in splits { table.insert(split) }
        events.append(.assigned(splits))
    }

    private func recordRevoke(_ rebalance: ClientContext.Rebalance) {
        // An eager group takes back everything.
        let splits = isCooperative ? rebalance.splits.intersection(table.splits) : table.splits
        let isLost = rebalance.isLost || rebalance.mayBeAnswered
        // Still ours in this generation, until we give them back.
        if !isLost { noteGeneration() }
        pendingRevoke = splits.union(pendingRevoke ?? [])
        reportedLost = isLost
        table.update(splits) { $0.isRevoking = true }
        dropEvents(of: splits)
        if !splits.isEmpty { events.append(isLost ? .lost(splits) : .revoking(splits)) }
        if pendingRevoke?.isEmpty ?? true { answerRevoke() }
    }

    /// Membership may end while the release is awaited (the session expired): nothing can be committed then.
    private func noticeLoss() {
        guard let pending = pendingRevoke, !reportedLost else { return }
        let isLost = (try? unsafe client.use { unsafe rd_kafka_assignment_lost($0) != 0 }) ?? false
        if isLost {
            reportedLost = true
            events.append(.lost(pending))
        }
    }

    private var usesFullAssign: Bool { isSubscribed && !isCooperative }

    func answerRevoke() {
        pendingRevoke = nil
        let revoked = table.all { $0.isRevoking }
        let attached = table.all { $0.isRevoking && $0.isAttached }
        unsafe answer("give splits back") { client in
            guard isCooperative else { return unsafe AnyError(rd_kafka_assign(client, nil)) }
            // Only what is in librdkafka's assignment: it refuses others, and the group would wait for ever.
            let list = TopicPartitionList(attached)
            return unsafe list.withRaw { list in
                unsafe rd_kafka_incremental_unassign(client, list).map { unsafe AnyError.object($0) }
            }
        }
        table.remove(revoked)
        noticeUntimelyAnswer()
        reconcile()
    }

    // MARK: - librdkafka's assignment

    /// Makes librdkafka's assignment what the table wants.
    private func reconcile() {
        guard feed != nil else { return }
        if usesFullAssign { return reassign() }
        var out = table.all { $0.isAttached && ($0.mustReattach || !$0.isReading) }
        if pendingRevoke != nil {
            // An unassign would be taken for the answer that the group waits for.
            out = []
        }
        detach(out)
        let askedBack = askedBack
        let new = table.all { $0.isReading && !$0.isAttached && !$0.isRevoking && !askedBack.contains($0.split) }
        guard !new.isEmpty else { return }
        let list = TopicPartitionList(capacity: new.count)
        let chunk = feed?.chunk ?? 0
        table.update(new) {
            $0.isAttached = true
            $0.mustReattach = false
            // Outdated messages still in the queue are recognised by librdkafka itself.
            $0.validFrom = chunk + 1
            list.add($0.split, offset: $0.next)
        }
        unsafe answer("read \(new.count) splits") { client in
            unsafe forwarding(new, client) {
                unsafe list.withRaw { list in
                    unsafe rd_kafka_incremental_assign(client, list).map { unsafe AnyError.object($0) }
                }
            }
        }
        // It makes librdkafka forget that an assignment was lost, and we may not have heard of it yet.
        noticeUntimelyAnswer()
    }

    /// Sends the records of splits to our queue from their first on.
    ///
    /// Before the assignment, so that librdkafka does not choose its own queue; and after it, because the stop of an
    /// earlier fetch, which librdkafka carries out only by then, clears the forwarding. What came in between is moved.
    private func forwarding(_ splits: Set<Split>, _ client: OpaquePointer, _ assign: () -> AnyError?) -> AnyError? {
        for split in splits { unsafe feed?.forward(split, of: client) }
        let error = assign()
        for split in splits { unsafe feed?.forward(split, of: client) }
        return error
    }

    /// Eager groups take whole assignments only: everything starts again at its next record. While the group waits for
    /// an answer, nothing: it would be taken for one.
    private func reassign() {
        let isSame = table.entries.allSatisfy { $0.isAttached == $0.isReading && !$0.mustReattach }
        guard pendingRevoke == nil, !isSame else { return }
        let reading = table.all { $0.isReading }
        let list = TopicPartitionList(capacity: reading.count)
        let chunk = feed?.chunk ?? 0
        table.update(table.splits) {
            $0.isAttached = $0.isReading
            $0.mustReattach = false
            $0.validFrom = $0.isReading ? chunk + 1 : .max
            if $0.isReading { list.add($0.split, offset: $0.next) }
        }
        unsafe answer("read \(reading.count) splits") { client in
            unsafe forwarding(reading, client) {
                unsafe list.withRaw { unsafe AnyError(rd_kafka_assign(client, $0)) }
            }
        }
    }

    private func detach(_ splits: Set<Split>) {
        if usesFullAssign {
            table.update(splits) { $0.isReading = false }
            return reassign()
        }
        let attached = table.all { splits.contains($0.split) && $0.isAttached }
        guard !attached.isEmpty else { return }
        table.update(attached) {
            $0.isAttached = false
            $0.validFrom = .max
        }
        let list = TopicPartitionList(attached)
        unsafe answer("stop reading \(attached.count) splits") { client in
            unsafe list.withRaw { list in
                unsafe rd_kafka_incremental_unassign(client, list).map { unsafe AnyError.object($0) }
            }
        }
        noticeUntimelyAnswer()
    }

    /// What was taken out of the queue and not handed on yet.
    private func dropEvents(of splits: Set<Split>) {
        events.removeAll { event in
            switch event {
            case .reachedEnd(let split, _), .positionLost(let split, _): splits.contains(split)
            default: false
            }
        }
    }

    private func answer(_ what: String, _ body: (OpaquePointer) -> AnyError?) {
        do throws(KafkaError) {
            let error = try unsafe client.use { unsafe body($0) }
            switch error {
            case .object(let object)?: throw unsafe KafkaError(consuming: object, "Could not \(what)")
            case .code(let code)?: throw KafkaError(code, "Could not \(what)")
            case nil: return
            }
        } catch {
            client.context.record(error)
        }
    }
}

/// The two ways in which librdkafka returns errors.
@safe
private enum AnyError {
    case object(OpaquePointer)
    case code(rd_kafka_resp_err_t)

    init?(_ code: rd_kafka_resp_err_t) {
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
        self = .code(code)
    }
}
