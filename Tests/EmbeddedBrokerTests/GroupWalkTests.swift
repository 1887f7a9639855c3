import Testing

@testable import EmbeddedBroker

/// SplitMix64: the same seed, the same walk.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Clients that do anything at any time, and what must hold whatever they do.
private struct GroupWalk {
    struct Client {
        var memberId = ""
        var instanceId: String?
        var generation: Int32 = -1
        var isLeader = false
        var members: [String] = []
        var offers = ["range", "sticky"]
        var about: UInt8 = 0
        /// What a client that behaves would do next.
        var next = Act.join
    }

    enum Act { case join, sync, beat, rest }

    var random: SeededRandom
    var groups: GroupCoordinator
    var now: Int64 = 1_000
    var clients: [Client]
    var waiting: [RequestToken: Int] = [:]
    var token = 0
    var freshId = 0
    var records: [CoordinatorRecord] = []
    var fenced: Set<String> = []
    var lastGeneration: Int32 = 0
    var stable = 0
    let settings: GroupSettings

    init(seed: UInt64) {
        random = SeededRandom(state: seed)
        var settings = GroupSettings()
        settings.initialRebalanceDelayMs = seed.isMultiple(of: 2) ? 0 : 500
        settings.minSessionTimeoutMs = 1
        settings.newMemberJoinTimeoutMs = 4_000
        if seed.isMultiple(of: 5) { settings.maxSize = 3 }
        self.settings = settings
        groups = GroupCoordinator(settings: settings)
        // Two clients share each instance id, so that they fence each other.
        clients = (0..<6).map { Client(instanceId: $0 < 4 ? "i\($0 / 2)" : nil) }
    }

