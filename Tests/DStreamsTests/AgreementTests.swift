import DStreams
import StreamCore
import Testing

/// Operators of streams, spread over tasks and stages, give what the same operations give on a whole batch.
@Suite struct AgreementTests {
    /// Random pairs for two topics: few keys, so that each is met in many tasks, and some only on one side.
    private static func input(_ seed: UInt64) -> [[TopicName: [String]]] {
        var random = StableRandom(seed: seed)
        return [40, 0, 25].map { size in
            var batch: [TopicName: [String]] = [:]
            for topic in ["a", "b"] as [TopicName] {
                batch[topic] = (0..<size).map { _ in "\(random.next() % 12) \(random.next() % 5)" }
            }
            return batch
        }
    }

    private static func pairs(_ run: TestRun, _ topic: TopicName) -> DStream<(String, Int)> {
        run.context.kafkaStream(topics: [topic]).map { record in
            let parts = record.text.split(separator: " ")
            guard parts.count == 2, let value = Int(parts[1]) else { throw Refused() }
            return (String(parts[0]), value)
        }
    }

    @Test(arguments: 1...3, [1, 2] as [UInt64])
    func streamsAndBatches(tasks: Int, seed: UInt64) throws {
        let watched = try Watched(tasks: tasks, Self.input(seed)) { run in
            let (a, b) = (Self.pairs(run, "a"), Self.pairs(run, "b").reduceByKey(+))
            return [
                "join": a.join(b).map { "\($0)" },
                "join of batches": a.transformWith(b) { a, b, _ in a.join(b) }.map { "\($0)" },
                "full": a.fullOuterJoin(b).map { "\($0)" },
                "full of batches": a.transformWith(b) { a, b, _ in a.fullOuterJoin(b) }.map { "\($0)" },
                "group": a.union(b).groupByKey().map { "\($0.0) \(text($0.1))" },
                "group of batches": a.union(b).transform { $0.groupByKey() }.map { "\($0.0) \(text($0.1))" },
                "values": a.map(\.1).countByValue().map { "\($0)" },
                "values of batches": a.transform { batch in
                    Batch(batch.values().countByValue().map { ($0.key, $0.value) })
                }.map { "\($0)" },
                "count": a.union(b).count().map { "\($0)" },
                "count of batches": a.union(b).transform { [$0.count] }.map { "\($0)" },
                "spread": a.repartition(2).map { "\($0)" },
                "spread of batches": a.transform { $0 }.map { "\($0)" },
            ]
        }
        for name in ["join", "full", "group", "values", "count", "spread"] {
            #expect(watched[name].count == 3)
            #expect(watched[name] == watched["\(name) of batches"], "\(name)")
        }
        #expect(watched["spread"].map(\.count) == [40, 0, 25])
    }
}
