public import KafkaClient
public import StreamCore
public import StreamEngine
import Synchronization

/// The entry to DStreams: sources, the interval of its batches, and the life of the query.
///
///     let context = StreamingContext(query: "words", batchInterval: .milliseconds(200), kafka: kafka)
///     context.kafkaStream(topics: ["lines"])
///         .flatMap { $0.text.split(separator: " ").map(String.init) }
///         .map { ($0, 1) }
///         .reduceByKey(+)
///         .saveToKafka("word-counts") { word, count in Record(key: word, value: "\(count)") }
///     try await context.run()
///
/// Everything of a batch, outputs and input offsets, commits in one Kafka transaction: each input record counts
/// exactly once. A batch covers what has arrived by the end of its interval; intervals end on multiples of their
/// length since 1970, as Spark's do. May be used from any thread; sources and operators are added before it is
/// started.
public final class StreamingContext: Sendable {
    public let query: QueryName
    public let batchInterval: Duration
    public let options: StreamingOptions
    let portSource: any QueryPortSource
    let clock: any EngineClock
    let graph = Mutex(StreamGraph())
    let life = Mutex(Lifecycle())
    let stopRequest: StopRequest
    let commits = CommitNotices()
    let listeners = StreamingListeners()
    private let printerHolder: Mutex<PrinterHolder>

    /// As in `Callback`: a mutex over a bare closure wraps it with every access.
    private struct PrinterHolder { var print: @Sendable (String) -> Void }

    /// A context over a Kafka cluster.
    /// - Parameters:
    ///   - query: the query's identity: group, transactional ids and internal topics are named after it.
    ///   - kafka: where the cluster is; nil: the brokers that the environment variable `MILLRACE_BROKERS` names.
    public convenience init(
        query: String, batchInterval: Duration, kafka: KafkaSettings? = nil,
        options: StreamingOptions = StreamingOptions()
    ) {
        self.init(query: query, batchInterval: batchInterval, ports: KafkaPorts(settings: kafka), options: options)
    }

    /// A context over ports of one's own: for tests, simulations and other transports.
    /// - Parameter query: the query's identity: group, transactional ids and internal topics are named after it.
    public init(
        query: String, batchInterval: Duration, ports: any QueryPortSource,
        options: StreamingOptions = StreamingOptions(),
        clock: any EngineClock = SystemClock()
    ) {
        self.query = QueryName(query)
        self.batchInterval = batchInterval
        self.options = options
        self.clock = clock
        portSource = ports
        stopRequest = StopRequest(clock: clock)
        printerHolder = Mutex(PrinterHolder(print: StandardOutput.write))
    }

    /// A context that goes on where the query of this name has come to, or begins: the answer to Spark's `getOrCreate`.
    ///
    /// Spark brings the whole program back from a checkpoint and passes the factory over, so that changed code cannot
    /// be recovered. Here the program is the code, and `build` always runs; what is found by the query's name is its
    /// progress and its state, when the context starts. Every context does that: this one only puts both in one call.
    public static func recovering(
        query: String, batchInterval: Duration, kafka: KafkaSettings? = nil,
        options: StreamingOptions = StreamingOptions(), _ build: (StreamingContext) throws -> Void
    ) rethrows -> StreamingContext {
        let context = StreamingContext(query: query, batchInterval: batchInterval, kafka: kafka, options: options)
        try build(context)
        return context
    }

    // MARK: - Sources

    /// The records of these topics. Partitions that are added to them later are read from their beginning.
    public func kafkaStream(topics: [TopicName]) -> DStream<KafkaRecord> {
        let names = Set(topics)
        let node = register(StreamGraph.Node(topics: names.sorted()))
        return DStream(self, node: node, level: 0) { builder, push in builder.addSource(names, push) }
    }

