import CommitProtocol
import StateStore
import StreamCore
import StreamEngine

/// One task's program: drives records through the fused passes of its stage and keeps the rows' account.
final class StageProgram: TaskProgram {
    private let level: Int
    private let task: Int
    private let taskCounts: [Int]
    private let scope: RecordScope
    private let faultHandler: FaultHandler
    /// In the order of the graph: what is computed first ends its epoch first.
    private let endpoints: [any Endpoint]
    private let receivers: [Int: any Endpoint]
    private let sources: [SourcePass]
    private let states: [OperatorState]
    let state: (any TaskState)?
    var changelogTopics: [TopicName] { states.map(\.topic) }

    init(_ builder: StageBuilder, faultHandler: FaultHandler) {
        level = builder.level
        task = builder.task
        taskCounts = builder.taskCounts
        scope = builder.scope
        self.faultHandler = faultHandler
        let ordered = builder.endpoints.sorted { $0.node < $1.node }
        endpoints = ordered.map(\.endpoint)
        receivers = Dictionary(ordered.map { ($0.node, $0.endpoint) }) { first, _ in first }
        sources = builder.sources
        states = builder.states
        state = states.isEmpty ? nil : StateGroup(states)
    }

    // MARK: - TaskProgram

    func process(_ input: TaskInput, into output: inout TaskOutput) {
        switch input {
        case .records(let block, let context):
            scope.context = context
            run(block, context, into: &output)
        case .exchange(let batch, let context):
            scope.context = context
            receive(batch, into: &output)
        }
        drain(into: &output)
        for index in output.exchanges.indices { route(&output.exchanges[index]) }
    }

    func endEpoch(_ plan: EpochPlan, into output: inout TaskOutput) {
        // What comes up now comes from no single record.
        scope.beginRecord()
        scope.context = EpochContext(
            epoch: plan.epoch, batchTimeMs: plan.batchTimeMs, isFirstBatch: plan.isFirstBatch)
        do {
            for endpoint in endpoints { try endpoint.endEpoch(plan, into: &output) }
            for state in states {
                if let changes = try state.seal(plan.epoch) { output.blocks.append(changes) }
            }
        } catch {
            output.failure = Self.unattributed(error, plan.epoch)
        }
        drain(into: &output)
        for index in output.exchanges.indices { route(&output.exchanges[index]) }
    }

    func committed(_ epoch: Epoch) throws {
        for endpoint in endpoints { endpoint.committed(epoch) }
        for state in states { try state.commit(epoch) }
    }

    func reset() {
        for endpoint in endpoints { endpoint.reset() }
        for state in states { state.rollbackOpen() }
    }

    private func drain(into output: inout TaskOutput) {
        for endpoint in endpoints { endpoint.drain(into: &output) }
    }

    // MARK: - Records

    private func run(_ block: RecordBlock, _ context: EpochContext, into output: inout TaskOutput) {
        var account = Account()
        let records = BlockView(block)
        // Which sources take a topic of this block: nearly always one of one topic.
        let takers = block.topics.map { topic in sources.filter { $0.takes(topic) } }
        if takers.count == 1, takers[0].count == 1 {
            run(records, &account, takers[0][0].push)
        } else {
            run(records, &account) { record in
                for taker in takers[Int(record.slot.topic)] { try taker.push(record) }
            }
        }
        output.counts.read += block.count
        output.counts.bytesRead += account.bytes
        output.counts.emittedFrom += account.emittedFrom
        output.counts.filtered += block.count - account.emittedFrom - account.faults.count
        faultHandler.handle(account.faults, in: block, context, into: &output)
    }

    /// What became of a block's records.
    private struct Account {
        var emittedFrom = 0
        var bytes = 0
        var faults: [RowFault] = []
    }

    /// The loop over the records: nothing in it but the fused pass and the account.
    private func run(_ records: BlockView, _ account: inout Account, _ push: (KafkaRecord) throws -> Void) {
        for (index, slot) in records.slots.enumerated() {
            account.bytes += Int(slot.key.length) + Int(slot.value.length)
            scope.beginRecord()
            do {
                try push(KafkaRecord(records, index))
                if scope.hasEmitted { account.emittedFrom += 1 }
            } catch {
                for endpoint in endpoints { endpoint.undoRecord() }
                account.faults.append(Self.fault(error, row: index))
                if faultHandler.policy == .fail { return }
            }
        }
    }

    private static func fault(_ error: any Error, row: Int) -> RowFault {
        if let error = error as? StreamError {
            return RowFault(row: Int32(clamping: row), code: error.code, message: error.message)
        }
        return RowFault(
            row: Int32(clamping: row), code: "USER_CODE_FAILED", message: "the program's code threw \(error)")
    }

    private static func unattributed(_ error: any Error, _ epoch: Epoch) -> StreamError {
        if let error = error as? StreamError { return error }
        return StreamError(
            "USER_CODE_FAILED", "The program's code threw at the end of batch \(epoch): \(error).",
            remedy:
                "Behind a shuffle or mapPartitions an error belongs to no single record: no error policy applies.",
            domain: .user, cause: error)
    }

    // MARK: - Between stages

    private func receive(_ batch: any Sendable, into output: inout TaskOutput) {
        guard let parcel = batch as? Parcel else {
            output.failure = Parcel.misdirected
            return
        }
        if parcel.level > level {
            output.exchanges.append((task: parcel.task, batch: batch))
            return
        }
        do {
            guard let receiver = receivers[parcel.node] else { throw Parcel.misdirected }
            try receiver.receive(parcel.payload)
        } catch {
            output.failure = Self.unattributed(error, Epoch(0))
        }
    }

    /// The next stage's task for a parcel: the one it is for, or, where its stage is further away, any.
    private func route(_ exchange: inout (task: Int, batch: any Sendable)) {
        guard let parcel = exchange.batch as? Parcel, parcel.level > level + 1 else { return }
        exchange.task = task % taskCounts[level + 1]
    }
}
