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
        var others = splits
        if var pending = pendingRevoke {
            others.subtract(pending)
            // With an answer outstanding, any unassign would be taken for it.
            assert(others.isEmpty || reportedLost, "released before it was asked for")
            pending.subtract(splits)
            pendingRevoke = pending
            if pending.isEmpty { answerRevoke() }
        }
        if !others.isEmpty {
            detach(others)
            table.remove(others)
        }
        disputed.subtract(splits)
        takeBack()
    }

    /// The splits that are ours now.
    public var splits: Set<Split> { table.splits }

    // MARK: - librdkafka's assignment

    private var usesFullAssign: Bool { isSubscribed && !isCooperative }

    /// Makes librdkafka's assignment what the table wants.
    func reconcile() {
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

    func detach(_ splits: Set<Split>) {
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
        unassign(attached, "stop reading \(attached.count) splits")
    }

    /// Takes splits out of librdkafka's assignment: all of them must be in it.
    func unassign(_ splits: Set<Split>, _ what: String) {
        let list = TopicPartitionList(splits)
        unsafe answer(what) { client in
            unsafe list.withRaw { list in
                unsafe rd_kafka_incremental_unassign(client, list).map { unsafe AnyError.object($0) }
            }
        }
        noticeUntimelyAnswer()
    }

    /// What was taken out of the queue and not handed on yet.
    func dropEvents(of splits: Set<Split>) {
        events.removeAll { event in
            switch event {
            case .reachedEnd(let split, _), .positionLost(let split, _): splits.contains(split)
            default: false
            }
        }
    }

    func answer(_ what: String, _ body: (OpaquePointer) -> AnyError?) {
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
enum AnyError {
    case object(OpaquePointer)
    case code(rd_kafka_resp_err_t)

    init?(_ code: rd_kafka_resp_err_t) {
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
        self = .code(code)
    }
}
