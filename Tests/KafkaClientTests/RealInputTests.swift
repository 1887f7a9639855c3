import CommitProtocol
import StreamCore
import Testing

@testable import KafkaClient

@Suite(.enabled(if: RealBroker.isThere, RealBroker.reason), .serialized)
struct RealInputTests {
    private static func group(
        _ id: String, _ topics: [String], strategy: ConsumerOptions.Strategy = .cooperativeSticky,
        instance: String? = nil
    ) throws -> InputDriver {
        var options = GroupInputOptions(groupID: id, instanceID: instance, topics: topics)
        options.strategy = strategy
        let input = try GroupInput(RealBroker.settings, options)
        input.start()
        return InputDriver(input)
    }

    private static func splits(_ topic: TopicName, _ count: Int32) -> Set<Split> {
        Set((0..<count).map { Split(topic, PartitionID($0)) })
    }

    /// The first member keeps its splits until it releases them, and only then does the second one get any.
    @Test(arguments: [ConsumerOptions.Strategy.cooperativeSticky, .range])
    func revokeHeldOpen(_ strategy: ConsumerOptions.Strategy) throws {
        let id = RealBroker.unique("held")
        let topic = TopicName(id)
        try RealBroker.withTopics([NewTopic(topic, partitions: 4)]) {
            let first = try Self.group(id, [id], strategy: strategy)
            defer { first.port.close(within: .seconds(10)) }
            try first.until("all splits") { $0.assigned == Self.splits(topic, 4) }
            for partition in 0..<4 {
                try fill(RealBroker.settings, topic, ["v\(partition)"], partition: Int32(partition))
            }
            first.port.open(Dictionary(uniqueKeysWithValues: first.assigned.map { ($0, 0) }))
            try first.until("records") { $0.values.count == 4 }

            let second = try Self.group(id, [id], strategy: strategy)
            defer { second.port.close(within: .seconds(10)) }
            try first.until("revocation") {
                second.step()
                return !$0.revoking.isEmpty
            }
            let wanted = first.revoking
            #expect(wanted.count == (strategy == .cooperativeSticky ? 2 : 4))
            // Held open for longer than a heartbeat (3 s): still a member, able to commit; the other one gets nothing.
            let until = SystemClock().now + .seconds(5)
            try first.until("five seconds") { _ in
                second.step()
                return SystemClock().now > until
            }
            #expect(second.assigned.isEmpty && first.lost.isEmpty)
            let membership = (first.port as? GroupInput)?.membership
            try membership?.commit(Dictionary(uniqueKeysWithValues: wanted.map { ($0, 1) }), within: .seconds(5))

            first.release(wanted)
            try first.until("both have two") {
                second.step()
                return $0.assigned.count == 2 && second.assigned.count == 2
            }
            #expect(first.assigned.isDisjoint(with: second.assigned))
            let seen = try (second.port as? GroupInput)?.membership.committed(second.assigned, within: .seconds(5))
            #expect(seen?.values.allSatisfy { $0 == 1 } == true && (strategy == .range || seen?.count == 2))
        }
    }

    /// librdkafka takes any unassign for the answer to a revocation, also to one that its owner has not heard of: the
    /// splits are another member's then. The owner must hear that they are lost, and no commit of it may pass.
    @Test func splitsThatWereGivenAwayUnheardAreLost() throws {
        let id = RealBroker.unique("unheard")
        let topic = TopicName(id)
        try RealBroker.withTopics([NewTopic(topic, partitions: 4)]) {
            let first = try Self.group(id, [id])
            defer { first.port.close(within: .seconds(10)) }
            try first.until("all splits") { $0.assigned == Self.splits(topic, 4) }
            let positions = Dictionary(uniqueKeysWithValues: first.assigned.map { ($0, Position(0)) })
            first.port.open(positions)
            #expect(try Self.refusal(of: positions, by: first) == nil)

            let second = try Self.group(id, [id])
            defer { second.port.close(within: .seconds(10)) }
            // The first one hears nothing, and goes on opening what it believes to have.
            try second.until("splits that the first one has not given back") {
                first.port.open(positions)
                return $0.assigned.count == 2
            }
            #expect(try Self.refusal(of: positions, by: first) == .illegalGeneration)
            try first.until("the loss") { !$0.lost.isEmpty }
            #expect(first.lost == second.assigned && first.revoking.isEmpty)
            // Hearing of it is not enough: what was read may still be on its way.
            #expect(try Self.refusal(of: positions, by: first) == .illegalGeneration)
            first.release(first.lost)
            try first.until("two each") {
                second.step()
                return $0.assigned.count == 2 && second.assigned.count == 2
            }
            #expect(first.assigned.isDisjoint(with: second.assigned))
            try Self.commitsAgain(first)
        }
    }

