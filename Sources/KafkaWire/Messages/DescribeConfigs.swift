/// Asks for the settings of topics, brokers or groups.
package struct DescribeConfigsRequest: WireMessage {
    package var resources: [Resource] = []
    package var includeSynonyms: Bool = false
    package var includeDocumentation: Bool = false

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&resources)
        try coder.field(&includeSynonyms)
        if coder.version >= 3 { try coder.field(&includeDocumentation) }
        try coder.noTags()
    }

    package struct Resource: WireMessage {
        package var resourceType: Int8 = 0
        package var resourceName: String = ""
        package var configNames: [String]? = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&resourceType)
            try coder.field(&resourceName)
            try coder.field(&configNames)
            try coder.noTags()
        }
    }
}

/// Settings, where each comes from, and its synonyms (KIP-226).
package struct DescribeConfigsResponse: WireMessage {
    package var throttleTimeMs: Int32 = 0
    package var resources: [Resource] = []

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&throttleTimeMs)
        try coder.field(&resources)
        try coder.noTags()
    }

    package struct Resource: WireMessage {
        package var errorCode: ErrorCode = .none
        package var errorMessage: String? = ""
        package var resourceType: Int8 = 0
        package var resourceName: String = ""
        package var configs: [Config] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&errorCode)
            try coder.field(&errorMessage)
            try coder.field(&resourceType)
            try coder.field(&resourceName)
            try coder.field(&configs)
            try coder.noTags()
        }
    }

    package struct Config: WireMessage {
        package var name: String = ""
        package var value: String? = ""
        package var readOnly: Bool = false
        package var configSource: Int8 = -1
        package var isSensitive: Bool = false
        package var synonyms: [Synonym] = []
        package var configType: Int8 = 0
        package var documentation: String? = ""

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&value)
            try coder.field(&readOnly)
            try coder.field(&configSource)
            try coder.field(&isSensitive)
            try coder.field(&synonyms)
            if coder.version >= 3 {
                try coder.field(&configType)
                try coder.field(&documentation)
            }
            try coder.noTags()
        }
    }

    package struct Synonym: WireMessage {
        package var name: String = ""
        package var value: String? = ""
        package var source: Int8 = 0

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&value)
            try coder.field(&source)
            try coder.noTags()
        }
    }
}
