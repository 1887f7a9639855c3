import StateStore
import StreamCore
import StreamTesting

/// The state that a new program would restore.
extension Oracle {
    func restoredTotals(_ cluster: any Cluster, _ words: [String]) throws -> [String] {
        let restored = OperatorState(
            query: World.query, operatorID: World.operatorID, layout: ShardLayout(), task: 0, taskCount: 1,
            clock: ManualClock())
        let table: StateTable<String, Int> = restored.table(id: 1)
        for (split, changes) in try cluster.readChangelogs().sorted(by: { $0.key < $1.key }) {
            let block = RecordBlock(topics: [split.topic])
            for (offset, change) in changes.enumerated() {
                guard let change else { continue }
                block.slots.append(
                    RecordSlot(
                        key: block.arena.append(contentsOf: change.key),
                        value: change.value.map { block.arena.append(contentsOf: $0) } ?? .null,
                        offset: Int64(offset), partition: split.partition.number))
            }
            try restored.apply(block)
        }
        return try words.map { "\($0)=\(try table.value(for: $0) ?? 0)" }
    }
}