    /// The records of all topics whose whole name matches an expression, also of those that come later: these are read
    /// from their beginning.
    /// - Parameter pattern: a POSIX extended regular expression, such as `orders-.*`. Kafka's own topics, which begin
    ///   with `__`, never match.
    public func kafkaStream(topicsPattern pattern: String) -> DStream<KafkaRecord> {
        let expression = TopicSelection.expression(forWhole: pattern)
        let selection: TopicSelection?
        do throws(KafkaError) {
            selection = try TopicSelection([expression])
        } catch {
            selection = nil
            graph.withLock { $0.problems.append(error.streamError) }
        }
        let node = register(StreamGraph.Node(topics: [TopicName(expression)]))
        return DStream(self, node: node, level: 0) { builder, push in
            builder.addSource(taking: { selection?.contains($0) ?? false }, push)
        }
    }

    // MARK: - Listeners

    /// Calls `listener` after each committed batch that read or computed something: Spark's `onBatchCompleted`.
    /// It runs on the committer's thread: it must be quick and must not block.
    public func onBatchCompleted(_ listener: @escaping @Sendable (EpochProgress) -> Void) {
        listeners.add(BatchListener(body: listener))
    }

    /// Adds one that hears of everything: Spark's `addStreamingListener`. At any time.
    public func addListener(_ listener: some StreamingListener) { listeners.add(listener) }

    func report(_ progress: EpochProgress) {
        commits.committed(progress.ranges)
        listeners.tell { $0.onBatchCompleted(progress) }
    }

    /// Where `print` writes to: standard output, unless set.
    public var printer: @Sendable (String) -> Void {
        get { printerHolder.withLock { $0.print } }
        set { printerHolder.withLock { $0.print = newValue } }
    }

    // MARK: - The graph

    @usableFromInline
    func addNode(using parents: [Int]) -> Int { register(StreamGraph.Node(parents: parents)) }

    @usableFromInline
    func addNode(using parents: [Int], isShuffle: Bool = false, runsInEmptyBatches: Bool = false) -> Int {
        register(StreamGraph.Node(parents: parents, isShuffle: isShuffle, runsInEmptyBatches: runsInEmptyBatches))
    }

    var batchMs: Int64 { max(1, batchInterval.nanoseconds / 1_000_000) }

    func addState(
        using parents: [Int], kind: String, name: String?, runsInEmptyBatches: Bool
    ) -> (node: Int, id: OperatorID) {
        requireNotStarted()
        let node = StreamGraph.Node(parents: parents, runsInEmptyBatches: runsInEmptyBatches)
        return graph.withLock { $0.addState(node, kind: kind, name: name) }
    }

    /// - Returns: the window's place, and its span; one that does not fit its stream is told of when the context
    ///   starts.
    func addWindow(
        over parent: Int, kind: String, name: String?, length: Duration, slide: Duration?
    ) -> (node: Int, id: OperatorID, span: WindowSpan) {
        requireNotStarted()
        let batchMs = batchMs
        return graph.withLock { graph in
            let parentMs = graph.slide(of: parent, batchMs: batchMs)
            var span = WindowSpan(
                lengthMs: length.nanoseconds / 1_000_000, slideMs: slide.map { $0.nanoseconds / 1_000_000 } ?? parentMs)
            if let problem = span.problem(parentSlideMs: parentMs) {
                graph.problems.append(problem)
                span = WindowSpan(lengthMs: parentMs, slideMs: parentMs)
            }
            let node = StreamGraph.Node(parents: [parent], slideMs: span.slideMs, runsInEmptyBatches: true)
            let added = graph.addState(node, kind: kind, name: name)
            return (added.node, added.id, span)
        }
    }
    func addSource(_ source: some LocalSource) -> Int { register(StreamGraph.Node(source: source)) }

    func addOutput(_ output: Output) {
        requireNotStarted()
        graph.withLock { $0.outputs.append(output) }
    }

    private func register(_ node: StreamGraph.Node) -> Int {
        requireNotStarted()
        return graph.withLock { $0.addNode(node) }
    }

    private func requireNotStarted() {
        let isStarted = life.withLock { $0.phase != .building }
        precondition(
            !isStarted, "sources, transformations and output operations are added before the streaming context starts")
    }
}
