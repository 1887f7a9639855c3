public import CommitProtocol
public import StreamCore

/// The input of a query that one instance runs at a time: who owns the control partition owns every split of the
/// sources.
///
/// Joins the membership (a consumer group on the query's one-partition control topic), and announces the splits of its
/// sources while it owns that partition. A standby has the same object and owns nothing. Without a membership (a query
/// without Kafka) everything is ours from the start.
public final class OwnedInput: InputPort {
    private let membership: (any InputPort)?
    private let sources: [any InputPort]
    /// The source of each split that was announced, ours or not.
    private var sourceOfSplit: [Split: Int] = [:]
    /// Splits that the engine was told of and has not given back.
    private var announced: Set<Split> = []
    private var control: Set<Split> = []
    private var isOwner: Bool
    /// The control partition is wanted back as soon as every split is released.
    private var isLeaving = false
    private var areSourcesStarted = false
    private var nextSource = 0
    private var queued: [InputEvent] = []

    public init(membership: (any InputPort)?, sources: [any InputPort]) {
        self.membership = membership
        self.sources = sources
        isOwner = membership == nil
    }

    public var onReady: (@Sendable () -> Void)? {
        didSet {
            membership?.onReady = onReady
            for source in sources { source.onReady = onReady }
        }
    }

    public func start() {
        membership?.start()
        if isOwner { startSources() }
    }

    // MARK: - Events

    public func poll(bytesMax: Int) -> InputEvent? {
        while let event = membership?.poll(bytesMax: 0) {
            if let forwarded = receive(event) { return forwarded }
        }
        if !queued.isEmpty { return queued.removeFirst() }
        guard areSourcesStarted else { return nil }
        // In turn, so that a busy source does not silence the others.
        for step in 0..<sources.count {
            let index = (nextSource + step) % sources.count
            while let event = sources[index].poll(bytesMax: bytesMax) {
                guard let forwarded = receive(event, from: index) else { continue }
                nextSource = (index + 1) % sources.count
                return forwarded
            }
        }
        return nil
    }

    private func receive(_ event: InputEvent) -> InputEvent? {
        switch event {
        case .assigned(let splits):
            // A standby is told that it gets nothing: that is no ownership.
            guard !splits.isEmpty else { return nil }
            control.formUnion(splits)
            var positions: [Split: Position] = [:]
            for split in splits { positions[split] = 0 }
            membership?.open(positions)
            return becomeOwner()
        case .revoking: return leave { .revoking($0) }
        case .lost: return leave { .lost($0) }
        case .trouble: return event
        case .records, .reachedEnd, .finished, .resolved, .ends, .dataLoss: return nil
        }
    }

    private func becomeOwner() -> InputEvent? {
        isOwner = true
        isLeaving = false
        if areSourcesStarted {
            let known = Set(sourceOfSplit.keys).subtracting(announced)
            announced.formUnion(known)
            return known.isEmpty ? nil : .assigned(known)
        }
        startSources()
        return nil
    }

    private func startSources() {
        areSourcesStarted = true
        for source in sources { source.start() }
    }

    private func leave(_ event: (Set<Split>) -> InputEvent) -> InputEvent? {
        isOwner = false
        isLeaving = true
        if announced.isEmpty {
            releaseControl()
            return nil
        }
        return event(announced)
    }

    private func receive(_ event: InputEvent, from index: Int) -> InputEvent? {
        guard case .assigned(let splits) = event else {
            return isOwner || !announced.isEmpty ? event : nil
        }
        for split in splits { sourceOfSplit[split] = index }
        guard isOwner else { return nil }
        announced.formUnion(splits)
        return event
    }

    // MARK: - Commands

    public func open(_ positions: [Split: Position]) {
        for (index, part) in bySource(Set(positions.keys)) {
            sources[index].open(positions.filter { part.contains($0.key) })
        }
    }

    public func release(_ splits: Set<Split>) {
        announced.subtract(splits)
        for (index, part) in bySource(splits) { sources[index].release(part) }
        if isLeaving, announced.isEmpty { releaseControl() }
    }

    private func releaseControl() {
        isLeaving = false
        membership?.release(control)
        control.removeAll()
    }

    public func pause(_ splits: Set<Split>) {
        for (index, part) in bySource(splits) { sources[index].pause(part) }
    }

    public func resume(_ splits: Set<Split>) {
        for (index, part) in bySource(splits) { sources[index].resume(part) }
    }

    public func resolve(_ starts: [Split: StartPosition]) {
        for (index, part) in bySource(Set(starts.keys)) {
            sources[index].resolve(starts.filter { part.contains($0.key) })
        }
    }

    public func requestEnds(_ splits: Set<Split>) {
        for (index, part) in bySource(splits) { sources[index].requestEnds(part) }
    }

    public func givesOneByOne(_ split: Split) -> Bool {
        sourceOfSplit[split].map { sources[$0].givesOneByOne(split) } ?? false
    }

    public func close(within: Duration) {
        // A standby's sources were made but never started; they hold clients all the same.
        for source in sources { source.close(within: within) }
        membership?.close(within: within)
    }

    private func bySource(_ splits: Set<Split>) -> [Int: Set<Split>] {
        var parts: [Int: Set<Split>] = [:]
        for split in splits {
            if let index = sourceOfSplit[split] { parts[index, default: []].insert(split) }
        }
        return parts
    }
}
