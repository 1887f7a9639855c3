/// How far the restoring of state has come.
public struct RestoreProgress: Sendable, Hashable, CustomStringConvertible {
    /// Changes that were read.
    public var records: Int
    /// Offsets that are left; compaction has emptied some of them.
    public var remainingOffsets: Int64
    /// Of all offsets that had to be read, from 0 to 1.
    public var share: Double
    public var elapsed: Duration

    /// How long it will still take at the pace so far; nil before there is one.
    public var timeLeft: Duration? { share > 0 ? elapsed * ((1 - share) / share) : nil }

    public var description: String {
        let left = timeLeft.map { ", about \(max(1, $0.components.seconds)) s left" } ?? ""
        return "\(Int(share * 100)) %, \(records) changes\(left)"
    }
}
