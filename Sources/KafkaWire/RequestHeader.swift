/// What stands before every request's body: header version 1, or 2 where the API's version is flexible (KIP-482).
package struct RequestHeader: Equatable, Sendable {
    package var key: APIKey
    package var version: Int16
    package var correlationID: Int32
    package var clientID: String?

    package init(key: APIKey, version: Int16, correlationID: Int32, clientID: String?) {
        self.key = key
        self.version = version
        self.correlationID = correlationID
        self.clientID = clientID
    }

    package var isServed: Bool { key.versions.contains(version) }

    /// The version of the answer. To ApiVersions all clients understand version 0 (KIP-511).
    package var responseVersion: Int16 { isServed ? version : 0 }

    /// - Throws: also for an API or a version that is not served, other than of ApiVersions.
    package init(decoding bytes: inout ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(bytes, version: 0, isFlexible: false)
        var rawKey: Int16 = 0
        var version: Int16 = 0
        var correlationID: Int32 = 0
        try reader.field(&rawKey)
        try reader.field(&version)
        try reader.field(&correlationID)
        guard let key = APIKey(rawValue: rawKey) else { throw .unknownAPI(rawKey) }
        guard key.versions.contains(version) || key == .apiVersions else { throw .unsupportedVersion(key, version) }
        var clientID: String?
        try reader.field(&clientID)
        self.init(key: key, version: version, correlationID: correlationID, clientID: clientID)
        if key.isFlexible(version) {
            var tags = WireReader(reader.rest, version: version, isFlexible: true)
            try tags.noTags()
            bytes = tags.rest
        } else {
            bytes = reader.rest
        }
    }

    /// The header's bytes, as a client sends them.
    func encode(into writer: inout WireWriter) throws(WireError) {
        var header = WireWriter(version: 0, isFlexible: false)
        var copy = self
        var rawKey = key.rawValue
        try header.field(&rawKey)
        try header.field(&copy.version)
        try header.field(&copy.correlationID)
        // The client id keeps its two-byte length in flexible versions too.
        try header.field(&copy.clientID)
        writer.append(contentsOf: header.bytes)
        try writer.noTags()
    }
}
