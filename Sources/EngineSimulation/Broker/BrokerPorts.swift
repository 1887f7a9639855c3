import CommitProtocol
import StreamCore
import StreamEngine
import StreamTesting

/// The ports of a process on the broker.
final class BrokerPorts: ClusterPorts {
    let client: ClientID
    let member: GroupMember
    let transactions: BrokerWriter
    private let network: SimulatedNetwork
    private let records: BrokerInput
    private let membership: BrokerMembership?
    private let changes: BrokerChangelog?
    let input: any InputPort

    init(
        _ network: SimulatedNetwork, _ client: ClientID, member: GroupMember, isOwned: Bool,
        options: BrokerWriter.Options, seed: UInt64
    ) {
        self.network = network
        self.client = client
        self.member = member
        transactions = BrokerWriter(options, network, client, member: member, seed: seed &* 31)
        let records = BrokerInput("in", network, client, member: isOwned ? nil : member, seed: seed)
        self.records = records
        membership = isOwned ? BrokerMembership(member) : nil
        changes = isOwned ? BrokerChangelog(network, client, seed: seed &* 17) : nil
        input = membership.map { OwnedInput(membership: $0, sources: [records]) } ?? records
    }

    var writer: any TransactionPort { transactions }
    var changelog: (any ChangelogPort)? { changes }
    var parts: ClusterParts {
        ClusterParts(records: records, writer: transactions, membership: membership, changelog: changes)
    }
    var isClosed: Bool { records.isClosed }
    var faultCounts: [SimulatedWriter.Fault: Int] { network.faultCounts[client] ?? [:] }
    var failures: [TransactionFailure.Kind: Int] { transactions.failures }

    var summary: String { "writer: \(transactions.connection.summary); member: \(member.summary)" }

    func die(requestArrives: Bool) {
        transactions.die(requestArrives: requestArrives)
        records.die(requestArrives: requestArrives)
        member.die(requestArrives: requestArrives)
        changes?.die(requestArrives: requestArrives)
    }
}
