import KafkaWire

extension BrokerCore {
    func describeGroups(_ request: DescribeGroupsRequest) -> DescribeGroupsResponse {
        DescribeGroupsResponse {
            $0.groups = request.groups.map { groupId in
                let group = groups.describe(groupId)
                return DescribeGroupsResponse.Group {
                    $0.errorCode = groupId.isEmpty ? .invalidGroupID : .none
                    $0.groupID = groupId
                    $0.state = group.state.rawValue
                    $0.protocolType = group.protocolType
                    $0.protocolData = group.protocolName
                    if request.includeAuthorizedOperations { $0.authorizedOperations = AuthorizedOperations.group }
                    $0.members = group.members.map { member in
                        DescribeGroupsResponse.Member {
                            $0.memberID = member.memberId
                            $0.groupInstanceID = member.instanceId
                            $0.clientID = member.clientId
                            $0.clientHost = member.clientHost
                            $0.metadata = member.subscription
                            $0.assignment = member.assignment
                        }
                    }
                }
            }
        }
    }

    /// Filters do not mind the case (KIP-518, KIP-848).
    func listGroups(_ request: ListGroupsRequest) -> ListGroupsResponse {
        let states = Set(request.statesFilter.map { $0.lowercased() })
        let types = Set(request.typesFilter.map { $0.lowercased() })
        return ListGroupsResponse {
            guard types.isEmpty || types.contains("classic") else { return }
            $0.groups = groups.groupIds.compactMap { groupId in
                let group = groups.describe(groupId)
                guard states.isEmpty || states.contains(group.state.rawValue.lowercased()) else { return nil }
                return ListGroupsResponse.Group {
                    $0.groupID = groupId
                    $0.protocolType = group.protocolType
                    $0.state = group.state.rawValue
                    $0.type = "classic"
                }
            }
        }
    }

    func deleteGroups(_ request: DeleteGroupsRequest, _ call: Call) -> DeleteGroupsResponse {
        DeleteGroupsResponse {
            $0.groups = request.groupIDs.map { groupId in
                DeleteGroupsResponse.Group {
                    $0.groupID = groupId
                    guard !groupId.isEmpty else {
                        $0.errorCode = .invalidGroupID
                        return
                    }
                    do throws(CoordinationError) {
                        keep(try groups.delete(groupId).flatMap(records), now: call.now)
                    } catch { $0.errorCode = ErrorCode(error) }
                }
            }
        }
    }

    func offsetDelete(_ request: OffsetDeleteRequest, _ call: Call) -> OffsetDeleteResponse {
        let wanted = request.topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic.name, $0.partition) }
        }
        return OffsetDeleteResponse {
            let outcome: OffsetOutcome
            do throws(CoordinationError) {
                guard !request.groupID.isEmpty else { throw .invalidGroupId }
                outcome = try groups.deleteOffsets(
                    groupId: request.groupID, wanted.filter { log($0.topic, $0.partition) != nil })
            } catch {
                $0.errorCode = ErrorCode(error)
                return
            }
            keep(outcome.records.flatMap { records(.offset(groupId: request.groupID, $0)) }, now: call.now)
            let errors = Dictionary(outcome.answers.map { ($0.partition, ErrorCode($0.error)) }) { $1 }
            $0.topics = request.topics.map { topic in
                OffsetDeleteResponse.Topic {
                    $0.name = topic.name
                    $0.partitions = topic.partitions.map { partition in
                        OffsetDeleteResponse.Partition {
                            $0.partition = partition.partition
                            $0.errorCode =
                                errors[TopicPartition(topic.name, partition.partition)] ?? .unknownTopicOrPartition
                        }
                    }
                }
            }
        }
    }
}
