@testable import EmbeddedBroker

/// Steps of a group and what they are to bring, as text: tokens are the steps' own numbers, from 1.
struct GroupScript {
    enum Step {
        case join(
            String, fresh: String = "", instance: String? = nil, offers: [String] = ["range"], about: UInt8 = 0,
            rebalance: Int32 = 60_000, version: Int = 9)
        case sync(
            String, generation: Int32, instance: String? = nil, assigns: [String: UInt8] = [:],
            name: String? = nil)
        case beat(String, generation: Int32, instance: String? = nil)
        case leave([LeavingMember])
        case commit(String, generation: Int32, instance: String? = nil, transactional: Bool = false)
        case drop(Int)
        /// The time comes to be this, and what is due is done.
        case at(Int64)
        case state(GroupState)
    }

    var machine: GroupMachine
    var now: Int64 = 0
    var token = 0

    init(settings: GroupSettings = .immediate) {
        machine = GroupMachine(groupId: "g", settings: settings, now: 0)
    }

    mutating func run(_ step: Step) -> [String] {
        token += 1
        switch step {
        case .join(let id, let fresh, let instance, let offers, let about, let rebalance, let version):
            var request = JoinRequest(
                memberId: id, freshMemberId: fresh, instanceId: instance,
                protocols: offers.map { MemberProtocol(name: $0, metadata: [about]) })
            request.sessionTimeoutMs = 10_000
            request.rebalanceTimeoutMs = rebalance
            request.requiresKnownMemberId = version >= 4
            request.supportsSkippingAssignment = version >= 9
            return machine.join(request, token: token, now: now).map(Self.text)
        case .sync(let id, let generation, let instance, let assigns, let name):
            let request = SyncRequest(
                memberId: id, instanceId: instance, generation: generation, protocolName: name,
                assignments: assigns.mapValues { [$0] })
            return machine.sync(request, token: token, now: now).map(Self.text)
        case .beat(let id, let generation, let instance):
            return [Self.text(machine.heartbeat(memberId: id, instanceId: instance, generation: generation, now: now))]
        case .leave(let leaving):
            let (errors, effects) = machine.leave(leaving, now: now)
            return errors.map(Self.text) + effects.map(Self.text)
        case .commit(let id, let generation, let instance, let transactional):
            do throws(CoordinationError) {
                try machine.admitCommit(
                    memberId: id, instanceId: instance, generation: generation, isTransactional: transactional,
                    now: now)
                return ["ok"]
            } catch {
                return [Self.text(error)]
            }
        case .drop(let token):
            machine.drop(token)
            return []
        case .at(let time):
            now = time
            return machine.advance(now: now).map(Self.text)
        case .state(let state):
            return machine.state == state ? [] : ["\(machine.state)"]
        }
    }

    static func text(_ error: CoordinationError?) -> String { error.map { "\($0)" } ?? "ok" }

    static func text(_ effect: GroupEffect) -> String {
        switch effect {
        case .store(let record):
            let members = record.value?.members.map { "\($0.memberId):\($0.assignment.first ?? 0)" } ?? ["gone"]
            return "store g\(record.value?.generation ?? -1) \(members.joined(separator: " "))"
        case .joined(let token, let answer):
            if let error = answer.error { return "#\(token) \(error) \(answer.memberId)" }
            let members = answer.members.isEmpty ? "" : " of " + answer.members.map(\.memberId).joined(separator: " ")
            return "#\(token) \(answer.memberId) in g\(answer.generation) \(answer.protocolName ?? "?")"
                + " led by \(answer.leader)\(members)\(answer.skipsAssignment ? " skip" : "")"
        case .synced(let token, let answer):
            return "#\(token) " + (answer.error.map { "\($0)" } ?? "gets \(answer.assignment.first ?? 0)")
        }
    }
}

extension GroupSettings {
    /// Without the initial delay.
    static var immediate: GroupSettings {
        var settings = GroupSettings()
        settings.initialRebalanceDelayMs = 0
        return settings
    }
}
