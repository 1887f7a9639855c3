import CommitProtocol
import DStreams
import StreamCore
import StreamEngine
import Testing

/// Who owns a query with a shuffle or output code: the instance that holds its control partition.
@Suite struct StandbyTests {
    private let control = Split("test-control", 0)
    private let split = Split("in", 0)

    private func input(_ membership: ScriptedMembership) -> OwnedInput {
        let kafka = ScriptedKafka()
        kafka.makeTopic("in", partitions: 1)
        let input = OwnedInput(membership: membership, sources: [ScriptedInput(kafka, recordsPerBlock: 10)])
        input.start()
        return input
    }

    private func assigned(_ event: InputEvent?) -> Set<Split>? {
        if case .assigned(let splits) = event { return splits }
        return nil
    }

    @Test func anAssignmentOfNothingMakesNoOwner() {
        let membership = ScriptedMembership()
        let input = input(membership)
        membership.events = [.assigned([])]
        #expect(assigned(input.poll(bytesMax: 100)) == nil)
        membership.events = [.assigned([control])]
        #expect(assigned(input.poll(bytesMax: 100)) == [split])
    }
}

/// Says what a test tells it to.
private final class ScriptedMembership: InputPort {
    var onReady: (@Sendable () -> Void)?
    var events: [InputEvent] = []

    func start() {}
    func poll(bytesMax: Int) -> InputEvent? { events.isEmpty ? nil : events.removeFirst() }
    func open(_ positions: [Split: Position]) {}
    func release(_ splits: Set<Split>) {}
    func pause(_ splits: Set<Split>) {}
    func resume(_ splits: Set<Split>) {}
    func resolve(_ starts: [Split: StartPosition]) {}
    func requestEnds(_ splits: Set<Split>) {}
    func close(within: Duration) {}
}
