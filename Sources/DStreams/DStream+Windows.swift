public import StateStore
import StreamCore

// Windows over batches. A window has the batches of a time span that ends with a batch, and slides by whole batches
// from the query's start on. What is in windows is state: it lies in changelogs and survives like keyed state.
//
// Length and slide are multiples of the batch interval; the slide is one interval unless given. At the query's start
// windows are partial, as in Spark. Intervals that a query missed while it was stopped are caught up, each as an empty
// batch, so that every window is given that Spark would give.

extension DStream where Element: StateCodable & Sendable {
    /// All elements of the batches of a window, in the order of time.
    public func window(length: Duration, slide: Duration? = nil, name: String? = nil) -> DStream<Element> {
        keptInWindow(length, slide, name, store: { $0 }, give: { $0 })
    }

    /// For each value of a window how often it is there, without values that left it.
    public func countByValueAndWindow(
        length: Duration, slide: Duration? = nil, name: String? = nil
    ) -> DStream<(Element, Int)> where Element: Hashable {
        map { ($0, 1) }.reduceByKeyAndWindow(
            +, inverse: -, length: length, slide: slide, name: name, kind: "countByValueAndWindow"
        ) { _, count in count != 0 }
    }

    /// The elements of a window reduced to one; nothing where there are none.
    public func reduceByWindow(
        _ reduce: @escaping @Sendable (Element, Element) throws -> Element, length: Duration, slide: Duration? = nil,
        name: String? = nil
    ) -> DStream<Element> {
        map { (true, $0) }.reduceByKeyAndWindow(reduce, length: length, slide: slide, name: name).map { $0.1 }
    }

    /// The same, kept up to date: what leaves the window is taken away by `inverse`.
    public func reduceByWindow(
        _ reduce: @escaping @Sendable (Element, Element) throws -> Element,
        inverse: @escaping @Sendable (Element, Element) throws -> Element, length: Duration, slide: Duration? = nil,
        name: String? = nil
    ) -> DStream<Element> {
        map { (true, $0) }
            .reduceByKeyAndWindow(reduce, inverse: inverse, length: length, slide: slide, name: name).map { $0.1 }
    }
}

extension DStream {
    /// All pairs of the batches of a window, in the order of time.
    public func window<Key: StateCodable & Sendable, Value: StateCodable & Sendable>(
        length: Duration, slide: Duration? = nil, name: String? = nil
    ) -> DStream<(Key, Value)> where Element == (Key, Value) {
        keptInWindow(length, slide, name, store: { StatePair($0.0, $0.1) }, give: { ($0.first, $0.second) })
    }

    /// How many elements a window has. As in Spark, nothing before the first element ever, and 0 once all have left.
    public func countByWindow(length: Duration, slide: Duration? = nil, name: String? = nil) -> DStream<Int> {
        map { _ in 1 }.reduceByWindow(+, inverse: -, length: length, slide: slide, name: name)
    }

    /// For each key of a window its values reduced to one. Values of one batch are reduced first; `reduce` must be
    /// associative and commutative.
    public func reduceByKeyAndWindow<
        Key: Hashable & StateCodable & Sendable, Value: StateCodable & Sendable
    >(
        _ reduce: @escaping @Sendable (Value, Value) throws -> Value, length: Duration, slide: Duration? = nil,
        name: String? = nil
    ) -> DStream<(Key, Value)> where Element == (Key, Value) {
        keyedWindow("reduceByKeyAndWindow", name, length, slide, combine: reduce) { builder, state, window, push in
            KeyedWindow<Key, Value, Value>(
                state.panes(id: 1), window.span, window.settings, builder.stateSetup.layout, combine: reduce,
                add: { value, result in result = try result.map { try reduce($0, value) } ?? value }, push: push)
        }
    }

    /// For each key of a window all its values, in the order of time.
    public func groupByKeyAndWindow<
        Key: Hashable & StateCodable & Sendable, Value: StateCodable & Sendable
    >(
        length: Duration, slide: Duration? = nil, name: String? = nil
    ) -> DStream<(Key, [Value])> where Element == (Key, Value) {
        keyedWindow("groupByKeyAndWindow", name, length, slide, combine: nil) { builder, state, window, push in
            KeyedWindow<Key, Value, [Value]>(
                state.panes(id: 1), window.span, window.settings, builder.stateSetup.layout, combine: nil,
                add: { value, result in
                    // In place: a copy for each value would make long windows quadratic.
                    if result == nil { result = [value] } else { result?.append(value) }
                }, push: push)
        }
    }

