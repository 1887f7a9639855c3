/// What a coordinator refuses with; the raw value is Kafka's error code.
package enum CoordinationError: Int16, Error, Sendable, Hashable, CaseIterable {
    case offsetMetadataTooLarge = 12
    case coordinatorNotAvailable = 15
    case illegalGeneration = 22
    case inconsistentGroupProtocol = 23
    case invalidGroupId = 24
    case unknownMemberId = 25
    case invalidSessionTimeout = 26
    case rebalanceInProgress = 27
    case invalidRequest = 42
    case invalidProducerEpoch = 47
    case invalidTxnState = 48
    case invalidProducerIdMapping = 49
    case invalidTransactionTimeout = 50
    case concurrentTransactions = 51
    case nonEmptyGroup = 68
    case groupIdNotFound = 69
    case memberIdRequired = 79
    case groupMaxSizeReached = 81
    case fencedInstanceId = 82
    case groupSubscribedToTopic = 86
    case unstableOffsetCommit = 88
    case producerFenced = 90
    case transactionalIdNotFound = 105

    /// KIP-588: older versions of the requests know only INVALID_PRODUCER_EPOCH for a producer that was fenced.
    package func asAnswered(knowsProducerFenced: Bool) -> CoordinationError {
        self == .producerFenced && !knowsProducerFenced ? .invalidProducerEpoch : self
    }
}
