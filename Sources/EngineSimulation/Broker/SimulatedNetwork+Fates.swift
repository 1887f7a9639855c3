import CommitProtocol
import KafkaWire
import StreamCore
import StreamTesting

/// Whose requests these are: the same for all connections of one client.
struct ClientID: Hashable {
    var text: String
    init(_ text: String) { self.text = text }
}

extension SimulatedNetwork {
    /// What becomes of a request. A client that notices the end of its connection tries again; one that does not waits
    /// until its patience is over.
    enum Fate: Hashable {
        case answered
        /// It does not arrive.
        case lost(isNoticed: Bool)
        /// It is carried out, its answer is lost.
        case unanswered(isNoticed: Bool)
        /// It arrives when the client has given it up.
        case late
        /// It arrives when the time of an open transaction is over.
        case overdue
        /// It is not carried out, and the answer says why.
        case refused(ErrorCode)
    }

    func fate(of request: Request, from client: ClientID) -> Fate {
        if let fault = armed[client], let fate = fate(fault, request) {
            armed[client] = nil
            faultCounts[client, default: [:]][fault, default: 0] += 1
            return fate
        }
        let number = random.below(1_000)
        if number < conditions.losses {
            counts["lost connections", default: 0] += 1
            return number % 2 == 0 ? .lost(isNoticed: true) : .unanswered(isNoticed: true)
        }
        if number < conditions.losses + conditions.refusals, let code = passingRefusal(of: request) {
            counts["passing refusals", default: 0] += 1
            return .refused(code)
        }
        return .answered
    }

    /// What a scheduled fault makes of a request; nil where it waits for another one.
    private func fate(_ fault: SimulatedWriter.Fault, _ request: Request) -> Fate? {
        switch (fault, request) {
        case (.refused(.unavailable), .initProducerID), (.refused(.unavailable), .offsetFetch): .lost(isNoticed: false)
        case (.refused(.abortable), .produce): .refused(.invalidRecord)
        case (.refused(.fatal), .produce): .refused(.invalidTxnState)
        case (.refused(.expired), .produce), (.refused(.expired), .txnOffsetCommit), (.refused(.expired), .endTxn):
            .overdue
        case (.refused(.fenced), .addPartitionsToTxn): .refused(.producerFenced)
        case (.refused(.fenced), .txnOffsetCommit): .refused(.illegalGeneration)
        case (.lostRequest, .endTxn): .lost(isNoticed: false)
        case (.lateRequest, .endTxn): .late
        case (.lostAnswer, .endTxn): .unanswered(isNoticed: false)
        default: nil
        }
    }

    /// What a broker says that has just come to lead, or that is busy: the same request succeeds later.
    private func passingRefusal(of request: Request) -> ErrorCode? {
        let codes: [ErrorCode] =
            switch request {
            case .produce: [.notEnoughReplicas, .notLeaderOrFollower, .leaderNotAvailable]
            case .fetch, .listOffsets: [.notLeaderOrFollower, .leaderNotAvailable]
            case .initProducerID, .addPartitionsToTxn, .addOffsetsToTxn, .endTxn:
                [.notCoordinator, .coordinatorLoadInProgress, .coordinatorNotAvailable, .concurrentTransactions]
            case .txnOffsetCommit, .offsetFetch, .joinGroup, .syncGroup, .heartbeat:
                [.notCoordinator, .coordinatorLoadInProgress, .coordinatorNotAvailable]
            default: []
            }
        return codes.isEmpty ? nil : codes[random.below(codes.count)]
    }
}
