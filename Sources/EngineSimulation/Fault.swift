package import StreamTesting

/// What can go wrong around a query; slots name instances.
package enum Fault: Hashable, Sendable {
    /// SIGKILL, and a new process so many steps later. A commit that was being asked for arrives all the same, or not.
    case crash(slot: Int, down: Int, losesDisk: Bool, requestArrives: Bool)
    /// SIGTERM, and a new process so many steps after its end.
    case stop(slot: Int, down: Int)
    /// SIGTERM while the tasks are busy, for longer than the stop's deadline.
    case stopWhileBusy(slot: Int, down: Int)
    /// The process sleeps; meanwhile another one starts with its identity; it wakes up, and is killed later.
    case zombie(slot: Int, sleep: Int, awake: Int)
    /// The process does nothing for a while (a stopped machine), and nobody notices.
    case stall(slot: Int, steps: Int)
    case slow(slot: Int, part: Part, steps: Int)
    /// Every machine of the process runs once more than it should.
    case wake(slot: Int)
    /// Timers that lie seconds apart are due at once.
    case jump(milliseconds: Int)
    /// The session is over: its splits go to others at once; it hears of that later.
    case expel(slot: Int)
    /// The group wants splits back.
    case rebalance(slot: Int)
    case transaction(slot: Int, SimulatedWriter.Fault)
    /// The broker gives up what the slot has open.
    case expire(slot: Int)
    case brokersDown(steps: Int)
    /// The next user output code fails half-way.
    case failOutput
    /// More records, for every split.
    case arrive(records: Int)

    package enum Part: String, CaseIterable, Sendable { case driver, task, committer, writer, input, changelog }

    /// For summaries.
    func kind(hasDisk: Bool) -> String {
        switch self {
        case .crash(_, _, let losesDisk, _): losesDisk && hasDisk ? "crashes that lost the disk" : "crashes"
        case .stop: "graceful stops"
        case .stopWhileBusy: "graceful stops of busy queries"
        case .zombie: "zombies"
        case .stall: "stalled processes"
        case .slow: "slow parts"
        case .wake: "duplicate wake-ups"
        case .jump: "timers at once"
        case .expel: "ended sessions"
        case .rebalance: "rebalances"
        case .transaction: "transaction faults"
        case .expire: "expiries"
        case .brokersDown: "broker outages"
        case .failOutput: "failures of output code"
        case .arrive: "arrivals"
        }
    }
}

/// A fault, and so many steps after the one before.
package struct ScheduledFault: Hashable, Sendable {
    package var step: Int
    package var fault: Fault
}
