/// A response with its header: the correlation id, and tagged fields where the API's version is flexible.
package struct ResponseFrame: Equatable, Sendable {
    package var correlationID: Int32
    package var response: Response

    package init(correlationID: Int32, response: Response) {
        self.correlationID = correlationID
        self.response = response
    }

    /// The frame that answers the request of `header`, with its four-byte length.
    package static func encode(_ response: Response, to header: RequestHeader) throws(WireError) -> [UInt8] {
        try write(response, to: header, reserving: response.sizeHint, detachingFrom: .max).bytes
    }

    /// The same in pieces: record batches of `detachedMin` bytes and more stay where they are.
    package static func pieces(_ response: Response, to header: RequestHeader, detachingFrom detachedMin: Int)
        throws(WireError) -> [ArraySlice<UInt8>]
    {
        try write(response, to: header, reserving: 0, detachingFrom: detachedMin).pieces
    }

    private static func write(
        _ response: Response, to header: RequestHeader, reserving capacity: Int, detachingFrom detachedMin: Int
    ) throws(WireError) -> WireWriter {
        let version = header.responseVersion
        var writer = WireWriter(
            version: version, isFlexible: header.key.isFlexible(version), reserving: capacity,
            detachingFrom: detachedMin)
        writer.append(contentsOf: [0, 0, 0, 0])
        var correlationID = header.correlationID
        try writer.field(&correlationID)
        // ApiVersions keeps the old header: it is read before the client knows what the broker speaks (KIP-511).
        if header.key != .apiVersions { try writer.noTags() }
        try response.message.write(to: &writer)
        try writer.sealFrame()
        return writer
    }

    /// Reads what follows a frame's length, as the client that sent a request of this API and version.
    package init(decoding bytes: ArraySlice<UInt8>, key: APIKey, version: Int16) throws(WireError) {
        guard key.versions.contains(version) else { throw .unsupportedVersion(key, version) }
        var reader = WireReader(bytes, version: version, isFlexible: key.isFlexible(version))
        correlationID = 0
        try reader.field(&correlationID)
        if key != .apiVersions { try reader.noTags() }
        response = try Response(key, from: &reader)
    }
}

extension Response {
    /// Room for the record batches of a fetch, so that a large frame is not moved as it grows.
    fileprivate var sizeHint: Int {
        guard case .fetch(let fetch) = self else { return 0 }
        var size = 256
        for topic in fetch.topics {
            for partition in topic.partitions { size += 64 + (partition.records?.count ?? 0) }
        }
        return size
    }
}

extension APIVersionsResponse {
    /// The answer to ApiVersions, from the table of what is served.
    package static func supported(errorCode: ErrorCode = .none) -> APIVersionsResponse {
        APIVersionsResponse {
            $0.errorCode = errorCode
            $0.apis = APIVersions.supported.map { entry in
                API {
                    $0.apiKey = entry.key.rawValue
                    $0.minVersion = entry.versions.lowerBound
                    $0.maxVersion = entry.versions.upperBound
                }
            }
        }
    }
}
