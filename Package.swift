// swift-tools-version: 6.2
import PackageDescription

// One list of settings for every target (docs/style: warnings are errors under CI, set by scripts/test).
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
/// Modules that hold raw memory or C handles: every unsafe use is spelled out.
let strictSettings = settings + [.strictMemorySafety()]

func module(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = [], strict: Bool = false)
    -> Target
{
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict ? strictSettings : settings)
}

func tests(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency], resources: [Resource] = [])
    -> Target
{
    .testTarget(name: name, dependencies: dependencies, path: path, resources: resources, swiftSettings: settings)
}

func connector(_ name: String, folder: String, _ dependencies: [Target.Dependency]) -> [Target] {
    [
        module(
            name, path: "connectors/\(folder)/Sources",
            ["StreamCore", "CommitProtocol", "ConnectorKit", "Formats"] + dependencies),
        tests(
            "\(name)Tests", path: "connectors/\(folder)/Tests",
            [.target(name: name), "StreamCore", "CommitProtocol", "ConnectorKit", "Formats"]),
    ]
}

/// An example of a page's length; what they share is in ExampleSupport.
func example(_ name: String) -> Target {
    .executableTarget(
        name: name, dependencies: ["DStreams", "ExampleSupport"], path: "examples/\(name)", exclude: ["README.md"],
        swiftSettings: settings)
}

