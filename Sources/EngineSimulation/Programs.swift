package import CommitProtocol
package import StateStore
package import StreamCore
package import StreamEngine

/// Upper-cases each value; drops those that begin with "drop"; faults on "bad".
package final class UppercaseProgram: TaskProgram {
    private let faults: FaultHandler

    package init(policy: ErrorPolicy) { faults = FaultHandler(policy: policy, query: QueryName("simulated")) }

    package func process(_ input: TaskInput, into output: inout TaskOutput) {
        guard case .records(let block, let context) = input else { return }
        let result = RecordBlock(topics: ["out"])
        var bad: [RowFault] = []
        output.counts.read += block.count
        for index in 0..<block.count {
            let text = String(decoding: block.value(index) ?? [], as: UTF8.self)
            if text.hasPrefix("bad") {
                bad.append(RowFault(row: Int32(index), code: "BAD", message: "bad record"))
            } else if text.hasPrefix("drop") {
                output.counts.filtered += 1
            } else {
                output.counts.emittedFrom += 1
                result.slots.append(RecordSlot(value: result.arena.append(text.uppercased())))
            }
        }
        output.blocks.append(result)
        faults.handle(bad, in: block, context, into: &output)
    }
}

/// Sends each word to the task that holds its shard.
package final class SplitProgram: TaskProgram {
    private let taskCount: Int

    package init(taskCount: Int) { self.taskCount = taskCount }

    package func process(_ input: TaskInput, into output: inout TaskOutput) {
        guard case .records(let block, _) = input else { return }
        let layout = ShardLayout()
        var words = [[String]](repeating: [], count: taskCount)
        for index in 0..<block.count {
            let word = String(decoding: block.value(index) ?? [], as: UTF8.self)
            words[layout.task(ofShard: layout.shard(ofKeyHash: stableHash(word)), taskCount: taskCount)].append(word)
        }
        output.counts.read += block.count
        output.counts.emittedFrom += block.count
        for (task, part) in words.enumerated() where !part.isEmpty { output.exchanges.append((task, part)) }
    }
}

/// Counts words over all epochs, as keyed state, and writes each count that an epoch changed; to a table outside Kafka
/// as well, where there is one.
package final class TotalsProgram: TaskProgram {
    private let operators: OperatorState
    private let outside: OutsideTable?
    private let table: StateTable<String, Int>
    private var touched: Set<String> = []
    package let state: (any TaskState)?

    package init(_ operators: OperatorState, outside: OutsideTable? = nil) {
        self.operators = operators
        self.outside = outside
        table = operators.table(id: 1)
        state = StateGroup([operators])
    }

    package func process(_ input: TaskInput, into output: inout TaskOutput) {
        guard case .exchange(let batch, _) = input, let words = batch as? [String] else { return }
        do {
            for word in words {
                try table.update(word) { count throws in count = (count ?? 0) + 1 }
                touched.insert(word)
            }
        } catch { output.failure = StreamError("TEST", "\(error)") }
    }

    package func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        do {
            let block = RecordBlock(topics: ["totals"])
            let rows = try touched.sorted().map { word in
                (key: word, value: "\(try table.value(for: word) ?? -1)")
            }
            for row in rows { block.slots.append(RecordSlot(value: block.arena.append("\(row.key)=\(row.value)"))) }
            if let outside { output.userOutputs.append(UserOutput { plan in try outside.write(plan, rows) }) }
            touched = []
            output.blocks.append(block)
            if let changes = try operators.seal(plan.epoch) { output.blocks.append(changes) }
        } catch { output.failure = StreamError("TEST", "\(error)") }
    }

    package func committed(_ epoch: Epoch) throws { try operators.commit(epoch) }

    package func reset() {
        touched = []
        operators.rollbackOpen()
    }
}

/// Counts words over the batches of a sliding window, which it keeps as panes, and writes every count each time.
package final class WindowProgram: TaskProgram {
    private let operators: OperatorState
    private let panes: PaneStore<String>
    private let windowMs: Int64
    package let state: (any TaskState)?

    package init(_ operators: OperatorState, windowMs: Int64) {
        self.operators = operators
        self.windowMs = windowMs
        panes = operators.panes(id: 1)
        state = StateGroup([operators])
    }

    package func process(_ input: TaskInput, into output: inout TaskOutput) {
        guard case .exchange(let batch, let context) = input, let words = batch as? [String] else { return }
        let layout = ShardLayout()
        for word in words {
            panes.add([word], at: context.batchTimeMs, shard: layout.shard(ofKeyHash: stableHash(word)))
        }
    }

    package func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        do {
            var counts: [String: Int] = [:]
            try panes.forEachPane(after: plan.batchTimeMs - windowMs, through: plan.batchTimeMs) { _, words in
                for word in words { counts[word, default: 0] += 1 }
            }
            panes.removePanes(through: plan.batchTimeMs - windowMs)
            let block = RecordBlock(topics: ["windows"])
            for (word, count) in counts.sorted(by: { $0.key < $1.key }) {
                block.slots.append(RecordSlot(value: block.arena.append("\(word)=\(count)")))
            }
            output.blocks.append(block)
            if let changes = try operators.seal(plan.epoch) { output.blocks.append(changes) }
        } catch { output.failure = StreamError("TEST", "\(error)") }
    }

    package func committed(_ epoch: Epoch) throws { try operators.commit(epoch) }
    package func reset() { operators.rollbackOpen() }
}
