public import CommitProtocol
public import StreamCore

/// The group on a query's control topic: at most one member owns its one partition.
public final class SimulatedGroup {
    public static let control = Split("control", 0)
    fileprivate var members: [SimulatedMembership] = []
    fileprivate weak var owner: SimulatedMembership?

    public init() {}

    public var hasOwner: Bool { owner != nil }

    /// The session of the owner is over: it hears of that later, and cannot commit from now on.
    public func expelOwner() {
        owner?.noteLost()
        owner = nil
    }

    /// A cooperative rebalance: the owner may finish what it has begun.
    public func wantBack() { owner?.noteRevoked() }

    /// The process has died.
    public func remove(_ member: SimulatedMembership) {
        members.removeAll { $0 === member }
        if owner === member { owner = nil }
    }

    fileprivate func isNext(_ member: SimulatedMembership) -> Bool { owner == nil && members.first === member }

    /// Whoever gave it back comes last.
    fileprivate func moveToEnd(_ member: SimulatedMembership) {
        if owner === member { owner = nil }
        guard let index = members.firstIndex(where: { $0 === member }) else { return }
        members.append(members.remove(at: index))
    }
}

/// One instance's place in a `SimulatedGroup`.
public final class SimulatedMembership: InputPort, WorldActor {
    public let name = "membership"
    public var onReady: (@Sendable () -> Void)?
    private let group: SimulatedGroup
    private var events: [InputEvent] = []
    private var pending: [InputEvent] = []
    private var isRevoking = false

    public init(_ group: SimulatedGroup) { self.group = group }

    /// Whether the group takes commits from this member.
    public var isOwner: Bool { group.owner === self }

    fileprivate func noteLost() {
        isRevoking = false
        pending.append(.lost([SimulatedGroup.control]))
        group.moveToEnd(self)
    }

    fileprivate func noteRevoked() {
        guard !isRevoking else { return }
        isRevoking = true
        pending.append(.revoking([SimulatedGroup.control]))
    }

    // MARK: - The world

    public var hasWork: Bool { !pending.isEmpty || group.isNext(self) }

    public func act() {
        if !pending.isEmpty {
            events.append(pending.removeFirst())
        } else if group.isNext(self) {
            group.owner = self
            events.append(.assigned([SimulatedGroup.control]))
        }
        onReady?()
    }

    // MARK: - InputPort

    public func start() { group.members.append(self) }
    public func poll(bytesMax: Int) -> InputEvent? { events.isEmpty ? nil : events.removeFirst() }

    public func release(_ splits: Set<Split>) {
        guard isRevoking else { return }
        isRevoking = false
        group.moveToEnd(self)
    }

    public func close(within: Duration) { group.remove(self) }

    public func open(_ positions: [Split: Position]) {}
    public func pause(_ splits: Set<Split>) {}
    public func resume(_ splits: Set<Split>) {}
    public func resolve(_ starts: [Split: StartPosition]) {}
    public func requestEnds(_ splits: Set<Split>) {}
}