func system(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
    name: "millrace",
    products: [
        .executable(name: "millrace", targets: ["millrace"]),
        .library(name: "DStreams", targets: ["DStreams"]),
        .library(name: "StreamTesting", targets: ["StreamTesting"]),
        .library(name: "EmbeddedKafka", targets: ["EmbeddedKafka"]),
    ],
    targets: [
        // C and C++ libraries: each has exactly one importer.
        system("CRDKafka", "rdkafka", "librdkafka-dev"),
        system("CYAML", "yaml-0.1", "libyaml-dev"),
        system("CMicrohttpd", "libmicrohttpd", "libmicrohttpd-dev"),
        system("CSystemd", "libsystemd", "libsystemd-dev"),
        system("CPCRE2", "libpcre2-8", "libpcre2-dev"),
        system("CRocksDB", "rocksdb", "librocksdb-dev"),
        system("CUV", "libuv", "libuv1-dev"),
        .target(name: "CJSON", linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++")]),
        .target(name: "CCCTZ", linkerSettings: [.linkedLibrary("cctz"), .linkedLibrary("stdc++")]),

        // The core, from the bottom up.
        module("StreamCore", strict: true),
        module("CommitProtocol", ["StreamCore"]),
        module("StateStore", ["StreamCore", "CRocksDB"], strict: true),
        module("StreamEngine", ["StreamCore", "CommitProtocol", "StateStore"]),
        module("Formats", ["StreamCore", "CJSON"], strict: true),
        module("KafkaClient", ["StreamCore", "CommitProtocol", "CRDKafka"], strict: true),
        module("ConnectorKit", ["StreamCore", "CommitProtocol"]),
        module("StreamSQL", ["StreamCore", "CPCRE2", "CCCTZ"]),
        module(
            "DStreams",
            [
                "StreamCore", "CommitProtocol", "StateStore", "StreamEngine", "ConnectorKit", "Formats", "KafkaClient",
            ]),
        module(
            "StreamService",
            [
                "StreamCore", "CommitProtocol", "StreamEngine", "Formats", "KafkaClient", "ConnectorKit", "StreamSQL",
                "KafkaConnector", "GenerateConnector", "FileConnector", "StdoutConnector", "BrokerServer",
                "EmbeddedBroker", "CYAML", "CMicrohttpd", "CSystemd",
            ]),
        .executableTarget(
            name: "millrace", dependencies: ["StreamCore", "ConnectorKit", "StreamService"], swiftSettings: settings),
        module("StreamTesting", ["StreamCore", "CommitProtocol", "StreamEngine"]),

        // The embedded broker, from the bottom up.
        module("KafkaWire"),
        module("EmbeddedBroker", ["KafkaWire"]),
        module("BrokerServer", ["StreamCore", "KafkaWire", "EmbeddedBroker", "CUV"], strict: true),
        module("EmbeddedKafka", ["StreamCore", "EmbeddedBroker", "BrokerServer"]),

        // The engine on a simulated cluster and on the embedded broker's machine: what scripts/simulate runs.
        module(
            "EngineSimulation",
            [
                "StreamCore", "CommitProtocol", "StateStore", "StreamEngine", "StreamTesting", "KafkaWire",
                "EmbeddedBroker",
            ]),
        .executableTarget(
            name: "millrace-simulate", dependencies: ["StreamCore", "EngineSimulation"], path: "Tests/Simulate",
            swiftSettings: settings),
        tests(
            "StreamEngineTests",
            ["StreamCore", "CommitProtocol", "StateStore", "StreamEngine", "StreamTesting", "EngineSimulation"]),

        tests("StreamCoreTests", ["StreamCore"]),
        tests("CommitProtocolTests", ["StreamCore", "CommitProtocol"]),
        tests("StateStoreTests", ["StreamCore", "StateStore"]),
        tests("FormatsTests", ["StreamCore", "Formats"]),
        tests("KafkaWireTests", ["KafkaWire"], resources: [.copy("Golden")]),
        tests("KafkaClientTests", ["StreamCore", "CommitProtocol", "KafkaClient"]),
        tests("BrokerServerTests", ["StreamCore", "KafkaWire", "EmbeddedBroker", "BrokerServer"]),
        tests("ConnectorKitTests", ["StreamCore", "ConnectorKit"]),
        tests("StreamSQLTests", ["StreamCore", "StreamSQL"]),
        tests("EmbeddedBrokerTests", ["KafkaWire", "EmbeddedBroker"]),
        tests(
            "DStreamsTests",
            [
                "StreamCore", "CommitProtocol", "StateStore", "StreamEngine", "StreamTesting", "DStreams",
                "EmbeddedKafka",
            ]),
        tests(
            "StreamServiceTests",
            [
                "StreamCore", "CommitProtocol", "StreamEngine", "StreamTesting", "ConnectorKit", "KafkaConnector",
                "GenerateConnector", "BrokerServer", "StreamService",
            ]),

        .executableTarget(
            name: "DirectKafkaWordCount", dependencies: ["DStreams"], path: "examples/DirectKafkaWordCount",
            exclude: ["README.md"], swiftSettings: settings),
        module("ExampleSupport", path: "examples/Support", ["DStreams"]),
        module("BenchSupport", path: "bench/Support"),
        example("NetworkWordCount"),
        example("HdfsWordCount"),
        example("QueueStream"),
        example("CustomReceiver"),
        example("StatefulNetworkWordCount"),
        example("RecoverableNetworkWordCount"),
        example("StatefulKafkaWordCount"),
        .executableTarget(
            name: "CampaignCount", dependencies: ["BenchSupport", "DStreams", "ExampleSupport"],
            path: "bench/CampaignCount", swiftSettings: settings),
        .executableTarget(
            name: "KeyedCount", dependencies: ["BenchSupport", "DStreams", "ExampleSupport"],
            path: "bench/KeyedCount", swiftSettings: settings),
        .executableTarget(
            name: "StateLoad", dependencies: ["DStreams", "ExampleSupport"], path: "bench/StateLoad",
            swiftSettings: settings),
        example("WindowedKafkaWordCount"),
        .executableTarget(
            name: "CopyLines", dependencies: ["DStreams", "ExampleSupport"], path: "Tests/RealKafka/programs/CopyLines",
            swiftSettings: settings),
    ]
        + connector("KafkaConnector", folder: "kafka", ["KafkaClient"])
        + connector("GenerateConnector", folder: "generate", [])
        + connector("FileConnector", folder: "file", [])
        + connector("StdoutConnector", folder: "stdout", []),
    cxxLanguageStandard: .cxx20
)
