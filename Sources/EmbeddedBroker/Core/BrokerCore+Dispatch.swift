import KafkaWire

extension BrokerCore {
    /// The answer to a request, or nil where it comes later or was given already.
    func respond(to request: Request, _ call: Call) -> Response? {
        switch request {
        case .produce(let request): produce(request, call)
        case .fetch(let request): fetch(request, call)
        case .listOffsets(let request): .listOffsets(listOffsets(request))
        case .offsetForLeaderEpoch(let request): .offsetForLeaderEpoch(offsetForLeaderEpoch(request))
        case .metadata(let request): .metadata(metadata(request, call))
        case .apiVersions(let request): .apiVersions(apiVersions(request, call))
        case .unsupportedAPIVersions: .apiVersions(.supported(errorCode: .unsupportedVersion))
        case .describeCluster(let request): .describeCluster(describeCluster(request))
        case .findCoordinator(let request): .findCoordinator(findCoordinator(request, call))
        default: respondToAdministration(request, call) ?? respondToCoordination(request, call)
        }
    }

    private func respondToAdministration(_ request: Request, _ call: Call) -> Response? {
        switch request {
        case .createTopics(let request): .createTopics(createTopics(request, call))
        case .deleteTopics(let request): .deleteTopics(deleteTopics(request, call))
        case .createPartitions(let request): .createPartitions(createPartitions(request, call))
        case .deleteRecords(let request): .deleteRecords(deleteRecords(request))
        case .describeConfigs(let request): .describeConfigs(describeConfigs(request))
        case .alterConfigs(let request): .alterConfigs(alterConfigs(request, call))
        case .incrementalAlterConfigs(let request):
            .incrementalAlterConfigs(incrementalAlterConfigs(request, call))
        case .describeGroups(let request): .describeGroups(describeGroups(request))
        case .listGroups(let request): .listGroups(listGroups(request))
        case .describeProducers(let request): .describeProducers(describeProducers(request))
        case .describeTransactions(let request): .describeTransactions(describeTransactions(request))
        case .listTransactions(let request): .listTransactions(listTransactions(request, call))
        default: nil
        }
    }

    private func respondToCoordination(_ request: Request, _ call: Call) -> Response? {
        coordinatorDeadline = nil
        switch request {
        case .joinGroup(let request): joinGroup(request, call)
        case .syncGroup(let request): syncGroup(request, call)
        case .heartbeat(let request): return .heartbeat(heartbeat(request, call))
        case .leaveGroup(let request): return .leaveGroup(leaveGroup(request, call))
        case .deleteGroups(let request): return .deleteGroups(deleteGroups(request, call))
        case .offsetCommit(let request): return .offsetCommit(offsetCommit(request, call))
        case .offsetFetch(let request): return .offsetFetch(offsetFetch(request, call))
        case .offsetDelete(let request): return .offsetDelete(offsetDelete(request, call))
        case .initProducerID(let request): return .initProducerID(initProducerId(request, call))
        case .addPartitionsToTxn(let request): return .addPartitionsToTxn(addPartitionsToTxn(request, call))
        case .addOffsetsToTxn(let request): return .addOffsetsToTxn(addOffsetsToTxn(request, call))
        case .txnOffsetCommit(let request): return .txnOffsetCommit(txnOffsetCommit(request, call))
        case .endTxn(let request): return .endTxn(endTxn(request, call))
        default: break
        }
        return nil
    }
}
