import StreamCore

/// How a leader distributes splits, cooperatively and stickily: who has one keeps it, and one that is to go to another
/// member is given to nobody before it was given back. Which ones move is the seed's choice.
final class Assignor {
    /// Some splits are to be taken back, whoever has them.
    var takesBack = false
    private var random: StableRandom

    init(seed: UInt64) { random = StableRandom(seed: seed) }

    func assign(_ splits: [Split], to members: [(id: String, owned: Set<Split>)]) -> [String: Set<Split>] {
        var assigned: [String: Set<Split>] = [:]
        for member in members { assigned[member.id] = [] }
        var free: [Split] = []
        for split in splits {
            let owners = members.filter { $0.owned.contains(split) }
            if owners.isEmpty { free.append(split) }
            // Of two that claim it one does not know yet that it has lost it: both give it back.
            guard owners.count == 1, let owner = owners.first else { continue }
            if takesBack, random.below(3) > 0 { continue }
            assigned[owner.id]?.insert(split)
        }
        takesBack = false
        for split in free {
            let fewest = assigned.values.map(\.count).min() ?? 0
            let poorest = members.filter { assigned[$0.id]?.count == fewest }
            guard !poorest.isEmpty else { continue }
            assigned[poorest[random.below(poorest.count)].id]?.insert(split)
        }
        if let rich = members.first(where: { assigned[$0.id, default: []].count > 1 }),
            members.contains(where: { assigned[$0.id]?.isEmpty == true }),
            let given = assigned[rich.id]?.intersection(rich.owned).max()
        {
            assigned[rich.id]?.remove(given)
        }
        return assigned
    }
}