    /// librdkafka joins again when a topic gets partitions, whether a revocation is answered or not.
    @Test func whatTheGroupTakesWithoutAnAnswerIsLost() throws {
        let id = RealBroker.unique("overtaken")
        let (topic, later) = (TopicName(id), TopicName("\(id)-later"))
        try RealBroker.withTopics([NewTopic(topic, partitions: 4)]) {
            let first = try Self.group(id, ["^\(id).*"])
            defer { first.port.close(within: .seconds(10)) }
            try first.until("all splits") { $0.assigned == Self.splits(topic, 4) }
            let second = try Self.group(id, ["^\(id).*"])
            defer { second.port.close(within: .seconds(10)) }
            try first.until("revocation") {
                second.step()
                return !$0.revoking.isEmpty
            }
            let positions = Dictionary(uniqueKeysWithValues: first.assigned.map { ($0, Position(0)) })
            try RealBroker.withTopics([NewTopic(later, partitions: 4)]) {
                // It is seen with the next look at the cluster, within ten seconds.
                try first.until("the loss", within: .seconds(40)) {
                    second.step()
                    return !$0.lost.isEmpty
                }
                #expect(first.revoking.isSubset(of: first.lost))
                #expect(try Self.refusal(of: positions, by: first) == .illegalGeneration)
                first.release(first.lost.union(first.revoking))
                try first.until("four each", within: .seconds(40)) { first in
                    second.step()
                    for driver in [first, second] where !driver.revoking.union(driver.lost).isEmpty {
                        driver.release(driver.revoking.union(driver.lost))
                    }
                    return first.assigned.count == 4 && second.assigned.count == 4
                }
                #expect(first.assigned.isDisjoint(with: second.assigned))
                try Self.commitsAgain(first)
            }
        }
    }

    /// librdkafka comes back as a new member after its session ended in a rebalance, and keeps what it had: that was
    /// perhaps another's for a while.
    @Test func whatANewMemberKeepsIsReadAnew() throws {
        let id = RealBroker.unique("renewed")
        let topic = TopicName(id)
        try RealBroker.withTopics([NewTopic(topic, partitions: 4)]) {
            let first = try Self.group(id, [id])
            defer { first.port.close(within: .seconds(10)) }
            try first.until("all splits") { $0.assigned == Self.splits(topic, 4) }
            let positions = Dictionary(uniqueKeysWithValues: first.assigned.map { ($0, Position(0)) })
            // As if all this had been another member's.
            let context = try #require((first.port as? GroupInput)?.context)
            context.withState {
                $0.membership = .imitation(group: id, generation: 1, member: "the one before")
            }
            let second = try Self.group(id, [id])
            defer { second.port.close(within: .seconds(10)) }
            try first.until("the loss of everything") {
                second.step()
                return $0.lost.count == 4
            }
            #expect(first.revoking.isEmpty)
            #expect(try Self.refusal(of: positions, by: first) == .illegalGeneration)
            first.release(first.lost)
            try first.until("two each") {
                second.step()
                return $0.assigned.count == 2 && second.assigned.count == 2
            }
            #expect(first.assigned.isDisjoint(with: second.assigned))
            try Self.commitsAgain(first)
        }
    }

    /// What the broker, or the membership itself, says to a commit of these positions; nil: it passes.
    private static func refusal(of positions: [Split: Position], by driver: InputDriver) throws -> KafkaError.Code? {
        let membership = try #require((driver.port as? GroupInput)?.membership)
        let producer = try Producer(
            RealBroker.settings, ProducerOptions(transactionalID: RealBroker.unique("refusal")))
        defer { producer.close(within: .seconds(10)) }
        try producer.initialize(within: .seconds(20))
        try producer.begin()
        do throws(KafkaError) {
            try membership.addOffsets(positions, to: producer, through: CommitGate(), within: .seconds(10))
            try producer.commit(within: .seconds(10))
            return nil
        } catch {
            return error.code
        }
    }

