import KafkaWire

/// What everybody may do where there is no authorizer, as bits (KIP-430).
enum AuthorizedOperations {
    static let notAsked = Int32.min
    static let topic: Int32 = 3_576
    static let group: Int32 = 3_400
    static let cluster: Int32 = 8_096
}

extension BrokerCore {
    func metadata(_ request: MetadataRequest, _ call: Call) -> MetadataResponse {
        MetadataResponse {
            $0.brokers = [
                MetadataResponse.Broker {
                    $0.nodeID = settings.nodeId
                    $0.host = settings.advertisedHost
                    $0.port = settings.advertisedPort
                }
            ]
            $0.clusterID = clusterId
            $0.controllerID = settings.nodeId
            if request.includeClusterAuthorizedOperations {
                $0.clusterAuthorizedOperations = AuthorizedOperations.cluster
            }
            let wanted = call.version == 0 && request.topics?.isEmpty == true ? nil : request.topics
            if let wanted {
                $0.topics = wanted.map { metadata(of: $0, request, call) }
            } else {
                $0.topics = topics.keys.sorted().compactMap { topics[$0] }.map { described($0, request) }
            }
        }
    }

    private func metadata(of wanted: MetadataRequest.Topic, _ request: MetadataRequest, _ call: Call)
        -> MetadataResponse.Topic
    {
        do throws(Refusal) {
            if wanted.topicID != .zero {
                guard let topic = topicNames[wanted.topicID].flatMap({ topics[$0] }) else {
                    throw Refusal(.unknownTopicID)
                }
                return described(topic, request)
            }
            // Before version 4 a client could not say that it wants no new topics.
            let creates = call.version < 4 || request.allowAutoTopicCreation
            return described(try topic(wanted.name ?? "", creates: creates, now: call.now), request)
        } catch {
            return MetadataResponse.Topic {
                $0.errorCode = error.code
                $0.name = wanted.name ?? (call.version >= 12 ? nil : "")
                $0.topicID = wanted.topicID
            }
        }
    }

    private func described(_ topic: Topic, _ request: MetadataRequest) -> MetadataResponse.Topic {
        MetadataResponse.Topic {
            $0.name = topic.name
            $0.topicID = topic.id
            if request.includeTopicAuthorizedOperations { $0.topicAuthorizedOperations = AuthorizedOperations.topic }
            $0.partitions = topic.logs.indices.map { partition in
                MetadataResponse.Partition {
                    $0.partition = Int32(clamping: partition)
                    $0.leaderID = settings.nodeId
                    $0.leaderEpoch = 0
                    $0.replicaNodes = [settings.nodeId]
                    $0.isrNodes = [settings.nodeId]
                }
            }
        }
    }

    func describeCluster(_ request: DescribeClusterRequest) -> DescribeClusterResponse {
        DescribeClusterResponse {
            // 1 asks for brokers, 2 for controllers (KIP-919), which have no address of their own here.
            guard request.endpointType == 1 else {
                $0.errorCode = request.endpointType == 2 ? .mismatchedEndpointType : .unsupportedEndpointType
                $0.errorMessage = "The request was sent to an endpoint of type BROKER."
                return
            }
            $0.clusterID = clusterId
            $0.controllerID = settings.nodeId
            $0.brokers = [
                DescribeClusterResponse.Broker {
                    $0.brokerID = settings.nodeId
                    $0.host = settings.advertisedHost
                    $0.port = settings.advertisedPort
                }
            ]
            if request.includeClusterAuthorizedOperations {
                $0.clusterAuthorizedOperations = AuthorizedOperations.cluster
            }
        }
    }

    func apiVersions(_ request: APIVersionsRequest, _ call: Call) -> APIVersionsResponse {
        // KIP-511: names and versions that can stand in metrics.
        let isSound = [request.clientSoftwareName, request.clientSoftwareVersion].allSatisfy { text in
            let bytes = Array(text.utf8)
            let isEdge = { (byte: UInt8?) in byte.map(Self.isLetterOrDigit) ?? false }
            return isEdge(bytes.first) && isEdge(bytes.last)
                && bytes.allSatisfy { Self.isLetterOrDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        }
        guard call.version < 3 || isSound else { return APIVersionsResponse { $0.errorCode = .invalidRequest } }
        return .supported()
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter)
    }

    /// This node coordinates everything.
    func findCoordinator(_ request: FindCoordinatorRequest, _ call: Call) -> FindCoordinatorResponse {
        FindCoordinatorResponse {
            // Type 2 is for share groups.
            let isServed = request.keyType == 0 || request.keyType == 1
            let error: ErrorCode = isServed ? .none : .invalidRequest
            guard call.version < 4 else {
                $0.coordinators = request.coordinatorKeys.map { key in
                    FindCoordinatorResponse.Coordinator {
                        $0.key = key
                        $0.errorCode = error
                        $0.errorMessage = nil
                        $0.nodeID = isServed ? settings.nodeId : -1
                        $0.host = isServed ? settings.advertisedHost : ""
                        $0.port = isServed ? settings.advertisedPort : -1
                    }
                }
                return
            }
            $0.errorCode = error
            $0.errorMessage = nil
            $0.nodeID = isServed ? settings.nodeId : -1
            $0.host = isServed ? settings.advertisedHost : ""
            $0.port = isServed ? settings.advertisedPort : -1
        }
    }
}