    mutating func step() {
        let place = Int.random(in: 0..<clients.count, using: &random)
        let isWaiting = waiting.values.contains(place)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<60:
            if !isWaiting { act(place, clients[place].next) }
        case 60..<63: act(place, .join)
        case 63..<66: act(place, .sync)
        case 66..<68:
            clients[place].offers.shuffle(using: &random)
            clients[place].about = UInt8.random(in: 0..<2, using: &random)
        case 68..<69: clients[place].offers = [["range", "sticky"], ["sticky"]].randomElement(using: &random) ?? []
        case 69..<72: act(place, .beat)
        case 72..<74: leave(place)
        case 74..<76: reset(place)
        case 76..<77: crash()
        case 77..<79: drop()
        case 79..<88: commit(place)
        default:
            now += Int64.random(in: 1..<300, using: &random)
            take(groups.advance(now: now))
        }
        check()
    }

    mutating func act(_ place: Int, _ act: Act) {
        switch act {
        case .join: join(place)
        case .sync: sync(place)
        case .beat: beat(place)
        case .rest: if Int.random(in: 0..<25, using: &random) == 0 { reset(place) }
        }
    }

    /// The client starts anew and knows of nothing; one that was fenced takes its time, or two would do nothing else.
    mutating func reset(_ place: Int, isFenced: Bool = false) {
        clients[place].memberId = ""
        clients[place].next = isFenced ? .rest : .join
    }

    mutating func join(_ place: Int) {
        let client = clients[place]
        freshId += 1
        var request = JoinRequest(
            memberId: client.memberId, freshMemberId: "m\(freshId)", instanceId: client.instanceId,
            protocols: client.offers.map {
                MemberProtocol(name: $0, metadata: [0, 0, 0, 0, 0, 1, 0, 1, 0x61 + client.about])
            })
        request.sessionTimeoutMs = 2_000
        request.rebalanceTimeoutMs = 3_000
        request.requiresKnownMemberId = Bool.random(using: &random)
        request.supportsSkippingAssignment = Bool.random(using: &random)
        let before = client.instanceId.flatMap { groups.machine("g")?.members.memberId(ofInstance: $0) }
        token += 1
        waiting[token] = place
        take(groups.join(groupId: "g", request, token: token, now: now))
        let after = client.instanceId.flatMap { groups.machine("g")?.members.memberId(ofInstance: $0) }
        if let before, let after, before != after { fenced.insert(before) }
    }

    mutating func sync(_ place: Int) {
        let client = clients[place]
        var assignments: [String: [UInt8]] = [:]
        if client.isLeader {
            for (number, member) in client.members.enumerated() { assignments[member] = [UInt8(number + 1)] }
        }
        token += 1
        waiting[token] = place
        let request = SyncRequest(
            memberId: client.memberId, instanceId: client.instanceId, generation: client.generation,
            assignments: assignments)
        take(groups.sync(groupId: "g", request, token: token, now: now))
    }

    mutating func beat(_ place: Int) {
        let client = clients[place]
        let error = groups.heartbeat(
            groupId: "g", memberId: client.memberId, instanceId: client.instanceId, generation: client.generation,
            now: now)
        if fenced.contains(client.memberId) { #expect(error == .fencedInstanceId || error == .unknownMemberId) }
        if error == .unknownMemberId || error == .fencedInstanceId {
            reset(place, isFenced: error == .fencedInstanceId)
        }
        if error == .rebalanceInProgress || error == .illegalGeneration { clients[place].next = .join }
    }

    mutating func leave(_ place: Int) {
        let client = clients[place]
        let leaving = LeavingMember(memberId: client.memberId, instanceId: client.instanceId)
        let (errors, effects) = groups.leave(groupId: "g", [leaving], now: now)
        if fenced.contains(client.memberId) { #expect(errors != [nil]) }
        take(effects)
    }

    mutating func commit(_ place: Int) {
        let client = clients[place]
        let partition = TopicPartition("a", Int32.random(in: 0..<3, using: &random))
        let value = CommittedOffset(offset: Int64.random(in: 0..<99, using: &random), commitTimestampMs: now)
        let producerId = ([nil, 1, 2] as [Int64?]).randomElement(using: &random) ?? nil
        if let producerId, Bool.random(using: &random) {
            let isCommit = Bool.random(using: &random)
            let ended = groups.endTransaction(groupId: "g", producerId: producerId, isCommit: isCommit)
            records += ended.map { .offset(groupId: "g", $0) }
            return
        }
        do throws(CoordinationError) {
            let outcome = try groups.commit(
                groupId: "g", memberId: client.memberId, instanceId: client.instanceId,
                generation: client.generation, inTransactionOf: producerId, [OffsetToCommit(partition, value)],
                now: now)
            // An Empty group takes commits without a generation from anybody.
            #expect(!fenced.contains(client.memberId) || client.generation < 0)
            records += outcome.records.map { .offset(groupId: "g", $0) }
        } catch {
            #expect(groups.machine("g") == nil || error != .groupIdNotFound)
        }
    }

    mutating func drop() {
        guard let token = waiting.keys.sorted().randomElement(using: &random) else { return }
        waiting[token] = nil
        groups.drop(token, groupId: "g")
    }

    mutating func crash() {
        groups = restored()
        waiting = [:]
        // Kafka does not keep what happens within a rebalance either, so that whoever was fenced then is not.
        fenced = []
        lastGeneration = groups.machine("g")?.generation ?? 0
    }

    func restored() -> GroupCoordinator {
        var restored = GroupCoordinator(settings: settings)
        for record in records { restored.restore(record, now: now) }
        return restored
    }

    mutating func take(_ effects: [GroupEffect]) {
        for effect in effects {
            switch effect {
            case .store(let record): records.append(.group(record))
            case .joined(let token, let answer):
                // Answered once, and only what was asked.
                guard let place = waiting.removeValue(forKey: token) else {
                    #expect(Bool(false), "token \(token) was answered twice, or had been dropped")
                    continue
                }
                joined(place, answer)
            case .synced(let token, let answer):
                guard let place = waiting.removeValue(forKey: token) else {
                    #expect(Bool(false), "token \(token) was answered twice, or had been dropped")
                    continue
                }
                if answer.error == nil { #expect(groups.machine("g")?.state == .stable) }
                clients[place].next = answer.error == nil ? .beat : .join
                if answer.error == .unknownMemberId { reset(place) }
                if answer.error == .fencedInstanceId { reset(place, isFenced: true) }
            }
        }
    }

    mutating func joined(_ place: Int, _ answer: JoinAnswer) {
        switch answer.error {
        case nil:
            clients[place].memberId = answer.memberId
            clients[place].generation = answer.generation
            clients[place].isLeader = answer.leader == answer.memberId
            clients[place].members = answer.members.map(\.memberId)
            clients[place].next = .sync
            #expect(answer.members.isEmpty == (answer.leader != answer.memberId))
            if clients[place].isLeader { #expect(groups.machine("g")?.leader == answer.memberId) }
        case .memberIdRequired: clients[place].memberId = answer.memberId
        case .unknownMemberId: reset(place)
        case .fencedInstanceId: reset(place, isFenced: true)
        default: break
        }
    }

    mutating func check() {
        guard let machine = groups.machine("g") else { return }
        #expect(machine.generation >= lastGeneration)
        lastGeneration = machine.generation
        let members = machine.members.all
        let instances = members.compactMap(\.instanceId)
        #expect(Set(instances).count == instances.count)
        #expect(Set(members.map(\.memberId)).count == members.count)
        for member in members {
            if let instance = member.instanceId {
                #expect(machine.members.memberId(ofInstance: instance) == member.memberId)
            }
            #expect(!fenced.contains(member.memberId))
            #expect(machine.members[member.memberId]?.memberId == member.memberId)
        }
        #expect(members.isEmpty == (machine.state == .empty) || machine.state == .preparingRebalance)
        if !members.isEmpty { #expect(members.count { $0.memberId == machine.leader } == 1) }
        if machine.state == .stable { stable += 1 }
        checkRecords(machine)
    }

    func checkRecords(_ machine: GroupMachine) {
        let restored = restored()
        #expect(restored.offsets(of: "g") == groups.offsets(of: "g"))
        guard machine.state == .stable || machine.state == .empty else { return }
        if machine.generation > 0 {
            #expect(restored.machine("g")?.snapshot() == machine.snapshot())
            #expect(restored.machine("g")?.state == machine.state)
            #expect(restored.machine("g")?.subscribedTopics == machine.subscribedTopics)
        }
    }

    /// Time goes on and nobody says anything more: everybody gets an answer, and the group ends empty.
    mutating func drain() {
        for _ in 0..<200 {
            guard let deadline = groups.nextDeadline else { break }
            now = max(now, deadline)
            take(groups.advance(now: now))
            check()
        }
        #expect(groups.nextDeadline == nil)
        #expect(waiting.isEmpty)
        #expect(groups.machine("g")?.state ?? .empty == .empty)
    }
}

@Suite struct GroupWalkTests {
    @Test(arguments: 0..<10 as Range<UInt64>)
    func whateverClientsDoTheGroupStaysSound(part: UInt64) {
        var stable = 0
        var generations: Int32 = 0
        for seed in part * 6..<(part + 1) * 6 {
            var walk = GroupWalk(seed: seed)
            for _ in 0..<400 { walk.step() }
            walk.drain()
            stable += walk.stable
            generations += walk.lastGeneration
        }
        // The walks went where they should.
        #expect(stable > 100 && generations > 12)
    }
}
