import CommitProtocol
import KafkaWire
import StreamCore

/// As whom a producer commits offsets (KIP-447).
struct GroupIdentity: Hashable {
    var groupID: String
    var memberID: String
    var instanceID: String?
    var generation: Int32
}

/// A consumer's membership in its group: joins, keeps its session, hears what it is to read.
///
/// Cooperative, and more patient than librdkafka: it never goes on by itself before what was asked back, or lost, is
/// released.
final class GroupMember {
    /// The identity of the newest generation that the driver has heard of: a commit is made with it (decision 0013).
    private(set) var identity: GroupIdentity?
    let subscription: GroupSubscription
    private let assignor: Assignor
    private let connection: Connection
    private let clock: any EngineClock
    private var memberID = ""
    private var generation: Int32 = -1
    private var owned: Set<Split> = []
    /// What the driver has been told of and has not released.
    private var told: Set<Split> = []
    /// To be released before the group is joined again.
    private var awaited: Set<Split> = []
    private var phase = Phase.outside
    /// A static member that has come back gets what it had, and nobody is asked.
    private var isReturning = true
    private var events: [(event: InputEvent, identity: GroupIdentity?)] = []
    private var heartbeatAt = MonotonicTime.distantFuture

    private enum Phase { case outside, joining, member, closed }

    /// What a member wants of the group.
    struct GroupSubscription {
        var groupID: String
        /// Static membership (KIP-345); nil: a member of its own each time.
        var instanceID: String?
        var topic: TopicName
        var splits: [Split]
        var sessionTimeoutMs: Int32 = 10_000
        var rebalanceTimeoutMs: Int32 = 20_000
        var heartbeat = Duration.seconds(3)
    }

    init(_ subscription: GroupSubscription, _ assignor: Assignor, _ connection: Connection, clock: any EngineClock) {
        self.subscription = subscription
        self.assignor = assignor
        self.connection = connection
        self.clock = clock
    }

    func start() { join() }

    func poll() -> InputEvent? {
        guard !events.isEmpty else { return nil }
        let next = events.removeFirst()
        identity = next.identity ?? identity
        if case .assigned(let splits) = next.event { told.formUnion(splits) }
        return next.event
    }

    func release(_ splits: Set<Split>) {
        owned.subtract(splits)
        told.subtract(splits)
        guard !awaited.isEmpty else { return }
        awaited.subtract(splits)
        if awaited.isEmpty, phase == .member || phase == .outside { join() }
    }

    /// Asks the group for a rebalance, as a client whose subscription has changed.
    func rejoin() {
        if phase == .member, awaited.isEmpty { join() }
    }

    /// Ends the session from outside: the administrator's way to take a member out of a group.
    var removal: Request? {
        guard !memberID.isEmpty else { return nil }
        return .leaveGroup(
            LeaveGroupRequest {
                $0.groupID = subscription.groupID
                $0.members = [
                    LeaveGroupRequest.Member {
                        $0.memberID = memberID
                        $0.groupInstanceID = subscription.instanceID
                    }
                ]
            })
    }

    /// A static member keeps its place.
    func close() {
        guard phase != .closed else { return }
        phase = .closed
        heartbeatAt = .distantFuture
        if subscription.instanceID == nil, let removal { connection.part(with: removal) }
        connection.close(requestArrives: true)
    }

    /// The process is gone; the session goes on until its time is over.
    func die(requestArrives: Bool) {
        phase = .closed
        heartbeatAt = .distantFuture
        connection.close(requestArrives: requestArrives)
    }

    var summary: String {
        "\(phase) of \(generation), owns \(owned.sorted()), waits for \(awaited.sorted()), \(connection.summary)"
    }

    // MARK: - The world

    var hasWork: Bool { connection.hasWork || heartbeatAt <= clock.now }
    var deadline: MonotonicTime { min(connection.deadline, heartbeatAt) }

    func act() {
        if connection.hasWork { connection.act() } else { sendHeartbeat() }
    }

    // MARK: - Joining

