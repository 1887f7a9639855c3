/// Which versions of the served APIs are answered, as ApiVersions tells clients.
package enum APIVersions {
    package struct Entry: Equatable, Sendable {
        package let key: APIKey
        package let versions: ClosedRange<Int16>
    }

    /// What clients are told. Apache Kafka 4 says that it serves Produce from version 0 on, and refuses 0 to 2:
    /// librdkafka does not compress for a broker without version 0 (KAFKA-18659).
    package static let supported: [Entry] = APIKey.allCases.map { key in
        Entry(key: key, versions: key == .produce ? 0...key.versions.upperBound : key.versions)
    }
}

extension APIKey {
    /// The versions that are read and written.
    package var versions: ClosedRange<Int16> { served.versions }

    /// Whether lengths are variable-length numbers and structs end in tagged fields (KIP-482).
    package func isFlexible(_ version: Int16) -> Bool {
        guard let first = served.flexibleFrom else { return false }
        return version >= first
    }

    /// The lowest versions are those of Apache Kafka 4 (KIP-896). The highest ones stop short of topic ids in data
    /// paths (KIP-516), of the second transaction protocol (KIP-890) and of the new group protocol (KIP-848).
    private var served: (versions: ClosedRange<Int16>, flexibleFrom: Int16?) {
        switch self {
        case .produce: (3...9, 9)
        case .fetch: (4...12, 12)
        case .listOffsets: (1...7, 6)
        case .metadata: (0...12, 9)
        case .offsetCommit: (2...8, 8)
        case .offsetFetch: (1...8, 6)
        case .findCoordinator: (0...4, 3)
        case .joinGroup: (0...9, 6)
        case .heartbeat: (0...4, 4)
        case .leaveGroup: (0...5, 4)
        case .syncGroup: (0...5, 4)
        case .describeGroups: (0...5, 5)
        case .listGroups: (0...5, 3)
        case .apiVersions: (0...4, 3)
        case .createTopics: (2...7, 5)
        case .deleteTopics: (1...6, 4)
        case .deleteRecords: (0...2, 2)
        case .initProducerID: (0...4, 2)
        case .offsetForLeaderEpoch: (2...4, 4)
        case .addPartitionsToTxn: (0...3, 3)
        case .addOffsetsToTxn: (0...3, 3)
        case .endTxn: (0...3, 3)
        case .txnOffsetCommit: (0...3, 3)
        case .describeConfigs: (1...4, 4)
        case .alterConfigs: (0...2, 2)
        case .createPartitions: (0...3, 2)
        case .deleteGroups: (0...2, 2)
        case .incrementalAlterConfigs: (0...1, 1)
        case .offsetDelete: (0...0, nil)
        case .describeCluster: (0...2, 0)
        case .describeProducers: (0...0, 0)
        case .describeTransactions: (0...0, 0)
        case .listTransactions: (0...1, 0)
        }
    }
}
