import EmbeddedBroker
import KafkaWire

/// The requests of consumer groups.
extension SeedRecorder {
    typealias Member = (id: String, generation: Int32)

    @discardableResult
    func join(_ group: String, _ member: String, instance: String? = nil) -> Member {
        let way = JoinGroupRequest.GroupProtocol {
            $0.name = "range"
            // ConsumerProtocolSubscription, version 0: the topic "t".
            $0.metadata = [0, 0, 0, 0, 0, 1, 0, 1, 116, 0, 0, 0, 0]
        }
        let request = JoinGroupRequest {
            $0.groupID = group
            $0.memberID = member
            $0.groupInstanceID = instance
            $0.sessionTimeoutMs = 10_000
            $0.rebalanceTimeoutMs = 20_000
            $0.protocolType = "consumer"
            $0.protocols = [way]
        }
        guard case .joinGroup(let answer)? = ask(.joinGroup, .joinGroup(request)) else { return (member, -1) }
        return (answer.memberID, answer.generationID)
    }

    func sync(_ group: String, _ member: Member) {
        let request = SyncGroupRequest {
            $0.groupID = group
            $0.generationID = member.generation
            $0.memberID = member.id
            $0.protocolType = "consumer"
            $0.protocolName = "range"
            $0.assignments = [
                SyncGroupRequest.Assignment {
                    $0.memberID = member.id
                    $0.assignment = [7]
                }
            ]
        }
        ask(.syncGroup, .syncGroup(request))
    }

    func heartbeat(_ group: String, _ member: Member) {
        let request = HeartbeatRequest {
            $0.groupID = group
            $0.generationID = member.generation
            $0.memberID = member.id
        }
        ask(.heartbeat, .heartbeat(request))
    }

    func leave(_ group: String, _ member: Member) {
        let request = LeaveGroupRequest {
            $0.groupID = group
            $0.memberID = member.id
            $0.members = [LeaveGroupRequest.Member { $0.memberID = member.id }]
        }
        ask(.leaveGroup, .leaveGroup(request))
    }

    func commit(_ group: String, _ topic: String, _ offset: Int64, as member: Member) {
        let named = OffsetCommitRequest.Topic {
            $0.name = topic
            $0.partitions = [OffsetCommitRequest.Partition { $0.committedOffset = offset }]
        }
        let request = OffsetCommitRequest {
            $0.groupID = group
            $0.generationID = member.generation
            $0.memberID = member.id
            $0.topics = [named]
        }
        ask(.offsetCommit, .offsetCommit(request))
    }

    func committed(_ group: String, _ topic: String) {
        let named = OffsetFetchRequest.Topic {
            $0.name = topic
            $0.partitions = [0]
        }
        let request = OffsetFetchRequest {
            $0.groupID = group
            $0.topics = [named]
            $0.groups = [
                OffsetFetchRequest.Group {
                    $0.groupID = group
                    $0.topics = [named]
                }
            ]
        }
        ask(.offsetFetch, .offsetFetch(request))
    }

    func deleteOffsets(_ group: String, _ topic: String) {
        let named = OffsetDeleteRequest.Topic {
            $0.name = topic
            $0.partitions = [OffsetDeleteRequest.Partition()]
        }
        let request = OffsetDeleteRequest {
            $0.groupID = group
            $0.topics = [named]
        }
        ask(.offsetDelete, .offsetDelete(request))
    }

    func describe(group: String) {
        ask(.describeGroups, .describeGroups(DescribeGroupsRequest { $0.groups = [group] }))
        ask(.listGroups, .listGroups(ListGroupsRequest()))
        let search = FindCoordinatorRequest {
            $0.key = group
            $0.coordinatorKeys = [group]
        }
        ask(.findCoordinator, .findCoordinator(search))
    }
}
