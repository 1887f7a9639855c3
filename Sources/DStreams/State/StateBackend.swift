/// Where keyed state is while a query runs.
public enum StateBackend: Sendable, Hashable {
    /// In the state folder, with a part of it in memory: it may be larger than memory, and a restart on the same
    /// machine need not read it from the changelog. Without a state folder the same as `memory`.
    case disk
    /// In memory alone: as fast as can be, within what memory there is, and read back from the changelog at a start.
    case memory
}