    private func join() {
        phase = .joining
        heartbeatAt = .distantFuture
        let request = JoinGroupRequest {
            $0.groupID = subscription.groupID
            $0.memberID = memberID
            $0.groupInstanceID = subscription.instanceID
            $0.sessionTimeoutMs = subscription.sessionTimeoutMs
            $0.rebalanceTimeoutMs = subscription.rebalanceTimeoutMs
            $0.protocolType = "consumer"
            $0.protocols = [
                JoinGroupRequest.GroupProtocol {
                    $0.name = "cooperative-sticky"
                    $0.metadata =
                        Subscription(topics: [subscription.topic], owned: owned, generation: generation).bytes
                }
            ]
        }
        connection.call(.joinGroup(request)) { [unowned self] result in
            switch result {
            case .success(.joinGroup(let answer)): sync(answer)
            case .failure(.refused(.memberIDRequired, .joinGroup(let answer)?)):
                memberID = answer.memberID
                join()
            case .failure(.refused(let code, _)): refused(code)
            case .success, .failure(.silence): join()
            }
        }
    }

    private func sync(_ joined: JoinGroupResponse) {
        memberID = joined.memberID
        let isLeader = joined.leader == memberID && !joined.skipAssignment
        let request = SyncGroupRequest {
            $0.groupID = subscription.groupID
            $0.generationID = joined.generationID
            $0.memberID = memberID
            $0.groupInstanceID = subscription.instanceID
            $0.protocolType = "consumer"
            $0.protocolName = joined.protocolName
            $0.assignments = isLeader ? assignments(joined.members) : []
        }
        connection.call(.syncGroup(request)) { [unowned self] result in
            switch result {
            case .success(.syncGroup(let answer)):
                generation = joined.generationID
                accept(GroupAssignment(answer.assignment).splits)
            case .failure(.refused(let code, _)): refused(code)
            case .success, .failure(.silence): join()
            }
        }
    }

    private func assignments(_ members: [JoinGroupResponse.Member]) -> [SyncGroupRequest.Assignment] {
        let claims = members.map { (id: $0.memberID, owned: Subscription($0.metadata)?.owned ?? []) }
        return assignor.assign(subscription.splits, to: claims).sorted { $0.key < $1.key }.map { member, splits in
            SyncGroupRequest.Assignment {
                $0.memberID = member
                $0.assignment = GroupAssignment(splits).bytes
            }
        }
    }

    private func accept(_ assigned: Set<Split>) {
        phase = .member
        heartbeatAt = clock.now + subscription.heartbeat
        let identity = GroupIdentity(
            groupID: subscription.groupID, memberID: memberID, instanceID: subscription.instanceID,
            generation: generation)
        awaited = owned.subtracting(assigned)
        let new = assigned.subtracting(owned)
        owned.formUnion(new)
        if !awaited.isEmpty { events.append((.revoking(awaited), identity)) }
        // Also where nothing is new: from here on commits are made in this generation.
        events.append((.assigned(new), identity))
        // A split whose owner died between giving it back and joining again is nobody's until the next rebalance, and
        // in a group of static members nothing would ever bring that about.
        if subscription.instanceID != nil, isReturning { rejoin() }
        isReturning = false
    }

    // MARK: - Being a member

    private func sendHeartbeat() {
        heartbeatAt = .distantFuture
        let request = HeartbeatRequest {
            $0.groupID = subscription.groupID
            $0.generationID = generation
            $0.memberID = memberID
            $0.groupInstanceID = subscription.instanceID
        }
        connection.call(.heartbeat(request), within: subscription.heartbeat) { [unowned self] result in
            // What was asked in between is the newer question.
            guard phase == .member else { return }
            switch result {
            case .failure(.refused(.rebalanceInProgress, _)) where awaited.isEmpty: join()
            case .failure(.refused(.rebalanceInProgress, _)), .success, .failure(.silence):
                heartbeatAt = clock.now + subscription.heartbeat
            case .failure(.refused(let code, _)): refused(code)
            }
        }
    }

    /// The group does not take this member, or this generation of it, any more.
    private func refused(_ code: ErrorCode) {
        guard phase != .closed else { return }
        if code == .unknownMemberID || code == .fencedInstanceID { memberID = "" }
        guard code != .rebalanceInProgress else { return join() }
        generation = -1
        phase = .outside
        heartbeatAt = .distantFuture
        owned = []
        awaited = told
        // What the driver has not heard of has not happened.
        events = told.isEmpty ? [] : [(.lost(told), nil)]
        if told.isEmpty { join() }
    }
}
