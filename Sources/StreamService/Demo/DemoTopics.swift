import ConnectorKit
import KafkaClient
import KafkaConnector
import StreamCore
import StreamEngine

/// Makes the topics of a demo, and tells where its output begins.
struct DemoTopics {
    private static let partitions = 4
    /// By size alone: a run may come weeks after the one before, and must find what that one had not read.
    private static let localConfig = ["retention.ms": "-1", "retention.bytes": "67108864"]

    let plan: DemoPlan
    /// Whether they are the demo's own, which must not fill the disk.
    let isLocal: Bool

    /// The query's own topics, which a pipeline creates itself where it may.
    private var ownTopics: [NewTopic] {
        ClusterPreparation(config: plan.config, log: NullLog()).internalTopics
    }

    /// Creates what is missing.
    /// - Returns: the topics that were created.
    func create(with admin: Admin) throws(KafkaError) -> Set<TopicName> {
        var topics = plan.config.dataTopics.map {
            NewTopic($0, partitions: Self.partitions, config: isLocal ? Self.localConfig : [:])
        }
        topics += ownTopics.filter { !plan.config.dataTopics.contains($0.name) }
        return try admin.create(topics)
    }

    /// The ends of the output and of the dead letters: what lies behind them comes from this demo.
    /// - Throws: what the cluster says after ten seconds; new topics take a moment to be known everywhere.
    func ends(with admin: Admin) throws(KafkaError) -> [Split: Position] {
        let clock = SystemClock()
        let deadline = clock.now + .seconds(10)
        let watched = [plan.output] + (plan.config.errors.topic.map { [$0] } ?? [])
        let never = Signal()
        while true {
            do throws(KafkaError) {
                return try ends(of: watched, with: admin)
            } catch {
                guard error.code.isPassing, clock.now < deadline else { throw error }
                never.wait(until: clock.now + .milliseconds(100))
            }
        }
    }

    private func ends(of topics: [TopicName], with admin: Admin) throws(KafkaError) -> [Split: Position] {
        var starts: [Split: StartPosition] = [:]
        for topic in try admin.describe(topics) {
            if let error = topic.error { throw error }
            for number in 0..<Int32(clamping: topic.partitionCount) {
                starts[Split(topic.name, PartitionID(number))] = .latest
            }
        }
        return try admin.positions(starts)
    }
}
