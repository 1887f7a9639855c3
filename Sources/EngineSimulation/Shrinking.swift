/// Makes a failing schedule smaller, as long as it still fails.
package func shrink(_ run: SimulationRun, runsMax: Int = 400) -> SimulationRun {
    var best = run
    var runs = 0
    func fails(_ schedule: Schedule) -> Bool {
        guard runs < runsMax, schedule != best.schedule else { return false }
        runs += 1
        var candidate = best
        candidate.schedule = schedule
        guard candidate().violation != nil else { return false }
        best = candidate
        return true
    }
    dropFaults(run.schedule, fails)
    for change: (inout Schedule) -> Void in [
        { $0.records = max(1, $0.records / 2) }, { $0.records = max(1, $0.records - 5) },
        { $0.splits = max(1, $0.splits - 1) }, { $0.instances = 1 }, { $0.hasDisk = false },
        { $0.network = NetworkConditions() },
    ] {
        var smaller = best.schedule
        repeat {
            change(&smaller)
            let slots = smaller.instances
            smaller.faults.removeAll { ($0.fault.slot ?? 0) >= slots }
        } while fails(smaller)
    }
    dropFaults(best.schedule, fails)
    return best
}

/// Halves first, then one by one.
private func dropFaults(_ whole: Schedule, _ fails: (Schedule) -> Bool) {
    var schedule = whole
    var size = max(1, schedule.faults.count / 2)
    while true {
        var start = 0
        while start < schedule.faults.count {
            var smaller = schedule
            smaller.faults.removeSubrange(start..<min(start + size, smaller.faults.count))
            if fails(smaller) { schedule = smaller } else { start += size }
        }
        if size == 1 { return }
        size /= 2
    }
}
