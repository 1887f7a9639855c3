import CommitProtocol
import StreamCore
import StreamTesting

/// An instance's place in the group on the control topic of an owned query.
final class BrokerMembership: InputPort, WorldActor {
    let name = "membership"
    var onReady: (@Sendable () -> Void)?
    private let member: GroupMember

    init(_ member: GroupMember) { self.member = member }

    func start() { member.start() }
    func poll(bytesMax: Int) -> InputEvent? { member.poll() }
    func release(_ splits: Set<Split>) { member.release(splits) }
    func close(within: Duration) { member.close() }

    // The control topic has no records.
    func open(_ positions: [Split: Position]) {}
    func pause(_ splits: Set<Split>) {}
    func resume(_ splits: Set<Split>) {}
    func resolve(_ starts: [Split: StartPosition]) {}
    func requestEnds(_ splits: Set<Split>) {}

    // MARK: - The world

    var hasWork: Bool { member.hasWork }
    var deadline: MonotonicTime { member.deadline }

    func act() {
        member.act()
        onReady?()
    }
}
