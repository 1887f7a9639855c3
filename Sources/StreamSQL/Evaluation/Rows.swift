import StreamCore

/// The rows that a kernel works on: all of a batch, or some of them. Results have a place for every row of the batch;
/// what stands at the other rows is unspecified.
struct Rows {
    /// Rows of the batch.
    let count: Int
    /// Ascending; nil means all.
    let indices: [Int32]?

    init(count: Int, indices: [Int32]? = nil) {
        self.count = count
        self.indices = indices
    }

    var activeCount: Int { indices?.count ?? count }
    var isEmpty: Bool { activeCount == 0 }

    /// Calls `body` with each active row, ascending.
    @inline(__always)
    func forEachRow(_ body: (Int) -> Void) {
        if let indices {
            for row in indices { body(Int(row)) }
        } else {
            for row in 0..<count { body(row) }
        }
    }

    func filter(_ isIncluded: (Int) -> Bool) -> Rows {
        var kept: [Int32] = []
        kept.reserveCapacity(activeCount)
        forEachRow { if isIncluded($0) { kept.append(Int32(truncatingIfNeeded: $0)) } }
        return kept.count == activeCount ? self : Rows(count: count, indices: kept)
    }

    /// Without the rows of a bitmap.
    func without(_ bitmap: Bitmap?) -> Rows {
        guard let bitmap else { return self }
        return filter { !bitmap[$0] }
    }
}

/// What went wrong with one row: Spark's error class and a short message that does not quote the data.
struct RowError: Error, Hashable {
    var code: StreamError.Code
    var message: String

    init(_ code: StreamError.Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Faults of the rows of one batch; only the first of a row is kept.
struct FaultList {
    private(set) var faults: [RowFault] = []
    private(set) var rows: Bitmap?
    private let count: Int

    init(count: Int) { self.count = count }

    mutating func add(_ error: RowError, row: Int) {
        if rows == nil { rows = Bitmap(count: count) }
        if rows?[row] == true { return }
        rows?[row] = true
        faults.append(RowFault(row: Int32(truncatingIfNeeded: row), code: error.code, message: error.message))
    }
}

/// Everything that evaluating one batch shares.
final class EvaluationContext {
    let columns: [Column]
    let count: Int
    /// The batch's time in microseconds: `now()` is the same for every row of an epoch.
    let now: Int64
    let zone: TimeZone
    var faults: FaultList

    init(columns: [Column], count: Int, now: Int64, zone: TimeZone) {
        self.columns = columns
        self.count = count
        self.now = now
        self.zone = zone
        faults = FaultList(count: count)
    }
}
