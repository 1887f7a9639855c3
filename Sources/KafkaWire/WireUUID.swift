/// The 16 bytes of a topic id (KIP-516), most significant first; all zeros stands for none.
package struct WireUUID: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package static let zero = WireUUID(high: 0, low: 0)

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}
