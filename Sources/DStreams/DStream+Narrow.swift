// Transformations of single elements. Inlinable, so that the closures are specialised where the program is compiled.

extension DStream {
    /// Each element turned into another.
    @inlinable
    public func map<Out>(_ transform: @escaping @Sendable (Element) throws -> Out) -> DStream<Out> {
        derived { builder, push in
            connect(builder) { element in try push(transform(element)) }
        }
    }

    /// Each element turned into any number of others, in order.
    @inlinable
    public func flatMap<Elements: Sequence>(
        _ transform: @escaping @Sendable (Element) throws -> Elements
    ) -> DStream<Elements.Element> {
        derived { builder, push in
            connect(builder) { element in
                for out in try transform(element) { try push(out) }
            }
        }
    }

    /// The elements for which `isIncluded` is true.
    @inlinable
    public func filter(_ isIncluded: @escaping @Sendable (Element) throws -> Bool) -> DStream<Element> {
        derived { builder, push in
            connect(builder) { element in
                if try isIncluded(element) { try push(element) }
            }
        }
    }

    /// Each element turned into another, or left out where that gives nil.
    @inlinable
    public func compactMap<Out>(_ transform: @escaping @Sendable (Element) throws -> Out?) -> DStream<Out> {
        derived { builder, push in
            connect(builder) { element in
                if let out = try transform(element) { try push(out) }
            }
        }
    }

    /// Each pair with its value turned into another; the key stays.
    @inlinable
    public func mapValues<Key, Value, Out>(
        _ transform: @escaping @Sendable (Value) throws -> Out
    ) -> DStream<(Key, Out)> where Element == (Key, Value) {
        derived { builder, push in
            connect(builder) { pair in try push((pair.0, transform(pair.1))) }
        }
    }

    /// Each pair turned into one pair for each value that its own value is turned into; the key stays.
    @inlinable
    public func flatMapValues<Key, Value, Values: Sequence>(
        _ transform: @escaping @Sendable (Value) throws -> Values
    ) -> DStream<(Key, Values.Element)> where Element == (Key, Value) {
        derived { builder, push in
            connect(builder) { pair in
                for value in try transform(pair.1) { try push((pair.0, value)) }
            }
        }
    }

    /// The elements of this stream and of others, batch by batch. No order between them is promised.
    /// - Precondition: all are of one context.
    public func union(_ others: DStream<Element>...) -> DStream<Element> {
        let streams = [self] + others
        precondition(streams.allSatisfy { $0.context === context }, "streams of two contexts cannot be united")
        let level = streams.reduce(level) { max($0, $1.level) }
        return DStream(context, node: context.addNode(using: streams.map(\.node)), level: level) { builder, push in
            // Every stream is connected, also behind the first live one.
            streams.map { $0.connect(builder, push) }.contains(true)
        }
    }
}
