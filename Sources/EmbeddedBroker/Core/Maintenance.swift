/// When the work is due that nobody waits for, and how far a round of it has come.
struct Maintenance {
    /// The logs that are left in this round of retention and compaction.
    var round: [TopicPartition] = []
    /// Whether the round is one of retention, too.
    var hasRetention = false
    var retentionAt: Int64
    var compactionAt: Int64
    var offsetsAt: Int64
    /// Markers that could not be written are tried again then.
    var markersAt: Int64?
    private let settings: BrokerSettings

    init(_ settings: BrokerSettings, now: Int64) {
        self.settings = settings
        retentionAt = time(now, plus: settings.retentionCheckIntervalMs)
        compactionAt = time(now, plus: settings.compactionCheckIntervalMs)
        offsetsAt = time(now, plus: settings.offsetsCheckIntervalMs)
    }

    /// Any time is late for a round that has begun.
    var nextDeadline: Int64 {
        min(round.isEmpty ? min(retentionAt, compactionAt) : .min, offsetsAt, markersAt ?? .max)
    }
}

extension BrokerCore {
    /// One log at most, so that no client waits for long.
    func maintain(now: Int64) {
        if let due = maintenance.markersAt, due <= now {
            maintenance.markersAt = nil
            for order in transactions.pendingMarkers { complete(order, now: now) }
        }
        if maintenance.offsetsAt <= now {
            maintenance.offsetsAt = time(now, plus: settings.offsetsCheckIntervalMs)
            coordinatorDeadline = nil
            keep(groups.expire(now: now).flatMap(records), now: now)
        }
        if maintenance.round.isEmpty {
            guard min(maintenance.retentionAt, maintenance.compactionAt) <= now else { return }
            let hasRetention = maintenance.retentionAt <= now
            maintenance.hasRetention = hasRetention
            if hasRetention { maintenance.retentionAt = time(now, plus: settings.retentionCheckIntervalMs) }
            maintenance.compactionAt = time(now, plus: settings.compactionCheckIntervalMs)
            let due = topics.values.filter { hasRetention || $0.logs.first?.config.isCompacted == true }
            maintenance.round = due.flatMap { topic in
                topic.logs.indices.map { TopicPartition(topic.name, Int32(clamping: $0)) }
            }.sorted(by: >)
        } else if let name = maintenance.round.popLast(), let topic = topics[name.topic] {
            maintain(topic, name, now: now)
        }
    }

    /// What fails here is tried again in the next round: nothing is lost but space.
    private func maintain(_ topic: Topic, _ name: TopicPartition, now: Int64) {
        guard let log = topic.log(name.partition) else { return }
        if maintenance.hasRetention { log.expireProducers(now: now) }
        do throws(StorageError) {
            if maintenance.hasRetention, try log.enforceRetention(now: now) { fetches.touch(name, bytes: .max) }
            if isDirty(log, topic, now: now) { _ = try log.compact(now: now) }
        } catch { return }
    }

    private func isDirty(_ log: PartitionLog, _ topic: Topic, now: Int64) -> Bool {
        guard log.config.isCompacted, log.dirtyByteCount > 0 else { return false }
        let ratio = Double(topic.config.value("min.cleanable.dirty.ratio", settings.topicDefaults)) ?? 0.5
        guard Double(log.dirtyByteCount) >= ratio * Double(log.byteCount) else { return false }
        // All records or none: a log is compacted when its newest record is old enough.
        let lag = Int64(topic.config.value("min.compaction.lag.ms", settings.topicDefaults)) ?? 0
        let newest = log.index.entries.map(\.maxTimestamp).max() ?? -1
        return lag == 0 || time(newest, plus: lag) <= now
    }

    func compactState(now: Int64) {
        guard failure == nil else { return }
        do throws(StorageError) {
            try state.compactIfGrown(dirtyBytesMax: settings.stateDirtyBytesMax, now: now)
        } catch { failure = error }
    }
}
