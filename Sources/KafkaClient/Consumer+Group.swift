import CRDKafka
import StreamCore

// What the group asks for, and in whose generation commits are made.
//
// librdkafka goes on by itself in places where we have not answered yet: it takes any unassign for the answer to a
// revocation, joins again when a topic gets partitions, and comes back as a new member after its session ended. In all
// of them splits may be another member's before we hear of it. So commits carry the generation that was noted when we
// last heard of a rebalance (decision 0013), and it is noted only once everything that was lost by then is released.

extension Consumer {
    func serveGroup() {
        serveControl()
        while let rebalance = nextRebalance() {
            if rebalance.isAssignment { acceptAssignment(rebalance.splits) } else { recordRevoke(rebalance) }
        }
        let notes = heldNotes
        heldNotes = []
        notes.forEach(take)
        noticeLoss()
        for error in client.context.takeErrors() { events.append(.failed(error)) }
    }

    /// Lets callbacks record what the group asks for.
    private func serveControl() {
        while feed?.serveControl({ heldNotes.append($0) }) ?? false {}
    }

    private func nextRebalance() -> ClientContext.Rebalance? {
        client.context.withState { state in
            guard !state.rebalances.isEmpty else { return nil }
            var next = state.rebalances.removeFirst()
            // librdkafka has gone on since.
            if !state.rebalances.isEmpty { next.mayBeAnswered = true }
            return next
        }
    }

    /// A change of librdkafka's assignment is done. It takes any unassign for the answer to a revocation, also to one
    /// that we have not heard of: then the splits belong to others now, and it joins again. What asks for splits back
    /// and is found here was asked before, or a moment later: nobody knows, so these splits count as lost.
    func noticeUntimelyAnswer() {
        guard isCooperative else { return }
        serveControl()
        client.context.withState { state in
            for index in state.rebalances.indices { state.rebalances[index].mayBeAnswered = true }
        }
    }

    /// Splits that the group wants back, as far as it is known and was not looked at yet.
    var askedBack: Set<Split> {
        client.context.withState { state in
            state.rebalances.reduce(into: []) { splits, rebalance in
                if !rebalance.isAssignment { splits.formUnion(rebalance.splits) }
            }
        }
    }

    // MARK: - Rebalances

    private func acceptAssignment(_ splits: Set<Split>) {
        // It did not wait for our answer: they may be anybody's.
        reportPendingLost()
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
        noticeUntimelyAnswer()
        if !isCooperative { table.update(table.splits) { $0.isAttached = false } }
        // What was lost and comes back at once is told of when it is released.
        let again = splits.intersection(disputed.union(pendingRevoke ?? []))
        reclaimed.formUnion(again)
        let new = splits.subtracting(again)
        for split in new { table.insert(split) }
        events.append(.assigned(new))
    }

    private func recordRevoke(_ rebalance: ClientContext.Rebalance) {
        // An eager group takes back everything.
        let splits = isCooperative ? rebalance.splits.intersection(table.splits) : table.splits
        disputed.subtract(splits)
        reclaimed.subtract(splits)
        var isLost = rebalance.isLost || rebalance.mayBeAnswered
        // It did not wait for our answer: see above.
        if reportPendingLost() { isLost = true }
        // Still ours in this generation, until we give them back.
        if !isLost, !noteGeneration(revoking: splits) { isLost = true }
        pendingRevoke = splits.union(pendingRevoke ?? [])
        reportedLost = isLost
        table.update(splits) { $0.isRevoking = true }
        dropEvents(of: splits)
        if !splits.isEmpty { events.append(isLost ? .lost(splits) : .revoking(splits)) }
        if pendingRevoke?.isEmpty ?? true { answerRevoke() }
    }

    /// Membership may end while the release is awaited (the session expired): nothing can be committed then.
    private func noticeLoss() {
        guard pendingRevoke != nil, !reportedLost else { return }
        let isLost = (try? unsafe client.use { unsafe rd_kafka_assignment_lost($0) != 0 }) ?? false
        if isLost { reportPendingLost() }
    }

    /// What the group waits for is not to be committed any more.
    /// - Returns: false where it waits for nothing, or that was told before.
    @discardableResult
    private func reportPendingLost() -> Bool {
        guard let pending = pendingRevoke, !pending.isEmpty, !reportedLost else { return false }
        reportedLost = true
        events.append(.lost(pending))
        return true
    }

    func answerRevoke() {
        pendingRevoke = nil
        let revoked = table.all { $0.isRevoking }
        let attached = table.all { $0.isRevoking && $0.isAttached }
        if isCooperative {
            // Only what is in librdkafka's assignment: it refuses others, and the group would wait for ever.
            unassign(attached, "give splits back")
        } else {
            unsafe answer("give splits back") { unsafe AnyError(rd_kafka_assign($0, nil)) }
        }
        table.remove(revoked)
        takeBack()
        reconcile()
    }

    /// Closing waits for an answer that librdkafka may still want, to a question that we have not heard or have only
    /// recorded.
    func answerAnything() {
        unsafe answer("answer what the group asks") { client in
            let empty = TopicPartitionList(capacity: 1)
            return unsafe empty.withRaw { list in
                if let error = unsafe rd_kafka_incremental_unassign(client, list) {
                    return unsafe AnyError.object(error)
                }
                return unsafe rd_kafka_incremental_assign(client, list).map { unsafe AnyError.object($0) }
            }
        }
    }

    // MARK: - Generations

    /// From here on commits carry the present generation: we know what it has given to us.
    ///
    /// Not while something that was lost is unreleased, or is about to be told so: then it is made up for afterwards.
    /// - Parameter revoked: what is asked back in it, and not pending yet.
    /// - Returns: false where librdkafka has become another member meanwhile (its session ended in the middle of a
    ///   rebalance) and says nothing of loss: all that we hold was perhaps another's for a while.
    @discardableResult
    private func noteGeneration(revoking revoked: Set<Split> = []) -> Bool {
        let isAnsweredUnheard = client.context.withState { state in
            state.rebalances.contains { !$0.isAssignment && $0.mayBeAnswered }
        }
        let isUnreleased = pendingRevoke != nil && reportedLost || !disputed.isEmpty
        mustNote = isAnsweredUnheard || isUnreleased
        // Where there is none, what was noted before stays, and the broker refuses it.
        guard !mustNote, let now = try? client.groupMetadata() else { return true }
        let before = client.context.withState { $0.membership }
        let held = table.splits.subtracting(pendingRevoke ?? [])
        if let before, before.memberID != now.memberID, !held.isEmpty {
            client.context.withState { $0.membership = nil }
            mustNote = true
            disputed = held.subtracting(revoked)
            reclaimed.formUnion(disputed)
            if !disputed.isEmpty { events.append(.lost(disputed)) }
            return false
        }
        client.context.withState { state in
            state.membership = now
            state.refusedSince = nil
        }
        return true
    }

    /// Once everything that was lost is released: the generation can be noted, and what the group left or gave to us
    /// nevertheless is ours again, from the committed positions on.
    func takeBack() {
        guard pendingRevoke == nil, disputed.isEmpty else { return }
        if mustNote { noteGeneration() }
        guard !reclaimed.isEmpty, disputed.isEmpty else { return }
        let splits = reclaimed
        reclaimed = []
        for split in splits { table.insert(split) }
        events.append(.assigned(splits))
    }
}
