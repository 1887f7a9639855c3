import CommitProtocol
import StreamCore

/// A transaction is open until its end is decided, at its producer's wish or because another one took over or time
/// ran out; then a marker goes to every partition that it wrote to, and to the group's offsets.
extension SimulatedCluster {
    struct Transaction {
        var identity: String
        var epoch: Epoch
        var began: MonotonicTime
        var outputs: [Output] = []
        var changelogs: Set<Split> = []
        /// The positions and the progress that were written into it.
        var commit: EpochCommit?
        /// How it ends, once that is decided.
        var isCommit: Bool?
    }

    /// Why a producer may not go on; nil: it may.
    func refusal(_ identity: String, _ producerEpoch: Int) -> TransactionFailure.Kind? {
        guard producerEpoch != producerEpochs[identity] else { return nil }
        return expiredEpochs[identity] == producerEpoch ? .expired : .fenced
    }

    /// Whether the ends of all former transactions of this identity have reached every partition: before that it can
    /// begin none (CONCURRENT_TRANSACTIONS).
    func isSettled(_ identity: String) -> Bool {
        !transactions.values.contains { $0.identity == identity && $0.isCommit != nil }
    }

    /// Fences older users of the identity, and aborts what they left open.
    func fence(_ identity: String) -> Int {
        producerEpochs[identity, default: 0] += 1
        abort(identity)
        return producerEpochs[identity] ?? 0
    }

    func begin(_ identity: String, _ epoch: Epoch, now: MonotonicTime) {
        // A producer that has written nothing has nothing that the broker knows of.
        abort(identity)
        transactions[nextNumber] = Transaction(identity: identity, epoch: epoch, began: now)
        openNumbers[identity] = nextNumber
        nextNumber += 1
    }

    /// - Returns: false if no transaction is open.
    func produce(_ identity: String, _ outputs: [Output], _ changes: [Change]) -> Bool {
        guard let number = openNumbers[identity] else { return false }
        transactions[number]?.outputs += outputs
        for change in changes {
            transactions[number]?.changelogs.insert(change.split)
            logs[change.split, default: []].append(Entry(change: change, open: number))
        }
        return true
    }

    func addPositions(_ identity: String, _ commit: EpochCommit) -> Bool {
        guard let number = openNumbers[identity] else { return false }
        onPositions(identity, commit)
        transactions[number]?.commit = commit
        return true
    }

    /// - Returns: false if no transaction is open.
    func commit(_ identity: String) -> Bool {
        guard let number = openNumbers[identity], let commit = transactions[number]?.commit else { return false }
        let outputs = transactions[number]?.outputs ?? []
        self.outputs += outputs
        commitCount += 1
        onCommit(commit, outputs)
        end(number, isCommit: true)
        return true
    }

    /// The open transaction, if any, outlived its time-out.
    func expire(_ identity: String) {
        guard openNumbers[identity] != nil, let epoch = producerEpochs[identity] else { return }
        expiredEpochs[identity] = epoch
        producerEpochs[identity] = epoch + 1
        abort(identity)
    }

    private func abort(_ identity: String) {
        guard let number = openNumbers[identity] else { return }
        end(number, isCommit: false)
    }

    private func end(_ number: Int, isCommit: Bool) {
        guard let identity = transactions[number]?.identity else { return }
        openNumbers[identity] = nil
        transactions[number]?.isCommit = isCommit
        if transactions[number]?.commit == nil, transactions[number]?.changelogs.isEmpty == true {
            transactions[number] = nil
        }
        if !delaysMarkers { while writeMarker({ _ in 0 }) {} }
    }

    // MARK: - Markers

    /// Whether something is written whose end has not come everywhere.
    public var hasUnfinishedTransactions: Bool {
        transactions.values.contains { $0.commit != nil || $0.isCommit != nil }
    }

    var hasMarkers: Bool { transactions.values.contains { $0.isCommit != nil } }

    /// Lets one end reach one partition.
    /// - Returns: false if there is none.
    func writeMarker(_ choose: (Int) -> Int) -> Bool {
        let decided = transactions.filter { $0.value.isCommit != nil }.keys.sorted()
        guard !decided.isEmpty else { return false }
        let number = decided[choose(decided.count)]
        guard let transaction = transactions[number], let isCommit = transaction.isCommit else { return false }
        let splits = transaction.changelogs.sorted()
        let target = choose(splits.count + (transaction.commit == nil ? 0 : 1))
        if target < splits.count {
            writeMarker(number, splits[target], isCommit)
        } else if let commit = transaction.commit {
            transactions[number]?.commit = nil
            if isCommit { apply(commit) }
        }
        if transactions[number]?.commit == nil, transactions[number]?.changelogs.isEmpty == true {
            transactions[number] = nil
        }
        return true
    }

    private func writeMarker(_ number: Int, _ split: Split, _ isCommit: Bool) {
        guard var log = logs.removeValue(forKey: split) else { return }
        // What is open is near the end.
        for index in log.indices.reversed() where log[index].open == number {
            log[index].open = nil
            log[index].isCommitted = isCommit
        }
        log.append(Entry())
        logs[split] = log
        transactions[number]?.changelogs.remove(split)
    }

    private func apply(_ commit: EpochCommit) {
        positions.merge(commit.positions) { _, new in new }
        guard let record = commit.progress else { return }
        progress = record
        progressHistory.append(record)
    }

    /// Whether the committed positions of these splits, and the progress, can be told: no transaction that may still
    /// change them is pending (UNSTABLE_OFFSET_COMMIT).
    func isStable(_ splits: Set<Split>) -> Bool {
        transactions.values.allSatisfy { transaction in
            guard let commit = transaction.commit else { return true }
            return commit.progress == nil && splits.isDisjoint(with: commit.positions.keys)
        }
    }
}