    private static func commitsAgain(_ driver: InputDriver) throws {
        let positions = Dictionary(uniqueKeysWithValues: driver.assigned.map { ($0, Position(0)) })
        // A rebalance may still be coming to its end.
        try driver.until("a commit") { _ in (try? refusal(of: positions, by: driver)) == .some(nil) }
    }

    /// A static member that comes back has its splits at once, without a rebalance.
    @Test func staticMemberReturns() throws {
        let id = RealBroker.unique("static")
        let topic = TopicName(id)
        try RealBroker.withTopics([NewTopic(topic, partitions: 2)]) {
            let other = try Self.group(id, [id], instance: "b")
            defer { other.port.close(within: .seconds(10)) }
            var one = try Self.group(id, [id], instance: "a")
            try other.until("one each") { driver in
                one.step()
                if !driver.revoking.isEmpty { driver.release(driver.revoking) }
                return driver.assigned.count == 1 && one.assigned.count == 1
            }
            let had = one.assigned
            one.port.close(within: .seconds(10))
            one = try Self.group(id, [id], instance: "a")
            defer { one.port.close(within: .seconds(10)) }
            try one.until("its split", within: .seconds(5)) {
                other.step()
                return $0.assigned == had
            }
            #expect(other.revoking.isEmpty && other.lost.isEmpty && other.assigned.count == 1)
        }
    }

    @Test func secondUserOfAnInstanceIDFencesTheFirst() throws {
        let id = RealBroker.unique("twin")
        let topic = TopicName(id)
        try RealBroker.withTopics([NewTopic(topic, partitions: 1)]) {
            let first = try Self.group(id, [id], instance: "same")
            defer { first.port.close(within: .seconds(10)) }
            try first.until("assignment") { !$0.assigned.isEmpty }
            let second = try Self.group(id, [id], instance: "same")
            defer { second.port.close(within: .seconds(10)) }
            try first.until("fencing", within: .seconds(30)) {
                second.step()
                return !$0.lost.isEmpty
            }
            #expect(first.troubles.contains { $0.code == "KAFKA_FENCED_INSTANCE_ID" }, "\(first.troubles)")
            // They take it from each other until one of them says that this is for a person.
            first.release(first.lost)
            try first.until("a stop", within: .seconds(60)) {
                second.step()
                for driver in [$0, second] where !driver.lost.isEmpty { driver.release(driver.lost) }
                return ($0.troubles + second.troubles).contains { $0.recovery == .stop }
            }
        }
    }

    @Test func topicsByExpression() throws {
        let id = RealBroker.unique("regex")
        let (one, two) = (TopicName("\(id)-one"), TopicName("\(id)-two"))
        try RealBroker.withTopics([NewTopic(one, partitions: 1), NewTopic(TopicName("\(id)x"), partitions: 1)]) {
            let group = try Self.group(id, ["^\(id)-.*"])
            defer { group.port.close(within: .seconds(10)) }
            try group.until("the first") { $0.assigned == [Split(one, 0)] }
            let assigned = try AssignedInput(
                RealBroker.settings, groupID: id, topics: ["^\(id)-.*"], refresh: .milliseconds(200))
            let driver = InputDriver(assigned)
            defer { assigned.close(within: .seconds(10)) }
            assigned.start()
            try driver.until("the first") { $0.assigned == [Split(one, 0)] }
            // A topic that comes later is found by both.
            try RealBroker.withTopics([NewTopic(two, partitions: 2)]) {
                let all: Set<Split> = [Split(one, 0), Split(two, 0), Split(two, 1)]
                try driver.until("the new topic") { $0.assigned == all }
                try group.until("the new topic") { $0.assigned == all }
            }
        }
    }

    @Test func missingTopicIsNamed() throws {
        let id = RealBroker.unique("absent")
        let group = try Self.group(id, [id])
        defer { group.port.close(within: .seconds(10)) }
        try group.until("trouble") { !$0.troubles.isEmpty }
        #expect(group.troubles.first?.recovery == .retry)
        #expect(group.troubles.first?.message.contains(id) == true)
        let assigned = try AssignedInput(RealBroker.settings, groupID: id, topics: [id])
        let driver = InputDriver(assigned)
        defer { assigned.close(within: .seconds(10)) }
        assigned.start()
        try driver.until("trouble") { !$0.troubles.isEmpty }
        #expect(driver.troubles.first?.message.contains(id) == true)
    }

