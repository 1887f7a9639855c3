import CommitProtocol
import StateStore
package import StreamCore
package import StreamEngine

/// A graph made ready for the engine: its stages, its options and what it needs from the outside.
package struct QueryPlan: Sendable {
    package let options: QueryOptions
    package private(set) var needs: QueryNeeds
    package let stateShares: StateShares
    /// Operators with state, counted in each task.
    package private(set) var stateCount = 0
    private let graph: StreamGraph
    private let taskCounts: [Int]
    private let useCounts: [Int]
    private let faultHandler: FaultHandler

    /// - Throws: `NO_OUTPUT`, `BATCH_INTERVAL`, `QUERY_NAME`, `TOPIC_NAME`, `UNUSED_STREAM`.
    init(
        _ graph: StreamGraph, query: QueryName, batchInterval: Duration, _ settings: StreamingOptions, cores: Int,
        _ sourceSettings: SourceSettings
    ) throws {
        try Self.check(graph, query, batchInterval, settings)
        let needed = graph.neededNodes
        let nodes = needed.map { graph.nodes[$0] }
        let sources = nodes.compactMap(\.source).sorted { $0.name < $1.name }
        let hasUserCode = graph.outputs.contains { $0.isUserCode }
        var options = QueryOptions(name: query)
        options.guarantee = settings.guarantee
        options.trigger = .interval(batchInterval)
        options.isOwned = hasUserCode || nodes.contains { $0.isShuffle || $0.isStateful } || !sources.isEmpty
        // What is kept over batches depends on each of them, and on no time having two.
        options.runsEveryInterval = nodes.contains(where: \.isStateful)
        options.runsEmptyEpochs = nodes.contains { $0.runsInEmptyBatches }
        options.defaultStart = settings.start
        options.starts = settings.starts
        options.continuesOnDataLoss = settings.continuesOnDataLoss
        options.offsetsPerTriggerMax = settings.offsetsPerBatchMax
        options.ratePerSplitMax = settings.ratePerPartitionMax
        options.backpressure = settings.backpressure
        stateShares = StateShares(total: settings.memoryBytes)
        let hasState = nodes.contains(where: \.isStateful)
        options.memoryBytes = hasState ? stateShares.queryBytes : settings.memoryBytes
        options.taskCount = settings.taskCount
        options.faultCeiling = settings.errorCeiling
        self.options = options

        let layout = ShardLayout()
        let wanted = settings.taskCount ?? StreamQuery.defaultTaskCount(cores: cores)
        // More tasks than shards would have nothing to do.
        let tasks = max(1, min(wanted, layout.shards))
        let lastLevel = graph.outputs.map(\.level).max() ?? 0
        var taskCounts = [Int](repeating: tasks, count: lastLevel + 1)
        // User output code gets the whole batch: one more stage, of one task, brings it together.
        if hasUserCode { taskCounts.append(1) }
        self.taskCounts = taskCounts
        self.graph = graph
        useCounts = Self.useCounts(graph, needed)
        faultHandler = FaultHandler(policy: settings.errors, query: query)
        var outputTopics = Set(graph.outputs.compactMap(\.topic))
        if case .deadLetter(let topic) = settings.errors { outputTopics.insert(topic) }
        needs = QueryNeeds(
            query: query, inputTopics: Set(nodes.flatMap(\.topics)).sorted(), outputTopics: outputTopics.sorted(),
            isOwned: options.isOwned, guarantee: settings.guarantee, stateFolder: settings.stateFolder,
            memoryBytes: options.memoryBytes, createsTopics: settings.createsTopics)
        needs.readsHeaders = settings.readsHeaders || settings.errors.keepsHeaders
        let changelogs = changelogs(layout)
        if let wrong = changelogs.joined().first(where: { !Self.isTopicName($0.text) }) {
            throw StreamError(
                "STATE_NAME", "'\(wrong)' cannot be the name of a topic.",
                remedy:
                    "Name stateful operators with A-Z, a-z, 0-9, '.', '_' and '-': their changelogs are named after "
                    + "them.", domain: .user)
        }
        needs.changelogs = changelogs.joined().sorted().map { ChangelogNeed(topic: $0, partitions: layout.partitions) }
        stateCount = zip(changelogs, taskCounts).reduce(0) { $0 + $1.0.count * $1.1 }
        var sourceSettings = sourceSettings
        sourceSettings.hasLastingProgress = sourceSettings.hasLastingProgress || needs.usesKafka
        let settled = sourceSettings
        for source in sources { try source.check(settled) }
        needs.inputs = sources.map { source in
            NamedInput(name: source.name) { LocalInput(source.name, source.makeLog(settled), settled) }
        }
    }

    /// Every stage, for the engine. The programs of its tasks are put together afresh.
    package func stages(clock: any EngineClock) -> [Stage] { stages(StateSetup(query: options.name, clock: clock)) }

    func stages(_ setup: StateSetup) -> [Stage] {
        taskCounts.indices.map { level in
            Stage(taskCount: taskCounts[level]) { task in makeProgram(level: level, task: task, setup) }
        }
    }

    /// Found by putting one program of each stage together: where a stream comes up is known only then.
    /// - Returns: the topics by stage.
    private func changelogs(_ layout: ShardLayout) -> [[TopicName]] {
        let setup = StateSetup(query: options.name, layout: layout, clock: SystemClock())
        let programs = taskCounts.indices.map { makeProgram(level: $0, task: 0, setup) }
        return programs.map(\.changelogTopics)
    }

    private func makeProgram(level: Int, task: Int, _ setup: StateSetup) -> StageProgram {
        let builder = StageBuilder(
            level: level, task: task, taskCounts: taskCounts, useCounts: useCounts,
            isUndoable: faultHandler.policy != .fail, stateSetup: setup)
        for output in graph.outputs { output.attach(builder) }
        return StageProgram(builder, faultHandler: faultHandler)
    }

    /// How often the needed part of the graph uses each node; what leads to no output does not count.
    private static func useCounts(_ graph: StreamGraph, _ needed: Set<Int>) -> [Int] {
        var counts = [Int](repeating: 0, count: graph.nodes.count)
        for node in needed {
            for parent in graph.nodes[node].parents { counts[parent] += 1 }
        }
        return counts
    }

    private static func check(
        _ graph: StreamGraph, _ query: QueryName, _ batchInterval: Duration, _ settings: StreamingOptions
    ) throws {
        func refuse(_ code: StreamError.Code, _ message: String, _ remedy: String) -> StreamError {
            StreamError(code, message, remedy: remedy, domain: .user)
        }
        if let problem = graph.problems.first { throw problem }
        if graph.outputs.isEmpty {
            throw refuse(
                "NO_OUTPUT", "No output operations registered, so nothing to execute.",
                "End a stream with saveToKafka, foreachBatch or print before the context runs.")
        }
        if settings.guarantee == .atLeastOnce, graph.neededNodes.contains(where: { graph.nodes[$0].isStateful }) {
            throw refuse(
                "STATE_GUARANTEE", "'\(query)' keeps state and asks for at-least-once.",
                "State needs exactly-once: what a failed batch has left in a changelog would be taken for state.")
        }
        if batchInterval < .milliseconds(1) {
            throw refuse(
                "BATCH_INTERVAL", "The batch interval of '\(query)' is \(batchInterval).",
                "Give it a millisecond at least.")
        }
        if !isTopicName(query.text) {
            throw refuse(
                "QUERY_NAME", "'\(query)' cannot be a query's name.",
                "Use 1 to 200 of A-Z, a-z, 0-9, '.', '_' and '-': topics and groups in Kafka are named after it.")
        }
        let folders = graph.outputs.compactMap(\.folder)
        if let twice = folders.first(where: { folder in folders.filter { $0 == folder }.count > 1 }) {
            throw refuse(
                "DUPLICATE_OUTPUT", "Two outputs of '\(query)' write to the same folders, such as '\(twice)'.",
                "Give them different prefixes or suffixes.")
        }
        // Expressions were looked at before.
        let named = graph.nodes.flatMap(\.topics).filter { !TopicSelection.isExpression($0.text) }
        var topics = named + graph.outputs.compactMap(\.topic)
        if case .deadLetter(let topic) = settings.errors { topics.append(topic) }
        if let wrong = topics.first(where: { !isTopicName($0.text) }) {
            throw refuse(
                "TOPIC_NAME", "'\(wrong)' cannot be the name of a topic.",
                "Kafka takes A-Z, a-z, 0-9, '.', '_' and '-', 249 at most.")
        }
        if graph.neededNodes.allSatisfy({ graph.nodes[$0].topics.isEmpty && graph.nodes[$0].source == nil }) {
            throw refuse(
                "NO_SOURCE", "'\(query)' has outputs but reads no topic.",
                "Name a topic in kafkaStream(topics:), or use another source.")
        }
    }

    private static func isTopicName(_ text: String) -> Bool {
        let isLegal = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
        return isLegal && (1...249).contains(text.utf8.count) && text != "." && text != ".."
    }
}
