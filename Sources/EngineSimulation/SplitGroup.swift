import CommitProtocol
import StreamCore
import StreamTesting

/// The consumer group of a stateless query: gives every split to one member, and takes it back.
final class SplitGroup: WorldActor {
    let name = "group"
    private var random: StableRandom
    private let splits: Set<Split>
    private var owners: [Split: Int] = [:]
    private var members: [Int: Member] = [:]

    private struct Member {
        var input: SimulatedInput
        var standing = Standing.joined
        /// Asked for, and not given back yet.
        var revoked: Set<Split> = []
    }
    private enum Standing { case joined, expelled, told }

    init(splits: Set<Split>, seed: UInt64) {
        random = StableRandom(seed: seed)
        self.splits = splits
    }

    func join(_ number: Int, _ input: SimulatedInput) {
        input.isCoordinated = true
        members[number] = Member(input: input)
        input.onRelease = { [weak self] released in self?.release(number, released) }
    }

    /// Whether the group takes offsets from this member.
    func isMember(_ number: Int) -> Bool { members[number]?.standing == .joined }
    func owns(_ number: Int, _ split: Split) -> Bool { owners[split] == number }

    func remove(_ number: Int) {
        members[number] = nil
        free(number)
    }

    /// Its session is over.
    func expel(_ number: Int) {
        guard members[number]?.standing == .joined, members[number]?.input.isStarted == true else { return }
        members[number]?.standing = .expelled
        members[number]?.revoked = []
        free(number)
    }

    func revoke(_ number: Int) {
        guard let member = members[number], member.standing == .joined else { return }
        let own = splits.filter { owners[$0] == number && !member.revoked.contains($0) }.sorted()
        let some = Set(own.filter { _ in random.below(3) > 0 })
        guard !some.isEmpty else { return }
        members[number]?.revoked.formUnion(some)
        member.input.revoke(some)
    }

    private func free(_ number: Int) { owners = owners.filter { $0.value != number } }

    private func release(_ number: Int, _ released: Set<Split>) {
        members[number]?.revoked.subtract(released)
        for split in released where owners[split] == number && members[number]?.standing == .joined {
            owners[split] = nil
        }
    }

    // MARK: - The world

    private var unowned: [Split] { owners.count == splits.count ? [] : splits.filter { owners[$0] == nil }.sorted() }

    private func isReady(_ member: Member) -> Bool {
        member.standing == .joined && member.input.isStarted && !member.input.isClosed
    }

    private func hasNews(_ member: Member) -> Bool {
        switch member.standing {
        case .joined: member.input.isClosed
        case .expelled: true
        case .told: member.input.lost.isEmpty
        }
    }

    var hasWork: Bool {
        members.values.contains(where: hasNews) || (!unowned.isEmpty && members.values.contains(where: isReady))
    }

    func act() {
        let news = members.keys.sorted().filter { members[$0].map(hasNews) == true }
        // Who lost its session hears of that when its next heartbeat is refused; others may own its splits by then.
        if !news.isEmpty, random.below(8) == 0 { return tell(news[random.below(news.count)]) }
        let ready = members.keys.sorted().filter { members[$0].map(isReady) == true }
        let free = unowned
        guard !ready.isEmpty, !free.isEmpty else { return }
        let number = ready[random.below(ready.count)]
        let some = free.filter { _ in random.below(3) > 0 }
        let given = Set(some.isEmpty ? free : some)
        for split in given { owners[split] = number }
        members[number]?.input.assign(given)
    }

    private func tell(_ number: Int) {
        guard let member = members[number] else { return }
        if member.input.isClosed { return remove(number) }
        switch member.standing {
        case .joined: break
        case .expelled:
            member.input.lose(member.input.owned)
            members[number]?.standing = .told
        case .told: members[number]?.standing = .joined
        }
    }
}
