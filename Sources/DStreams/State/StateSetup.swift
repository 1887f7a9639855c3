import StateStore
import StreamCore

/// What the programs of a query need to keep state: the same for all its tasks.
struct StateSetup: Sendable {
    var query: QueryName
    var layout = ShardLayout()
    var clock: any EngineClock
}
