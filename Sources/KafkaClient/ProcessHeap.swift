private import CRDKafka

/// The C library's heap, for a process that runs queries.
public enum ProcessHeap {
    /// Keeps the allocator small and its large blocks warm; first in main, before any thread is started.
    ///
    /// Pools for each thread, and memory that is kept for later, come on top of a query's budget. Blocks of a megabyte
    /// come and go all the time: they are taken from the heap, since fresh pages cost more than their use. Holds for
    /// the whole process, so that a program decides, not the library. Does nothing where the C library is not glibc.
    public static func prepare() {
        #if canImport(Glibc)
            mallopt(M_ARENA_MAX, 2)
            mallopt(M_MMAP_THRESHOLD, 32 << 20)
            mallopt(M_TRIM_THRESHOLD, 8 << 20)
        #endif
    }
}
