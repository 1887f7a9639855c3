public import StreamCore

extension DStream {
    /// Writes one record for each element, in the batch's transaction.
    ///
    /// The order in which a task saw its elements is kept in each partition of the output. On a stream of pairs the
    /// closure may take key and value:
    ///
    ///     counts.saveToKafka("counts") { word, count in Record(key: word, value: "\(count)") }
    public func saveToKafka(_ topic: TopicName, _ encode: @escaping @Sendable (Element) throws -> Record) {
        save(topic) { writer in { element in try writer.write(encode(element)) } }
    }

    /// Writes any number of records for each element, in the batch's transaction.
    public func saveToKafka(_ topic: TopicName, _ encode: @escaping @Sendable (Element) throws -> [Record]) {
        save(topic) { writer in
            { element in
                for record in try encode(element) { try writer.write(record) }
            }
        }
    }

    /// Runs code over the whole batch, also an empty one, after the batch is computed and before it is committed.
    ///
    /// Outputs of a batch run in the order in which they were registered (several at once with
    /// `StreamingOptions.concurrentOutputsMax`), on a thread that they may block. What the
    /// batch covers is made durable first: should the process die, the same batch runs again with the same
    /// `BatchInfo`, so an effect outside Kafka counts exactly once if it is stored under `info.epoch`. A throw
    /// stops the query without a commit. The query gets an owner.
    public func foreachBatch(_ body: @escaping @Sendable (Batch<Element>, BatchInfo) throws -> Void)
    where Element: Sendable {
        gather(limit: nil) { elements, info in try body(Batch(elements), info) }
    }

    /// `foreachBatch` for code that takes an array.
    @_disfavoredOverload
    public func foreachBatch(_ body: @escaping @Sendable ([Element], BatchInfo) throws -> Void)
    where Element: Sendable {
        gather(limit: nil, body)
    }

    /// Prints the first elements of each batch to standard output, in Spark's layout; pairs as `(hello,1)`.
    public func print(count: Int = 10) where Element: Sendable {
        let count = max(0, count)
        let context = context
        gather(limit: count < .max ? count + 1 : count) { batch, info in
            context.printer(PrintedBatch.text(batch, count: count, batchTimeMs: info.batchTimeMs))
        }
    }

    // MARK: - Private

    private func save(_ topic: TopicName, _ makePush: @escaping @Sendable (RecordWriter) -> Push<Element>) {
        let node = context.addNode(using: [node])
        context.addOutput(
            Output(node: node, level: level, topic: topic, isUserCode: false) { builder in
                let writer = RecordWriter(topic: topic, scope: builder.scope)
                if connect(builder, makePush(writer)) { builder.add(writer, node: node) }
            })
    }

    /// Brings at most `limit` elements of each task together and runs the body with them.
    private func gather(limit: Int?, _ body: @escaping @Sendable ([Element], BatchInfo) throws -> Void)
    where Element: Sendable {
        let node = context.addNode(using: [node], runsInEmptyBatches: true)
        context.addOutput(
            Output(node: node, level: level, topic: nil, isUserCode: true) { builder in
                if builder.level == builder.lastLevel {
                    builder.add(GatherReader(body: body), node: node)
                } else {
                    let writer = GatherWriter<Element>(
                        node: node, level: builder.lastLevel, limit: limit, scope: builder.scope)
                    if connect(builder, writer.push) { builder.add(writer, node: node) }
                }
            })
    }
}

/// What a batch is, for output code.
public struct BatchInfo: Sendable, Hashable {
    /// The batch's number: rises by one, stays the same when the batch is repeated.
    public var epoch: Epoch
    /// The end of the batch's interval, in milliseconds since 1970-01-01 UTC.
    public var batchTimeMs: Int64
    /// The offsets that the batch covers, by split; empty for an empty batch.
    public var ranges: [SplitRange]
    /// An earlier attempt with the same data may have had effects outside.
    public var isReplay: Bool
}

/// Spark's layout of a printed batch.
enum PrintedBatch {
    static func text<Element>(_ batch: [Element], count: Int, batchTimeMs: Int64) -> String {
        let rule = String(repeating: "-", count: 43)
        var lines = [rule, "Time: \(batchTimeMs) ms", rule]
        lines += batch.prefix(count).map(describe)
        if batch.count > count { lines.append("...") }
        return lines.joined(separator: "\n") + "\n\n"
    }

    /// Tuples as Spark shows them: no labels, no quotes, no spaces.
    static func describe<Element>(_ element: Element) -> String {
        let mirror = Mirror(reflecting: element)
        guard mirror.displayStyle == .tuple else { return "\(element)" }
        return "(" + mirror.children.map { "\($0.value)" }.joined(separator: ",") + ")"
    }
}
