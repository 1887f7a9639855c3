/// Asks which APIs and versions a broker serves.
package struct APIVersionsRequest: WireMessage {
    package var clientSoftwareName: String = ""
    package var clientSoftwareVersion: String = ""

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        if coder.version >= 3 {
            try coder.field(&clientSoftwareName)
            try coder.field(&clientSoftwareVersion)
        }
        try coder.noTags()
    }
}

/// The APIs and versions that are served, and feature levels (KIP-584).
package struct APIVersionsResponse: WireMessage {
    package var errorCode: ErrorCode = .none
    package var apis: [API] = []
    package var throttleTimeMs: Int32 = 0
    package var supportedFeatures: [SupportedFeature] = []
    package var finalizedFeaturesEpoch: Int64 = -1
    package var finalizedFeatures: [FinalizedFeature] = []
    package var zkMigrationReady: Bool = false

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&errorCode)
        try coder.field(&apis)
        if coder.version >= 1 { try coder.field(&throttleTimeMs) }
        var tags = try coder.startTags()
        try coder.tagged(0, in: &tags, isSet: !supportedFeatures.isEmpty) { coder throws(WireError) in
            try coder.field(&supportedFeatures)
        }
        try coder.tagged(1, in: &tags, isSet: finalizedFeaturesEpoch != -1) { coder throws(WireError) in
            try coder.field(&finalizedFeaturesEpoch)
        }
        try coder.tagged(2, in: &tags, isSet: !finalizedFeatures.isEmpty) { coder throws(WireError) in
            try coder.field(&finalizedFeatures)
        }
        try coder.tagged(3, in: &tags, isSet: zkMigrationReady) { coder throws(WireError) in
            try coder.field(&zkMigrationReady)
        }
        try coder.endTags(tags)
    }

    package struct API: WireMessage {
        package var apiKey: Int16 = 0
        package var minVersion: Int16 = 0
        package var maxVersion: Int16 = 0

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&apiKey)
            try coder.field(&minVersion)
            try coder.field(&maxVersion)
            try coder.noTags()
        }
    }

    package struct SupportedFeature: WireMessage {
        package var name: String = ""
        package var minVersion: Int16 = 0
        package var maxVersion: Int16 = 0

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&minVersion)
            try coder.field(&maxVersion)
            try coder.noTags()
        }
    }

    package struct FinalizedFeature: WireMessage {
        package var name: String = ""
        package var maxVersionLevel: Int16 = 0
        package var minVersionLevel: Int16 = 0

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&maxVersionLevel)
            try coder.field(&minVersionLevel)
            try coder.noTags()
        }
    }
}
