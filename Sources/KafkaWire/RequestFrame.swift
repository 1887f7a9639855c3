/// A request with its header: what follows the four-byte length of a frame.
package struct RequestFrame: Equatable, Sendable {
    package var header: RequestHeader
    package var request: Request

    package init(header: RequestHeader, request: Request) {
        self.header = header
        self.request = request
    }

    /// Record batches in the request are slices of `bytes`; all else is copied. Bytes after the last field are passed
    /// over, as in Apache Kafka. A list of empty elements takes up to some fifty times the memory of its bytes: who
    /// takes frames from outside bounds their length.
    package init(decoding bytes: ArraySlice<UInt8>) throws(WireError) {
        var body = bytes
        header = try RequestHeader(decoding: &body)
        guard header.isServed else {
            request = .unsupportedAPIVersions
            return
        }
        let isFlexible = header.key.isFlexible(header.version)
        var reader = WireReader(body, version: header.version, isFlexible: isFlexible)
        request = try Request(header.key, from: &reader)
    }

    /// The whole frame with its length, as a client sends it.
    package func encode() throws(WireError) -> [UInt8] {
        var writer = WireWriter(version: header.version, isFlexible: header.key.isFlexible(header.version))
        writer.append(contentsOf: [0, 0, 0, 0])
        try header.encode(into: &writer)
        try request.message.write(to: &writer)
        try writer.sealFrame()
        return writer.bytes
    }
}
