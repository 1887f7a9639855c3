import StreamCore

/// Length and slide of a window, in whole batches.
struct WindowSpan: Sendable, Hashable {
    var lengthMs: Int64
    var slideMs: Int64

    /// - Precondition: both are multiples of the batch interval, at least one (Spark's rule).
    init(length: Duration, slide: Duration?, batchInterval: Duration) {
        let interval = max(1, batchInterval.nanoseconds / 1_000_000)
        lengthMs = length.nanoseconds / 1_000_000
        slideMs = slide.map { $0.nanoseconds / 1_000_000 } ?? interval
        precondition(
            lengthMs > 0 && lengthMs % interval == 0 && slideMs > 0 && slideMs % interval == 0,
            "a window's length and slide are multiples of the batch interval, which is \(batchInterval)")
    }

    /// Whether a window ends with this batch: it slides from the query's start on.
    func fires(at timeMs: Int64, start: Int64?) -> Bool {
        guard let start else { return false }
        return (timeMs - start) % slideMs == 0
    }

    /// A window that ends at `timeMs` has the batches behind this time.
    func begin(of timeMs: Int64) -> Int64 { timeMs - lengthMs }

    /// Batches up to this time are in no window that ends behind `timeMs`, at which one has ended.
    func expired(at timeMs: Int64) -> Int64 { timeMs + slideMs - lengthMs }
}
