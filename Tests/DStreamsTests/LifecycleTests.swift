import DStreams
import StreamCore
import StreamEngine
import Synchronization
import Testing

/// Opens scripted ports; the query then runs on its own threads. What the writer changes of the script, the input
/// never reads.
private struct ScriptedPorts: QueryPortSource {
    let records: [String]
    let opened: Seen<QueryNeeds>

    func open(_ needs: QueryNeeds, log: any LogHandler, until stop: StopRequest) throws -> QueryPorts? {
        opened.append(needs)
        let kafka = ScriptedKafka()
        for topic in needs.inputTopics { kafka.makeTopic(topic, partitions: 2) }
        kafka.append("in", records)
        return QueryPorts(input: ScriptedInput(kafka, recordsPerBlock: 10), writer: ScriptedWriter(kafka))
    }
}

/// Never comes up: as a cluster that is away.
private struct UnreachablePorts: QueryPortSource {
    let attempts: Seen<Int>

    func open(_ needs: QueryNeeds, log: any LogHandler, until stop: StopRequest) throws -> QueryPorts? {
        while !stop.isRequested {
            attempts.append(1)
            _ = stop.wait(for: .milliseconds(5))
        }
        return nil
    }
}

@Suite(.timeLimit(.minutes(1))) struct LifecycleTests {
    private func context(_ ports: some QueryPortSource, _ options: StreamingOptions? = nil) -> StreamingContext {
        var chosen = options ?? StreamingOptions()
        chosen.start = .earliest
        return StreamingContext(query: "life", batchInterval: .milliseconds(20), ports: ports, options: chosen)
    }

    private func refusal(_ build: (StreamingContext) -> Void, query: String = "life", interval: Duration = .seconds(1))
        -> StreamError?
    {
        let context = StreamingContext(query: query, batchInterval: interval, ports: NoPorts())
        build(context)
        do {
            try context.start()
            return nil
        } catch {
            return error as? StreamError
        }
    }

    @Test func nothingRegisteredIsAnError() async throws {
        let context = StreamingContext(query: "life", batchInterval: .seconds(1), ports: NoPorts())
        _ = context.kafkaStream(topics: ["in"]).map { $0.text }
        let error = await #expect(throws: StreamError.self) { try await context.run() }
        #expect(error?.code == "NO_OUTPUT")
        #expect(error?.message.hasPrefix("No output operations registered") == true)
    }

    @Test func settingsThatCannotWorkAreRefused() {
        let save: (StreamingContext) -> Void = {
            $0.kafkaStream(topics: ["in"]).saveToKafka("out") { Record(value: $0.value) }
        }
        #expect(refusal(save, interval: .zero)?.code == "BATCH_INTERVAL")
        #expect(refusal(save, query: "")?.code == "QUERY_NAME")
        #expect(refusal(save, query: "a b")?.code == "QUERY_NAME")
        #expect(
            refusal { $0.kafkaStream(topics: ["in"]).saveToKafka("") { Record(value: $0.text) } }?.code == "TOPIC_NAME")
        #expect(refusal { $0.kafkaStream(topics: []).print() }?.code == "NO_SOURCE")
    }

    @Test func runsUntilItIsStopped() async throws {
        let opened = Seen<QueryNeeds>()
        let context = context(ScriptedPorts(records: ["a b", "b"], opened: opened))
        let counted = Seen<[String]>()
        context.kafkaStream(topics: ["in"])
            .flatMap { $0.text.split(separator: " ").map(String.init) }
            .map { ($0, 1) }
            .reduceByKey(+)
            .foreachBatch { [weak context] batch, _ in
                guard !batch.isEmpty else { return }
                counted.append(batch.map { "\($0.0)=\($0.1)" }.sorted())
                context?.stop()
            }
        try await context.run()
        #expect(counted.all == [["a=1", "b=2"]])
        #expect(context.status?.isFinished == true)
        #expect(context.status?.totals.isBalanced == true)
        let needs = try #require(opened.all.first)
        #expect(needs.isOwned)
        #expect(needs.inputTopics == ["in"])
        #expect(needs.outputTopics == [])
    }

    @Test func whatItNeedsIsSaidBeforehand() async throws {
        let opened = Seen<QueryNeeds>()
        var options = StreamingOptions()
        options.errors = .deadLetter("dlq")
        let context = context(ScriptedPorts(records: [], opened: opened), options)
        context.stop()
        context.kafkaStream(topics: ["in", "more"]).saveToKafka("out") { Record(value: $0.value) }
        _ = context.kafkaStream(topics: ["unused"])
        try await context.run()
        let needs = try #require(opened.all.first)
        #expect(!needs.isOwned)
        #expect(needs.inputTopics == ["in", "more"])
        #expect(needs.outputTopics == ["dlq", "out"])
    }

    @Test func aFailureIsThrown() async {
        struct Broken: Error {}
        let context = context(ScriptedPorts(records: ["a"], opened: Seen()))
        context.kafkaStream(topics: ["in"]).map { _ -> String in throw Broken() }.saveToKafka("out") {
            Record(value: $0)
        }
        let error = await #expect(throws: StreamError.self) { try await context.run() }
        #expect(error?.code == "USER_CODE_FAILED")
        let again = await #expect(throws: StreamError.self) { try await context.awaitTermination() }
        #expect(again?.code == "USER_CODE_FAILED")
    }

    @Test func portsThatCannotOpenEndTheRun() async {
        let context = StreamingContext(query: "life", batchInterval: .seconds(1), ports: NoPorts())
        context.kafkaStream(topics: ["in"]).print()
        let error = await #expect(throws: StreamError.self) { try await context.run() }
        #expect(error?.code == "NO_PORTS")
    }

    @Test func cancellationStopsAtOnce() async {
        let attempts = Seen<Int>()
        let context = context(UnreachablePorts(attempts: attempts))
        context.kafkaStream(topics: ["in"]).print()
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await context.run() }
                while attempts.all.isEmpty { await Task.yield() }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test func aStopEndsTheWaitForACluster() async throws {
        let attempts = Seen<Int>()
        let context = context(UnreachablePorts(attempts: attempts))
        context.kafkaStream(topics: ["in"]).print()
        try context.start()
        while attempts.all.count < 3 { await Task.yield() }
        context.stop()
        try await context.awaitTermination()
    }

    @Test func aContextRunsOnce() throws {
        let context = context(ScriptedPorts(records: [], opened: Seen()))
        context.kafkaStream(topics: ["in"]).print()
        context.printer = { _ in }
        try context.start()
        let error = #expect(throws: StreamError.self) { try context.start() }
        #expect(error?.code == "ALREADY_STARTED")
        context.stop(graceful: false)
    }

    @Test func theStateOnlyMovesOn() async throws {
        let attempts = Seen<Int>()
        let context = context(UnreachablePorts(attempts: attempts))
        context.kafkaStream(topics: ["in"]).print()
        #expect(context.state == .initialized)
        try context.start()
        #expect(context.state == .active)
        #expect(try await !context.awaitTerminationOrTimeout(.milliseconds(1)))
        #expect(try await !context.awaitTerminationOrTimeout(.seconds(-1)))
        #expect(context.state == .active, "a time-out ends nothing")
        async let isOver = context.awaitTerminationOrTimeout(.seconds(3600))
        context.stop()
        #expect(try await isOver)
        #expect(context.state == .stopped)
        #expect(try await context.awaitTerminationOrTimeout(.zero))
    }

    @Test func aTimedWaitThrowsTheFailure() async throws {
        let context = context(ScriptedPorts(records: ["a"], opened: Seen()))
        context.kafkaStream(topics: ["in"]).map { _ -> String in throw Refused() }.saveToKafka("out") {
            Record(value: $0)
        }
        try context.start()
        let error = await #expect(throws: StreamError.self) {
            try await context.awaitTerminationOrTimeout(.seconds(3600))
        }
        #expect(error?.code == "USER_CODE_FAILED")
        #expect(context.state == .stopped)
    }

    @Test func missingBrokersAreNamed() async {
        var options = StreamingOptions()
        options.stateFolder = nil
        let context = StreamingContext(
            query: "life", batchInterval: .seconds(1), kafka: KafkaSettings(brokers: []), options: options)
        context.kafkaStream(topics: ["in"]).print()
        let error = await #expect(throws: StreamError.self) { try await context.run() }
        #expect(error?.code == "KAFKA_SETTINGS")
    }
}
