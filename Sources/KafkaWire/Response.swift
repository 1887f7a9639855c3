/// A response to be sent, by API.
package enum Response: Equatable, Sendable {
    case produce(ProduceResponse)
    case fetch(FetchResponse)
    case listOffsets(ListOffsetsResponse)
    case metadata(MetadataResponse)
    case offsetCommit(OffsetCommitResponse)
    case offsetFetch(OffsetFetchResponse)
    case findCoordinator(FindCoordinatorResponse)
    case joinGroup(JoinGroupResponse)
    case heartbeat(HeartbeatResponse)
    case leaveGroup(LeaveGroupResponse)
    case syncGroup(SyncGroupResponse)
    case describeGroups(DescribeGroupsResponse)
    case listGroups(ListGroupsResponse)
    case apiVersions(APIVersionsResponse)
    case createTopics(CreateTopicsResponse)
    case deleteTopics(DeleteTopicsResponse)
    case deleteRecords(DeleteRecordsResponse)
    case initProducerID(InitProducerIDResponse)
    case offsetForLeaderEpoch(OffsetForLeaderEpochResponse)
    case addPartitionsToTxn(AddPartitionsToTxnResponse)
    case addOffsetsToTxn(AddOffsetsToTxnResponse)
    case endTxn(EndTxnResponse)
    case txnOffsetCommit(TxnOffsetCommitResponse)
    case describeConfigs(DescribeConfigsResponse)
    case alterConfigs(AlterConfigsResponse)
    case createPartitions(CreatePartitionsResponse)
    case deleteGroups(DeleteGroupsResponse)
    case incrementalAlterConfigs(IncrementalAlterConfigsResponse)
    case offsetDelete(OffsetDeleteResponse)
    case describeCluster(DescribeClusterResponse)
    case describeProducers(DescribeProducersResponse)
    case describeTransactions(DescribeTransactionsResponse)
    case listTransactions(ListTransactionsResponse)

    package var message: any WireMessage {
        switch self {
        case .produce(let message): message
        case .fetch(let message): message
        case .listOffsets(let message): message
        case .metadata(let message): message
        case .offsetCommit(let message): message
        case .offsetFetch(let message): message
        case .findCoordinator(let message): message
        case .joinGroup(let message): message
        case .heartbeat(let message): message
        case .leaveGroup(let message): message
        case .syncGroup(let message): message
        case .describeGroups(let message): message
        case .listGroups(let message): message
        case .apiVersions(let message): message
        case .createTopics(let message): message
        case .deleteTopics(let message): message
        case .deleteRecords(let message): message
        case .initProducerID(let message): message
        case .offsetForLeaderEpoch(let message): message
        case .addPartitionsToTxn(let message): message
        case .addOffsetsToTxn(let message): message
        case .endTxn(let message): message
        case .txnOffsetCommit(let message): message
        case .describeConfigs(let message): message
        case .alterConfigs(let message): message
        case .createPartitions(let message): message
        case .deleteGroups(let message): message
        case .incrementalAlterConfigs(let message): message
        case .offsetDelete(let message): message
        case .describeCluster(let message): message
        case .describeProducers(let message): message
        case .describeTransactions(let message): message
        case .listTransactions(let message): message
        }
    }

    package init(_ key: APIKey, from reader: inout WireReader) throws(WireError) {
        switch key {
        case .produce: self = .produce(try reader.message())
        case .fetch: self = .fetch(try reader.message())
        case .listOffsets: self = .listOffsets(try reader.message())
        case .metadata: self = .metadata(try reader.message())
        case .offsetCommit: self = .offsetCommit(try reader.message())
        case .offsetFetch: self = .offsetFetch(try reader.message())
        case .findCoordinator: self = .findCoordinator(try reader.message())
        case .joinGroup: self = .joinGroup(try reader.message())
        case .heartbeat: self = .heartbeat(try reader.message())
        case .leaveGroup: self = .leaveGroup(try reader.message())
        case .syncGroup: self = .syncGroup(try reader.message())
        case .describeGroups: self = .describeGroups(try reader.message())
        case .listGroups: self = .listGroups(try reader.message())
        case .apiVersions: self = .apiVersions(try reader.message())
        case .createTopics: self = .createTopics(try reader.message())
        case .deleteTopics: self = .deleteTopics(try reader.message())
        case .deleteRecords: self = .deleteRecords(try reader.message())
        case .initProducerID: self = .initProducerID(try reader.message())
        case .offsetForLeaderEpoch: self = .offsetForLeaderEpoch(try reader.message())
        case .addPartitionsToTxn: self = .addPartitionsToTxn(try reader.message())
        case .addOffsetsToTxn: self = .addOffsetsToTxn(try reader.message())
        case .endTxn: self = .endTxn(try reader.message())
        case .txnOffsetCommit: self = .txnOffsetCommit(try reader.message())
        case .describeConfigs: self = .describeConfigs(try reader.message())
        case .alterConfigs: self = .alterConfigs(try reader.message())
        case .createPartitions: self = .createPartitions(try reader.message())
        case .deleteGroups: self = .deleteGroups(try reader.message())
        case .incrementalAlterConfigs: self = .incrementalAlterConfigs(try reader.message())
        case .offsetDelete: self = .offsetDelete(try reader.message())
        case .describeCluster: self = .describeCluster(try reader.message())
        case .describeProducers: self = .describeProducers(try reader.message())
        case .describeTransactions: self = .describeTransactions(try reader.message())
        case .listTransactions: self = .listTransactions(try reader.message())
        }
    }
}
