/// One member of a group.
struct GroupMember: Sendable {
    /// A request that waits; without a token its client is gone, and the member still counts as one that asked.
    struct Waiting: Sendable { var token: RequestToken? }

    var memberId: String
    var instanceId: String?
    var clientId: String
    var clientHost: String
    var rebalanceTimeoutMs: Int32
    var sessionTimeoutMs: Int32
    var protocols: [MemberProtocol]
    var assignment: [UInt8] = []
    /// Has not finished its first rebalance.
    var isNew = false
    var join: Waiting?
    var sync: Waiting?
    /// When the session ends; nil while the member waits for an answer, which starts it again.
    var deadline: Int64?

    func metadata(for name: String?) -> [UInt8] {
        protocols.first { $0.name == name }?.metadata ?? []
    }

    func supports(_ name: String) -> Bool { protocols.contains { $0.name == name } }
}

/// Members in the order in which they came, found by id and by instance id.
struct MemberTable: Sendable {
    private(set) var all: [GroupMember] = []
    private var places: [String: Int] = [:]
    private var instances: [String: String] = [:]

    var isEmpty: Bool { all.isEmpty }
    var count: Int { all.count }

    func contains(_ memberId: String) -> Bool { places[memberId] != nil }

    func memberId(ofInstance instanceId: String) -> String? { instances[instanceId] }

    /// Setting it for an id that is not there does nothing.
    subscript(memberId: String) -> GroupMember? {
        get { places[memberId].map { all[$0] } }
        set {
            guard let place = places[memberId], let newValue else { return }
            all[place] = newValue
        }
    }

    mutating func append(_ member: GroupMember) {
        places[member.memberId] = all.count
        all.append(member)
        if let instance = member.instanceId { instances[instance] = member.memberId }
    }

    /// Puts a member that goes by another id in the place of one.
    mutating func replace(_ memberId: String, with member: GroupMember) {
        guard let place = places.removeValue(forKey: memberId) else { return }
        all[place] = member
        places[member.memberId] = place
        if let instance = member.instanceId { instances[instance] = member.memberId }
    }

    mutating func remove(_ memberId: String) -> GroupMember? {
        guard let place = places.removeValue(forKey: memberId) else { return nil }
        let member = all.remove(at: place)
        for later in place..<all.count { places[all[later].memberId] = later }
        if let instance = member.instanceId, instances[instance] == memberId { instances[instance] = nil }
        return member
    }

    mutating func updateEach(_ body: (inout GroupMember) -> Void) {
        for place in all.indices { body(&all[place]) }
    }
}