    @Test func dataLossGivesTheFirstPositionThatExists() throws {
        let topic = TopicName(RealBroker.unique("loss"))
        try RealBroker.withTopics([NewTopic(topic, partitions: 1)]) {
            try fill(RealBroker.settings, topic, (0..<10).map { "v\($0)" })
            let split = Split(topic, 0)
            let admin = try Admin(RealBroker.settings)
            defer { admin.close() }
            try admin.deleteRecords([split: 6])
            let input = try AssignedInput(RealBroker.settings, groupID: topic.text, topics: [topic.text])
            let driver = InputDriver(input)
            defer { input.close(within: .seconds(10)) }
            input.start()
            try driver.until("assignment") { !$0.assigned.isEmpty }
            input.open([split: 2])
            try driver.until("the loss") { !$0.losses.isEmpty }
            #expect(driver.losses[0].at == 2 && driver.losses[0].next == 6 && driver.values.isEmpty)
            input.open([split: 6])
            try driver.until("the rest") { $0.values == ["v6", "v7", "v8", "v9"] }
            input.resolve([split: .earliest])
            try driver.until("the first offset") { $0.resolved == [split: 6] }
            // Behind the end: the topic is another one now.
            input.open([split: 500])
            try driver.until("the second loss") { $0.losses.count == 2 }
            #expect(driver.losses[1].at == 500 && driver.losses[1].next == 6)
        }
    }

    @Test func seekPauseAndResume() throws {
        let topic = TopicName(RealBroker.unique("seek"))
        try RealBroker.withTopics([NewTopic(topic, partitions: 2)]) {
            let values = (0..<1000).map { "v\($0)" }
            try fill(RealBroker.settings, topic, values)
            try fill(RealBroker.settings, topic, ["other"], partition: 1)
            let (split, other) = (Split(topic, 0), Split(topic, 1))
            let input = try AssignedInput(RealBroker.settings, groupID: topic.text, topics: [topic.text])
            let driver = InputDriver(input)
            defer { input.close(within: .seconds(10)) }
            input.start()
            try driver.until("assignment") { $0.assigned.count == 2 }
            // Seeking again and again, also right behind a seek: never a record of an older position, never a gap.
            for start in [0, 990, 10, 500, 0, 999, 3] as [Int64] {
                input.open([split: Position(start)])
                driver.offsets = [:]
                _ = input.poll(bytesMax: 100)
                input.open([split: Position(start + 1)])
                driver.offsets = [:]
                driver.ends = [:]
                try driver.until("the end from \(start)") { $0.ends[split] == 1000 }
                if start < 999 {
                    #expect(
                        driver.offsets[split]?.count == Int(999 - start) && driver.offsets[split]?.first == start + 1)
                }
            }
            driver.values = []
            input.open([split: 0])
            while driver.values.isEmpty { driver.stepOnce(bytesMax: 500) }
            input.pause([split])
            let count = driver.values.count
            #expect(count < 1000)
            input.open([other: 0])
            try driver.until("the other") { $0.values.last == "other" }
            #expect(driver.values.count == count + 1)
            input.resume([split])
            try driver.until("the rest") { $0.values.count == 1001 }
            #expect(driver.values.filter { $0 != "other" } == values)
        }
    }

    @Test func resolvesStarts() throws {
        let topic = TopicName(RealBroker.unique("start"))
        try RealBroker.withTopics([NewTopic(topic, partitions: 1)]) {
            let producer = try Producer(RealBroker.settings, ProducerOptions())
            defer { producer.close(within: .seconds(5)) }
            let block = RecordBlock(topics: [topic])
            for (index, time) in [1000, 2000, 3000].enumerated() {
                block.slots.append(
                    RecordSlot(value: block.arena.append("v\(index)"), timestamp: Int64(time), partition: 0))
            }
            try producer.produce(block, number: 0, within: .seconds(5))
            try producer.flush(within: .seconds(10))
            let admin = try Admin(RealBroker.settings)
            defer { admin.close() }
            let split = Split(topic, 0)
            #expect(try admin.positions([split: .earliest]) == [split: 0])
            #expect(try admin.positions([split: .latest]) == [split: 3])
            #expect(try admin.positions([split: .timestamp(milliseconds: 1001)]) == [split: 1])
            #expect(try admin.positions([split: .timestamp(milliseconds: 9999)]) == [split: 3])
            #expect(try admin.positions([split: .position(2)]) == [split: 2])
        }
    }
}
