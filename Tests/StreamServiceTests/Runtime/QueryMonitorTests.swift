import CommitProtocol
import StreamCore
import StreamEngine
import StreamService
import StreamTesting
import Testing

/// Passes every record that does not begin with "drop".
private final class PassProgram: TaskProgram {
    func process(_ input: TaskInput, into output: inout TaskOutput) {
        guard case .records(let block, _) = input else { return }
        let result = RecordBlock(topics: ["out"])
        output.counts.read += block.count
        for index in 0..<block.count {
            let text = String(decoding: block.value(index) ?? [], as: UTF8.self)
            if text.hasPrefix("drop") {
                output.counts.filtered += 1
            } else {
                output.counts.emittedFrom += 1
                output.counts.written += 1
                result.slots.append(RecordSlot(value: result.arena.append(text)))
            }
        }
        output.blocks.append(result)
    }
}

@Suite("Query monitor")
struct QueryMonitorTests {
    private let cluster = SimulatedCluster()
    private let clock = ManualClock()

    private func start(_ monitor: QueryMonitor, _ scheduler: SimulatedScheduler) throws -> StreamQuery {
        let input = SimulatedInput(cluster, seed: 1)
        let writer = SimulatedWriter(cluster, seed: 1)
        scheduler.add(input)
        scheduler.add(writer)
        var options = QueryOptions(name: QueryName("orders"))
        options.defaultStart = .earliest
        let query = try StreamQuery(
            options: options, input: input, writer: writer,
            stages: [Stage(taskCount: 1) { _ in PassProgram() }], userOutputs: InlineUserOutput(), clock: clock,
            onProgress: monitor.record)
        monitor.watch(query.status)
        scheduler.add(monitor.watched(query.machines))
        return query
    }

    @Test("a simulated query's counters, positions and epochs arrive, and a stop ends every heartbeat")
    func follows() throws {
        cluster.input[Split("in", 0)] = (0..<30).map { $0 % 3 == 0 ? "drop" : "keep \($0)" }
        let monitor = QueryMonitor(query: QueryName("orders"), clock: clock)
        #expect(monitor.snapshot.state == .starting)
        let scheduler = SimulatedScheduler(seed: 5, clock: clock)
        let query = try start(monitor, scheduler)
        #expect(!monitor.heartbeats.pulses(at: clock.now).isEmpty)
        let caughtUp = scheduler.run(steps: 100_000) {
            cluster.positions[Split("in", 0)] == 30 && cluster.outputs.count == 20
        }
        #expect(caughtUp == .conditionMet)
        _ = scheduler.run(steps: 200)
        let snapshot = monitor.snapshot
        #expect(snapshot.state == .running)
        #expect(snapshot.records.read == 30)
        #expect(snapshot.records.filtered == 10)
        #expect(snapshot.records.emittedFrom == 20)
        #expect(snapshot.records.output == 20)
        #expect(snapshot.splits.map(\.position) == [30])
        #expect(snapshot.epoch != nil)
        #expect(snapshot.epochDurations.count >= 1)
        #expect(snapshot.lastPhases?.named.map(\.name) == ["poll", "compute", "commit"])
        #expect(snapshot.memory.budgetBytes > 0)
        #expect(snapshot.lastError == nil)

        monitor.noteStopping()
        #expect(monitor.snapshot.state == .draining)
        query.control.stop(within: .seconds(25))
        #expect(scheduler.run(steps: 100_000) { monitor.snapshot.state == .stopped } != .outOfSteps)
        _ = scheduler.run(steps: 1000)
        #expect(monitor.snapshot.state == .stopped)
        #expect(monitor.heartbeats.pulses(at: clock.now).isEmpty)
    }

    @Test("a machine that does not step is overdue")
    func stuck() throws {
        let monitor = QueryMonitor(query: QueryName("orders"), clock: clock)
        _ = try start(monitor, SimulatedScheduler(seed: 5, clock: clock))
        clock.advance(by: .seconds(16))
        let names = monitor.heartbeats.overdue(at: clock.now).map(\.loop)
        #expect(names.contains("driver") && names.contains("committer") && names.contains("task-0-0"))
    }
}
