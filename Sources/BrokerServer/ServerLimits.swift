/// What one server lends to its clients at most. Times are in milliseconds, as in Kafka's settings.
package struct ServerLimits: Sendable, Hashable {
    /// Kafka's `socket.request.max.bytes`.
    package var frameBytesMax = 104_857_600
    package var connectionsMax = 10_000
    /// Kafka's `connections.max.idle.ms`.
    package var idleMs: Int64 = 600_000
    /// How long a frame may take from its first byte to its last; see `FrameBuffer.deadline`.
    package var frameMs: Int64 = 30_000
    /// How long a client may take none of the bytes that wait for it.
    package var stalledMs: Int64 = 30_000
    /// Requests of a connection that were read and whose answer was not yet handed to the socket's queue.
    package var requestsMax = 128
    /// Bytes of unfinished frames, over all connections.
    package var readBytesMax = 268_435_456
    /// Answers that wait in a connection: beyond it nothing more is read from there.
    package var unsentBytesMax = 16_777_216
    /// The same over all connections: beyond it nothing is read from any that has some waiting.
    package var unsentTotalBytesMax = 268_435_456

    package init() {}
}
