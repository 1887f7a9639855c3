/// A frame's body to be sent, in pieces: records go from where they lie to the socket without a copy of ours.
package struct ResponseBytes: Sendable {
    package private(set) var pieces: [ArraySlice<UInt8>] = []
    package private(set) var count = 0

    package init() {}

    package init(_ bytes: [UInt8]) {
        append(bytes[...])
    }

    package mutating func append(_ bytes: [UInt8]) {
        append(bytes[...])
    }

    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        guard !bytes.isEmpty else { return }
        count += bytes.count
        pieces.append(bytes)
    }
}
