import CommitProtocol
import StreamEngine

/// Where a fused pass ends inside a stage, and where the next begins: something that holds elements until the task's
/// call or the epoch is over. Confined to the task's thread.
protocol Endpoint: AnyObject {
    /// Takes back what the record at hand has put here: it turned out to be faulty.
    func undoRecord()

    /// Takes what an endpoint of an earlier stage sent.
    func receive(_ payload: any Sendable) throws

    /// Everything of the epoch has come: give on what was held back. Called in the order of the graph.
    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws

    /// Hands over what is ready after each call of the task.
    func drain(into output: inout TaskOutput)

    /// The epoch is durable. For keyed state: its overlay becomes state.
    func committed(_ epoch: Epoch)

    /// Drops everything since the last committed epoch.
    func reset()
}

extension Endpoint {
    func undoRecord() {}
    func receive(_ payload: any Sendable) throws { throw Parcel.misdirected }
    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) throws {}
    func drain(into output: inout TaskOutput) {}
    func committed(_ epoch: Epoch) {}
    func reset() {}
}

/// What endpoints see of the record at hand. Confined to one thread and looked at for each record, so its fields do
/// without the check that a class's fields get.
@usableFromInline
final class RecordScope {
    /// The epoch that is being computed.
    @exclusivity(unchecked) var context = EpochContext(epoch: 0, batchTimeMs: 0)
    /// Counts records, so that an endpoint knows when a new one has begun.
    @exclusivity(unchecked) @usableFromInline var serial = 0
    /// The record at hand has reached an output or a shuffle.
    @exclusivity(unchecked) @usableFromInline var hasEmitted = false

    func beginRecord() {
        serial &+= 1
        hasEmitted = false
    }

    /// Called by an endpoint for each element that reaches it.
    /// - Returns: whether it is the record's first there, given the serial that the endpoint saw last.
    @inlinable
    @inline(__always)
    func reached(_ lastSerial: inout Int) -> Bool {
        hasEmitted = true
        if lastSerial == serial { return false }
        lastSerial = serial
        return true
    }

    func isAt(_ lastSerial: Int) -> Bool { lastSerial == serial }
}

/// What one stage's endpoint sends to one of a later stage.
struct Parcel: Sendable {
    var node: Int
    var level: Int
    var task: Int
    var payload: any Sendable

    static var misdirected: StreamError {
        StreamError("STAGE_MESSAGE", "A message between two stages came to an operator that does not know it.")
    }
}
