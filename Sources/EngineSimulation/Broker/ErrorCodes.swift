import KafkaWire

/// Kafka puts the error of an answer in another place in each API.
extension Response {
    /// The first error in it.
    var errorCode: ErrorCode {
        switch self {
        case .produce(let answer): answer.topics.firstError { $0.partitions.firstError(\.errorCode) }
        case .fetch(let answer): answer.topics.firstError { $0.partitions.firstError(\.errorCode) }
        case .listOffsets(let answer): answer.topics.firstError { $0.partitions.firstError(\.errorCode) }
        case .metadata(let answer): answer.topics.firstError(\.errorCode)
        case .offsetFetch(let answer):
            answer.groups.firstError { group in
                group.errorCode != .none
                    ? group.errorCode : group.topics.firstError { $0.partitions.firstError(\.errorCode) }
            }
        case .offsetCommit(let answer): answer.topics.firstError { $0.partitions.firstError(\.errorCode) }
        case .joinGroup(let answer): answer.errorCode
        case .heartbeat(let answer): answer.errorCode
        case .syncGroup(let answer): answer.errorCode
        case .createTopics(let answer): answer.topics.firstError(\.errorCode)
        case .initProducerID(let answer): answer.errorCode
        case .addPartitionsToTxn(let answer): answer.topics.firstError { $0.partitions.firstError(\.errorCode) }
        case .addOffsetsToTxn(let answer): answer.errorCode
        case .endTxn(let answer): answer.errorCode
        case .txnOffsetCommit(let answer): answer.topics.firstError { $0.partitions.firstError(\.errorCode) }
        default: .none
        }
    }
}

extension Array {
    fileprivate func firstError(_ code: (Element) -> ErrorCode) -> ErrorCode {
        for element in self {
            let code = code(element)
            if code != .none { return code }
        }
        return .none
    }
}

extension Request {
    /// The answer of a broker that has not carried it out.
    func refused(with code: ErrorCode) -> Response? {
        switch self {
        case .produce(let request):
            .produce(
                ProduceResponse { answer in
                    answer.topics = request.topics.map { topic in
                        ProduceResponse.Topic {
                            $0.name = topic.name
                            $0.partitions = topic.partitions.map { partition in
                                ProduceResponse.Partition {
                                    $0.partition = partition.partition
                                    $0.errorCode = code
                                }
                            }
                        }
                    }
                })
        case .fetch(let request):
            .fetch(
                FetchResponse { answer in
                    answer.topics = request.topics.map { topic in
                        FetchResponse.Topic {
                            $0.name = topic.name
                            $0.partitions = topic.partitions.map { partition in
                                FetchResponse.Partition {
                                    $0.partition = partition.partition
                                    $0.errorCode = code
                                    $0.records = []
                                }
                            }
                        }
                    }
                })
        case .listOffsets(let request):
            .listOffsets(
                ListOffsetsResponse { answer in
                    answer.topics = request.topics.map { topic in
                        ListOffsetsResponse.Topic {
                            $0.name = topic.name
                            $0.partitions = topic.partitions.map { partition in
                                ListOffsetsResponse.Partition {
                                    $0.partition = partition.partition
                                    $0.errorCode = code
                                }
                            }
                        }
                    }
                })
        default: refusedByCoordinator(with: code)
        }
    }

    private func refusedByCoordinator(with code: ErrorCode) -> Response? {
        switch self {
        case .offsetFetch(let request):
            .offsetFetch(
                OffsetFetchResponse { answer in
                    answer.groups = request.groups.map { group in
                        OffsetFetchResponse.Group {
                            $0.groupID = group.groupID
                            $0.errorCode = code
                        }
                    }
                })
        case .joinGroup(let request):
            .joinGroup(
                JoinGroupResponse {
                    $0.errorCode = code
                    $0.memberID = request.memberID
                })
        case .syncGroup: .syncGroup(SyncGroupResponse { $0.errorCode = code })
        case .heartbeat: .heartbeat(HeartbeatResponse { $0.errorCode = code })
        case .initProducerID: .initProducerID(InitProducerIDResponse { $0.errorCode = code })
        case .addOffsetsToTxn: .addOffsetsToTxn(AddOffsetsToTxnResponse { $0.errorCode = code })
        case .endTxn: .endTxn(EndTxnResponse { $0.errorCode = code })
        case .addPartitionsToTxn(let request):
            .addPartitionsToTxn(
                AddPartitionsToTxnResponse { answer in
                    answer.topics = request.topics.map { topic in
                        AddPartitionsToTxnResponse.Topic {
                            $0.name = topic.name
                            $0.partitions = topic.partitions.map { partition in
                                AddPartitionsToTxnResponse.Partition {
                                    $0.partition = partition
                                    $0.errorCode = code
                                }
                            }
                        }
                    }
                })
        case .txnOffsetCommit(let request):
            .txnOffsetCommit(
                TxnOffsetCommitResponse { answer in
                    answer.topics = request.topics.map { topic in
                        TxnOffsetCommitResponse.Topic {
                            $0.name = topic.name
                            $0.partitions = topic.partitions.map { partition in
                                TxnOffsetCommitResponse.Partition {
                                    $0.partition = partition.partition
                                    $0.errorCode = code
                                }
                            }
                        }
                    }
                })
        default: nil
        }
    }
}
