/// A topic's settings as far as its logs follow them; the names and defaults are Kafka's.
package struct LogConfig: Hashable, Sendable {
    /// `max.message.bytes`: the greatest batch.
    package var messageBytesMax = 1_048_588
    package var timestampType = TimestampType.createTime
    package var timestampBeforeMsMax = Int64.max
    package var timestampAfterMsMax: Int64 = 3_600_000
    /// `cleanup.policy`
    package var isDeleted = true
    package var isCompacted = false
    /// `retention.ms` and `retention.bytes`; nil keeps everything.
    package var retentionMs: Int64? = 604_800_000
    package var retentionBytes: Int64?
    /// How long readers have to see a tombstone or a marker before compaction drops it.
    package var deleteRetentionMs: Int64 = 86_400_000
    /// `producer.id.expiration.ms`
    package var producerIdExpirationMs: Int64 = 86_400_000

    package init() {}
}

/// Which records a reader sees.
package enum Isolation: Sendable {
    case readUncommitted
    /// Up to the last stable offset; the reader drops what belongs to aborted transactions.
    case readCommitted
}
