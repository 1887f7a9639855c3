import CommitProtocol
import StreamCore

/// Reads the changelogs of `ScriptedKafka`, a few changes a block.
final class ScriptedChangelog: ChangelogPort {
    var onReady: (@Sendable () -> Void)?
    private let kafka: ScriptedKafka
    private var events: [ChangelogEvent] = []
    private static let changesPerBlock = 3

    init(_ kafka: ScriptedKafka) { self.kafka = kafka }

    func read(_ positions: [Split: Position], _ mode: ChangelogMode) {
        var ends: [Split: Position] = [:]
        for split in positions.keys { ends[split] = end(split) }
        events = [.began(ends: ends)]
        for (split, position) in positions.sorted(by: { $0.key < $1.key }) {
            let changes = kafka.changelogs[split] ?? []
            var at = Int(position.number)
            while at < changes.count {
                let block = RecordBlock(topics: [split.topic])
                for offset in at..<min(changes.count, at + Self.changesPerBlock) {
                    block.slots.append(
                        RecordSlot(
                            key: block.arena.append(contentsOf: changes[offset].key),
                            value: changes[offset].value.map { block.arena.append(contentsOf: $0) } ?? .null,
                            offset: Int64(offset), partition: split.partition.number))
                }
                at += Self.changesPerBlock
                events.append(.records(block))
            }
            events.append(.reachedEnd(split, end(split)))
        }
        onReady?()
    }

    private func end(_ split: Split) -> Position { Position(Int64(kafka.changelogs[split]?.count ?? 0)) }

    func stop() { events = [] }

    func requestStableEnds(_ splits: Set<Split>) {
        events.append(.stableEnds(splits.reduce(into: [:]) { $0[$1] = end($1) }))
        onReady?()
    }

    func poll(bytesMax: Int) -> ChangelogEvent? { events.isEmpty ? nil : events.removeFirst() }
    func close(within: Duration) {}
}
