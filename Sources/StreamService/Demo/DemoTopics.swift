import ConnectorKit
import KafkaClient
import KafkaConnector
import StreamCore
import StreamEngine

/// Makes the topics of a demo, and tells where its output begins.
struct DemoTopics {
    private static let partitions = 4

    let plan: DemoPlan

    /// The query's own topics, which a pipeline creates itself where it may.
    private var ownTopics: [NewTopic] {
        ClusterPreparation(config: plan.config, log: NullLog()).internalTopics
    }

    func create(in mock: MockCluster) throws(KafkaError) {
        for topic in plan.dataTopics { try mock.createTopic(topic, partitions: Self.partitions) }
        for topic in ownTopics where !plan.dataTopics.contains(topic.name) {
            try mock.createTopic(topic.name, partitions: topic.partitions)
        }
    }

    /// Creates what is missing on a real cluster.
    /// - Returns: the topics that were created.
    func create(with admin: Admin) throws(KafkaError) -> Set<TopicName> {
        var topics = plan.dataTopics.map { NewTopic($0, partitions: Self.partitions) }
        topics += ownTopics.filter { !plan.dataTopics.contains($0.name) }
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
