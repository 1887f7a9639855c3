public import ConnectorKit
private import FileConnector
private import GenerateConnector
private import KafkaConnector
private import StdoutConnector

/// Every connector that this program holds. Swift has no registration at import time; a list is plainer anyway.
public enum BuiltinConnectors {
    public static let registry = ConnectorRegistry([
        KafkaConnector(), GenerateConnector(), FileConnector(), StdoutConnector(),
    ])
}
