public import CommitProtocol
public import ConnectorKit

/// The `generate` source.
public struct GenerateSource: Source {
    public let config: GenerateConfig
    private let context: ConnectorContext

    public init(_ config: GenerateConfig, _ context: ConnectorContext) {
        self.config = config
        self.context = context
    }

    public var isReplayable: Bool { true }
    public var isBounded: Bool { config.count != nil }

    public func makeInput() -> any InputPort { GenerateInput(config, context) }
}
