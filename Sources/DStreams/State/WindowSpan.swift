import StreamCore

/// Length and slide of a window, in whole milliseconds.
struct WindowSpan: Sendable, Hashable {
    var lengthMs: Int64
    var slideMs: Int64

    /// Whether a window ends with this batch: it slides from the query's start on.
    func fires(at timeMs: Int64, start: Int64?) -> Bool {
        guard let start else { return false }
        return (timeMs - start) % slideMs == 0
    }

    /// The last time at which a window ended, when the batch before had this time; nil: none has.
    func lastFiring(before previousMs: Int64?, start: Int64?) -> Int64? {
        guard let previousMs, let start, previousMs - start >= slideMs else { return nil }
        return previousMs - (previousMs - start) % slideMs
    }

    /// A window that ends at `timeMs` has the batches behind this time.
    func begin(of timeMs: Int64) -> Int64 { timeMs - lengthMs }

    /// Batches up to this time are in no window that ends behind `timeMs`, at which one has ended.
    func expired(at timeMs: Int64) -> Int64 { timeMs + slideMs - lengthMs }

    /// What is wrong with the window over a stream that gives something each `parentSlideMs` (Spark's rule).
    func problem(parentSlideMs: Int64) -> StreamError? {
        for (what, value) in [("length", lengthMs), ("slide", slideMs)]
        where value <= 0 || value % parentSlideMs != 0 {
            return StreamError(
                "WINDOW_INTERVAL",
                "The \(what) of a window is \(value) ms, over a stream with a batch each \(parentSlideMs) ms.",
                remedy: "A window's length and slide are multiples of the slide of the stream that it is over.",
                domain: .user)
        }
        return nil
    }
}
