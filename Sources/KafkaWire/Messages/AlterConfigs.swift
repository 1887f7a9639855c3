/// Replaces all settings of resources.
package struct AlterConfigsRequest: WireMessage {
    package var resources: [Resource] = []
    package var validateOnly: Bool = false

    package init() {}

    package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
        try coder.field(&resources)
        try coder.field(&validateOnly)
        try coder.noTags()
    }

    package struct Resource: WireMessage {
        package var resourceType: Int8 = 0
        package var resourceName: String = ""
        package var configs: [Config] = []

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&resourceType)
            try coder.field(&resourceName)
            try coder.field(&configs)
            try coder.noTags()
        }
    }

    package struct Config: WireMessage {
        package var name: String = ""
        package var value: String? = ""

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&name)
            try coder.field(&value)
            try coder.noTags()
        }
    }
}

/// The outcome for each resource.
package struct AlterConfigsResponse: WireMessage {
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

        package init() {}

        package mutating func code<Coder: WireCoder>(_ coder: inout Coder) throws(WireError) {
            try coder.field(&errorCode)
            try coder.field(&errorMessage)
            try coder.field(&resourceType)
            try coder.field(&resourceName)
            try coder.noTags()
        }
    }
}
