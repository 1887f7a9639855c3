import DStreams
import EmbeddedKafka
import StreamCore
import StreamEngine
import Testing

/// Programs on Kafka's client and a broker inside this process, as their users test them.
@Suite struct EmbeddedKafkaTests {
    private let folder = TempFolder()

    private func makeContext(_ query: String, _ kafka: EmbeddedKafka) -> StreamingContext {
        var options = StreamingOptions()
        options.stateFolder = folder.path + "/state"
        options.start = .earliest
        options.taskCount = 2
        return StreamingContext(
            query: query, batchInterval: .milliseconds(50), kafka: KafkaSettings(brokers: kafka.brokers),
            options: options)
    }

    private func write(_ lines: [String], _ kafka: EmbeddedKafka, query: String) async throws {
        let context = makeContext(query, kafka)
        context.queueStream([lines]).saveToKafka("lines") { Record(value: $0) }
        try context.start()
        #expect(waitUntil { context.status?.totals.read == lines.count })
        context.stop()
        try await context.awaitTermination()
    }

    /// Counts over all batches of one life, with the query's own state beyond it.
    private func count(_ kafka: EmbeddedKafka, until wanted: [String: Int]) async throws {
        let totals = Seen<(String, Int)>()
        let context = makeContext("counts", kafka)
        context.kafkaStream(topics: ["lines"])
            .flatMap { $0.text.split(separator: " ").map(String.init) }
            .map { ($0, 1) }
            .updateStateByKey { (ones: [Int], total: Int?) in (total ?? 0) + ones.reduce(0, +) }
            .foreachBatch { batch, _ in for pair in batch { totals.append(pair) } }
        try context.start()
        #expect(waitUntil { Dictionary(totals.all) { max($0, $1) } == wanted })
        context.stop()
        try await context.awaitTermination()
        #expect(Dictionary(totals.all) { max($0, $1) } == wanted)
    }

    @Test(.timeLimit(.minutes(1))) func aProgramRunsOnItAndGoesOnWithIt() async throws {
        let data = folder.path + "/kafka"
        var kafka = try EmbeddedKafka(folder: data, topics: ["lines": 2])
        try await write(["to be or", "not to be"], kafka, query: "first")
        try await count(kafka, until: ["to": 2, "be": 2, "or": 1, "not": 1])
        #expect(kafka.stop())

        kafka = try EmbeddedKafka(folder: data)
        try await write(["be"], kafka, query: "second")
        try await count(kafka, until: ["to": 2, "be": 3, "or": 1, "not": 1])
        #expect(kafka.stop())
    }

    @Test func aFolderHasOneBroker() throws {
        let kafka = try EmbeddedKafka(folder: folder.path + "/kafka")
        defer { kafka.stop() }
        #expect(kafka.brokers.count == 1 && kafka.brokers[0].hasPrefix("127.0.0.1:"))
        let error = #expect(throws: StreamError.self) { try EmbeddedKafka(folder: folder.path + "/kafka") }
        #expect(error?.code == "EMBEDDED_BROKER")
        #expect(error?.message.contains("another server uses this folder") == true)
    }
}
