import StateStore
import StreamCore

/// What the programs of a query need to keep state: the same for all its tasks.
struct StateSetup: Sendable {
    var query: QueryName
    var layout = ShardLayout()
    var clock: any EngineClock
    /// Where state lies on this machine; nil: in memory alone.
    var store: LocalStore?
    /// What one operator may keep in memory in one task, where the rest is in the store.
    var cacheBytes = 64 << 20
}