    /// For each key of a window its values reduced to one, kept up to date: what comes is added by `reduce`, what
    /// leaves is taken away by `inverse`. Costs no more for longer windows.
    ///
    ///     pairs.reduceByKeyAndWindow(+, inverse: -, length: .seconds(30), slide: .seconds(10)) { $1 != 0 }
    /// - Parameter filter: keys for which it is false are dropped. Without it a key stays for good, with the value that
    ///   is left when all of its values have gone.
    public func reduceByKeyAndWindow<
        Key: Hashable & StateCodable & Sendable, Value: StateCodable & Sendable
    >(
        _ reduce: @escaping @Sendable (Value, Value) throws -> Value,
        inverse: @escaping @Sendable (Value, Value) throws -> Value, length: Duration, slide: Duration? = nil,
        name: String? = nil, filter: (@Sendable (Key, Value) throws -> Bool)? = nil
    ) -> DStream<(Key, Value)> where Element == (Key, Value) {
        reduceByKeyAndWindow(
            reduce, inverse: inverse, length: length, slide: slide, name: name, kind: "reduceByKeyAndWindow",
            filter: filter)
    }

    // MARK: - Private

    private func reduceByKeyAndWindow<
        Key: Hashable & StateCodable & Sendable, Value: StateCodable & Sendable
    >(
        _ reduce: @escaping @Sendable (Value, Value) throws -> Value,
        inverse: @escaping @Sendable (Value, Value) throws -> Value, length: Duration, slide: Duration?, name: String?,
        kind: String, filter: (@Sendable (Key, Value) throws -> Bool)?
    ) -> DStream<(Key, Value)> where Element == (Key, Value) {
        keyedWindow(kind, name, length, slide, combine: reduce) { builder, state, window, push in
            InvertibleWindow<Key, Value>(
                state.panes(id: 1), state.table(id: 2), window.span, window.settings, builder.stateSetup.layout,
                reduce: reduce,
                inverse: inverse, isKept: filter, push: push)
        }
    }

    private func keptInWindow<Stored: StateCodable, Out>(
        _ length: Duration, _ slide: Duration?, _ name: String?, store: @escaping @Sendable (Element) -> Stored,
        give: @escaping @Sendable (Stored) -> Out
    ) -> DStream<Out> {
        let (node, id, span) = context.addWindow(
            over: node, kind: "window", name: name, length: length, slide: slide)
        let batchMs = context.batchMs
        return DStream<Out>(context, node: node, level: level) { builder, push in
            builder.withStateIfLive(id) { state in
                let settings = WindowGuard(state, id, WindowSettings(span, batchMs: batchMs), holds: builder.holds)
                let buffer = WindowBuffer<Element, Stored>(
                    state.panes(id: 1), span, settings, shard: builder.task, scope: builder.scope, store: store
                ) { try push(give($0)) }
                guard connect(builder, buffer.add) else { return false }
                builder.add(buffer, node: node)
                return true
            }
        }
    }

    private func keyedWindow<Key: Hashable & StateCodable & Sendable, Value: StateCodable & Sendable, Out>(
        _ kind: String, _ name: String?, _ length: Duration, _ slide: Duration?,
        combine: (@Sendable (Value, Value) throws -> Value)?,
        make:
            @escaping @Sendable (
                StageBuilder, OperatorState, (span: WindowSpan, settings: WindowGuard), @escaping Push<(Key, Out)>
            ) -> any Endpoint
    ) -> DStream<(Key, Out)> where Element == (Key, Value) {
        let (node, id, span) = context.addWindow(
            over: node, kind: kind, name: name, length: length, slide: slide)
        let batchMs = context.batchMs
        let target = level + 1
        return DStream<(Key, Out)>(context, node: node, level: target) { builder, push in
            if builder.level == target {
                let state = builder.makeState(id)
                let settings = WindowGuard(state, id, WindowSettings(span, batchMs: batchMs), holds: builder.holds)
                builder.addAny(make(builder, state, (span, settings), push), node: node)
                return true
            }
            if let combine, builder.level < target {
                let writer = ShuffleWriter<Key, Value>(
                    node: node, level: target, taskCount: builder.taskCounts[target], scope: builder.scope,
                    isUndoable: builder.isUndoable, combine: combine, taskOf: builder.taskOfKey(target))
                if connect(builder, { pair in try writer.add(pair.0, pair.1) }) { builder.add(writer, node: node) }
            } else {
                sendByKey(builder, node: node, target: target)
            }
            return false
        }
    }
}
