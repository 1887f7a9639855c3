public import CommitProtocol
public import StreamCore
import Synchronization

/// The consumer under whose group a query commits: its generation fences a stale owner.
///
/// `GroupInput.membership` is the one of this module. Safe from any thread; the calls block, up to their time-outs.
public protocol GroupMembership: AnyObject, Sendable {
    var groupID: String { get }
    /// Positions that the group has committed; waits out transactions that are still pending.
    func committed(_ splits: Set<Split>, within: Duration) throws(KafkaError) -> [Split: Position]
    /// Commits positions outside of any transaction, with the present generation.
    func commit(_ positions: [Split: Position], within: Duration) throws(KafkaError)
    /// Adds positions to a producer's open transaction, with the generation of the last rebalance that the reader has
    /// heard of: if the group has moved on since, the broker refuses them.
    /// - Throws: also where the gate is shut by the time that the generation is known.
    func addOffsets(
        _ positions: [Split: Position], to producer: Producer, through gate: CommitGate, within: Duration
    ) throws(KafkaError)
}

/// The membership of a consumer of this module.
final class ConsumerMembership: GroupMembership {
    let groupID: String
    private let client: Mutex<SharedClient>

    init(groupID: String, client: SharedClient) {
        self.groupID = groupID
        self.client = Mutex(client)
    }

    /// A new consumer joined in the place of one that was fenced.
    func replace(_ client: SharedClient) { self.client.withLock { $0 = client } }

    private var current: SharedClient { client.withLock { $0 } }

    /// Never what librdkafka knows at this moment: it may have given splits away that the open epoch still holds.
    private func generation(of client: SharedClient) throws(KafkaError) -> GroupMetadata {
        if let known = client.context.withState({ $0.membership }) { return known }
        throw KafkaError(.illegalGeneration, "Nothing was assigned to this member of the group '\(groupID)' yet.")
    }

    func committed(_ splits: Set<Split>, within: Duration) throws(KafkaError) -> [Split: Position] {
        try current.committed(splits, within: within)
    }

    func commit(_ positions: [Split: Position], within: Duration) throws(KafkaError) {
        try current.commit(positions, within: within)
    }

    func addOffsets(
        _ positions: [Split: Position], to producer: Producer, through gate: CommitGate, within: Duration
    ) throws(KafkaError) {
        let client = current
        do throws(KafkaError) {
            // In this order: with the gate open, the generation is one that was known before the attempt was dropped.
            let generation = try generation(of: client)
            guard gate.isOpen else { throw .givenUp }
            try producer.sendOffsets(positions, generation, within: within)
            client.context.withState { $0.refusedSince = nil }
        } catch {
            if error.code.isGroupOver, gate.isOpen {
                let now = SystemClock().now
                client.context.withState { $0.refusedSince = $0.refusedSince ?? now }
            }
            throw error
        }
    }
}

extension KafkaError {
    /// A commit that its driver has dropped before it was sent.
    static var givenUp: Self { KafkaError(.illegalGeneration, "The epoch was given up before it was committed.") }
}

extension KafkaError.Code {
    /// The group does not know this member, or this generation of it, any more.
    var isGroupOver: Bool { [.illegalGeneration, .unknownMember, .fencedInstance].contains(self) }
}
