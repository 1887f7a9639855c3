/// Receives the elements of a stream, one by one, inside a task.
public typealias Push<Element> = (Element) throws -> Void

/// A description of a stream of elements, computed batch by batch: Spark's DStream.
///
/// Nothing runs before the context does. Transformations give new descriptions; those that look at one element (`map`,
/// `filter`, `flatMap`, `mapValues`) are fused into one pass over the records, with no array between them. A stream
/// that is used more than once is computed once in each batch and its elements go to every use.
///
/// Closures run on several task threads at once, so they are `@Sendable`. They may throw: the record that the element
/// came from is then handled by the context's error policy, and none of its effects remain.
public struct DStream<Element>: Sendable {
    @usableFromInline let context: StreamingContext
    /// Rises from what is computed first to what is computed from it.
    @usableFromInline let node: Int
    /// The last stage in which elements of this stream come up: 0 behind a source, one more behind each shuffle.
    @usableFromInline let level: Int
    /// Adds to a stage's program what brings this stream's elements to `push`, and says whether any come up in that
    /// stage. Called at most once for each program.
    @usableFromInline let attach: @Sendable (StageBuilder, @escaping Push<Element>) -> Bool

    @usableFromInline
    init(
        _ context: StreamingContext, node: Int, level: Int,
        attach: @escaping @Sendable (StageBuilder, @escaping Push<Element>) -> Bool
    ) {
        self.context = context
        self.node = node
        self.level = level
        self.attach = attach
    }

    /// A stream that is computed from this one, in the same stages.
    @usableFromInline
    func derived<Out>(
        _ attach: @escaping @Sendable (StageBuilder, @escaping Push<Out>) -> Bool
    ) -> DStream<Out> {
        DStream<Out>(context, node: context.addNode(using: [node]), level: level, attach: attach)
    }

    /// Brings the elements to one more use. With several uses the first attaches and the others join it.
    /// - Returns: whether elements come up in this stage.
    @usableFromInline
    func connect(_ builder: StageBuilder, _ push: @escaping Push<Element>) -> Bool {
        guard builder.isShared(node) else { return attach(builder, push) }
        if let shared = builder.fanOut(of: node) as? FanOut<Element> {
            shared.uses.append(push)
            return shared.isLive
        }
        let shared = FanOut<Element>()
        shared.uses.append(push)
        builder.setFanOut(shared, of: node)
        shared.isLive = attach(builder) { element in
            for use in shared.uses { try use(element) }
        }
        return shared.isLive
    }
}

/// The uses of one stream in one program.
final class FanOut<Element> {
    var uses: [Push<Element>] = []
    var isLive = false
}
