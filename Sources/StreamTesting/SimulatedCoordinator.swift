public import StreamCore

/// The brokers' own doings in a `SimulatedCluster`: ends of transactions reach partitions one by one, transactions that
/// are open for too long are aborted, and requests that were delayed arrive.
public final class SimulatedCoordinator: WorldActor {
    public let name = "coordinator"
    public var timeout = Duration.seconds(10)
    public private(set) var expiredCount = 0
    public private(set) var lateCommitCount = 0
    private let cluster: SimulatedCluster
    private let clock: any EngineClock
    private var random: StableRandom
    private var late: [LateRequest] = []
    /// Until then (in steps of the scheduler) nothing is answered.
    public var isDown = false

    /// The wish to commit, of a producer that has stopped waiting for the answer.
    struct LateRequest {
        var identity: String
        var producerEpoch: Int
        var transaction: Int
        var delay: Int
    }

    public init(_ cluster: SimulatedCluster, seed: UInt64, clock: any EngineClock) {
        self.cluster = cluster
        self.clock = clock
        random = StableRandom(seed: seed)
        cluster.delaysMarkers = true
    }

    var now: MonotonicTime { clock.now }

    func send(_ identity: String, _ producerEpoch: Int) {
        guard let number = cluster.openNumbers[identity] else { return }
        late.append(
            LateRequest(
                identity: identity, producerEpoch: producerEpoch, transaction: number,
                delay: Int(random.next() % 40)))
    }

    /// The open transaction of this identity is over its time, whatever the clock says.
    public func expire(_ identity: String) {
        guard cluster.openNumbers[identity] != nil else { return }
        expiredCount += 1
        cluster.expire(identity)
    }

    // MARK: - The world

    public var hasWork: Bool { !isDown && (cluster.hasMarkers || !late.isEmpty || firstDeadline <= clock.now) }
    public var deadline: MonotonicTime { isDown ? .distantFuture : firstDeadline }

    private var firstDeadline: MonotonicTime {
        cluster.openNumbers.values.compactMap { cluster.transactions[$0].map { $0.began + timeout } }.min()
            ?? .distantFuture
    }

    public func act() {
        let now = clock.now
        let old = cluster.openNumbers.filter { entry in
            cluster.transactions[entry.value].map { $0.began + timeout <= now } ?? false
        }
        if let identity = old.keys.min() { return expire(identity) }
        if !late.isEmpty, !cluster.hasMarkers || random.next() % 2 == 0 { return deliverLate() }
        _ = cluster.writeMarker { count in Int(random.next() % UInt64(max(1, count))) }
    }

    private func deliverLate() {
        late[0].delay -= 1
        guard late[0].delay <= 0 else { return }
        let request = late.removeFirst()
        guard cluster.refusal(request.identity, request.producerEpoch) == nil,
            cluster.openNumbers[request.identity] == request.transaction
        else { return }
        if cluster.commit(request.identity) { lateCommitCount += 1 }
    }
}
