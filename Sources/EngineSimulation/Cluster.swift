import CommitProtocol
import StreamCore
import StreamTesting

/// Which Kafka the instances of a query run on.
package enum ClusterKind: String, CaseIterable, Sendable {
    /// A model of what the commit protocol rests on (`SimulatedCluster`): fast.
    case model
    /// The machine of the embedded broker, spoken to in Kafka's requests.
    case broker
}

/// The Kafka of a world: what the instances use, and what it shows to a reader.
protocol Cluster: AnyObject {
    /// What moves by itself, beside the clients of the instances.
    var actors: [any WorldActor] { get }
    /// A commit was decided: what it makes visible, in the order in which it was written.
    var onCommit: (EpochCommit, [SimulatedCluster.Output]) -> Void { get set }
    /// Something was allowed that must not be.
    var onViolation: (Violation) -> Void { get set }

    /// The records of every split so far; nil is a transaction marker, which takes an offset but is no record.
    var input: [Split: [String?]] { get }
    /// The group's committed offsets.
    var positions: [Split: Position] { get }
    /// Whether no transaction is open whose end may still change something.
    var isSettled: Bool { get }
    /// Commits that were carried out when nobody waited for them any more.
    var lateCommitCount: Int { get }
    /// What went wrong by itself, by kind.
    var counts: [String: Int] { get }

    func append(_ values: [String?], to split: Split)

    /// The ports of a process that starts.
    func connect(_ process: ClusterProcess) -> any ClusterPorts
    /// The process is gone.
    func disconnect(_ ports: any ClusterPorts, requestArrives: Bool)
    /// The process sleeps, and another one is about to start with its identity.
    func suspend(_ ports: any ClusterPorts)
    /// A fault that befalls a process from the side of the cluster.
    func apply(_ fault: Fault, to ports: any ClusterPorts)
    func stopBrokers()
    func startBrokers()
    /// From here on nothing goes wrong by itself.
    func calmDown()

    /// The values that a read_committed reader finds in the output topics.
    func readOutputs() throws -> [String]
    /// What it finds in the changelogs, by offset; nil is nothing.
    func readChangelogs() throws -> [Split: [SimulatedCluster.Change?]]
}

/// Who connects to a cluster.
struct ClusterProcess {
    /// The identity, which outlives the process.
    var slot: Int
    /// The process's own.
    var number: Int
    var seed: UInt64
}

/// What one process reads and writes through.
protocol ClusterPorts: AnyObject {
    var input: any InputPort { get }
    var writer: any TransactionPort { get }
    var changelog: (any ChangelogPort)? { get }
    /// All that moves of it.
    var parts: ClusterParts { get }
    /// Whether the driver has closed the input: the last thing it does.
    var isClosed: Bool { get }
    /// For reports of what has come to a stop.
    var summary: String { get }
    /// Transaction faults that have happened.
    var faultCounts: [SimulatedWriter.Fault: Int] { get }
    /// What the writer answered instead of what it was asked for.
    var failures: [TransactionFailure.Kind: Int] { get }
}

extension ClusterPorts {
    var actors: [any WorldActor] { parts.all }
}

/// What moves of one process on its cluster.
struct ClusterParts {
    var records: any WorldActor
    var writer: any WorldActor
    /// Of a query with an owner.
    var membership: (any WorldActor)?
    var changelog: (any WorldActor)?

    var all: [any WorldActor] { [records, writer] + [membership, changelog].compactMap { $0 } }

    subscript(part: Fault.Part) -> (any WorldActor)? {
        switch part {
        case .writer: writer
        case .input: membership ?? records
        case .changelog: changelog
        case .driver, .task, .committer: nil
        }
    }
}
