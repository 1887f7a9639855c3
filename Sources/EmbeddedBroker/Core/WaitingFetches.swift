import KafkaWire

/// Fetches that wait for data, and what has come since.
struct WaitingFetches {
    struct Fetch {
        var address: AnswerAddress
        var request: FetchRequest
        var deadline: Int64
        var partitions: Set<TopicPartition>
        /// How much may be there for it: to look again costs a read.
        var bytes: Int
    }

    private var all: [Int: Fetch] = [:]
    private var byPartition: [TopicPartition: Set<Int>] = [:]
    private var touched: Set<Int> = []
    private var forced: Set<Int> = []
    private var lastNumber = 0

    var nextDeadline: Int64? { all.values.map(\.deadline).min() }
    var count: Int { all.count }

    mutating func add(_ fetch: Fetch) {
        lastNumber += 1
        put(fetch, lastNumber)
    }

    /// A partition has got so many bytes, or its last stable offset has moved (by what is enough for anybody).
    mutating func touch(_ partition: TopicPartition, bytes: Int) {
        guard let numbers = byPartition[partition] else { return }
        for number in numbers {
            guard let fetch = all[number] else { continue }
            let sum = fetch.bytes.addingReportingOverflow(bytes)
            all[number]?.bytes = sum.overflow ? .max : sum.partialValue
            if sum.overflow || sum.partialValue >= Int(fetch.request.minBytes) { touched.insert(number) }
        }
    }

    /// Something has become of a partition that its readers have to be told at once.
    mutating func force(_ partition: TopicPartition) {
        forced.formUnion(byPartition[partition] ?? [])
    }

    /// Takes out those that may be answered now, in the order in which they came; some have to be.
    mutating func takeReady() -> [(fetch: Fetch, isForced: Bool)] {
        guard !touched.isEmpty || !forced.isEmpty else { return [] }
        let ready = touched.union(forced).sorted()
        let taken = ready.compactMap { number in take(number).map { ($0, forced.contains(number)) } }
        touched = []
        forced = []
        return taken
    }

    mutating func takeLate(now: Int64) -> [Fetch] {
        let late = all.filter { $0.value.deadline <= now }.keys.sorted()
        return late.compactMap { take($0) }
    }

    mutating func removeAll(where isGone: (Fetch) -> Bool) {
        for number in all.filter({ isGone($0.value) }).keys { _ = take(number) }
    }

    // MARK: -

    private mutating func put(_ fetch: Fetch, _ number: Int) {
        all[number] = fetch
        for partition in fetch.partitions { byPartition[partition, default: []].insert(number) }
    }

    private mutating func take(_ number: Int) -> Fetch? {
        guard let fetch = all.removeValue(forKey: number) else { return nil }
        for partition in fetch.partitions {
            byPartition[partition]?.remove(number)
            if byPartition[partition]?.isEmpty == true { byPartition[partition] = nil }
        }
        return fetch
    }
}
