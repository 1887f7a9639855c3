import CRDKafka
public import StreamCore

// What the codes mean to us: which pass by themselves, what a user can do, and the class the engine sees.

extension KafkaError.Code {
    public static let timedOut = Self(RD_KAFKA_RESP_ERR__TIMED_OUT)
    public static let queueFull = Self(RD_KAFKA_RESP_ERR__QUEUE_FULL)
    public static let authentication = Self(RD_KAFKA_RESP_ERR__AUTHENTICATION)
    public static let tls = Self(RD_KAFKA_RESP_ERR__SSL)
    public static let allBrokersDown = Self(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    public static let transport = Self(RD_KAFKA_RESP_ERR__TRANSPORT)
    public static let invalidArgument = Self(RD_KAFKA_RESP_ERR__INVALID_ARG)
    public static let closed = Self(RD_KAFKA_RESP_ERR__DESTROY)
    public static let unsupportedFeature = Self(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
    public static let state = Self(RD_KAFKA_RESP_ERR__STATE)
    public static let fatal = Self(RD_KAFKA_RESP_ERR__FATAL)
    public static let fenced = Self(RD_KAFKA_RESP_ERR__FENCED)
    public static let maxPollExceeded = Self(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
    public static let positionLost = Self(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
    public static let unknownTopic = Self(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    public static let unknownTopicLocally = Self(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    public static let unknownPartition = Self(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
    public static let topicExists = Self(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    public static let topicAuthorization = Self(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    public static let groupAuthorization = Self(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
    public static let clusterAuthorization = Self(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
    public static let transactionalIDAuthorization = Self(RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    public static let messageTooLarge = Self(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    public static let illegalGeneration = Self(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
    public static let unknownMember = Self(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
    public static let fencedInstance = Self(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
    public static let producerFenced = Self(RD_KAFKA_RESP_ERR_PRODUCER_FENCED)
    public static let invalidProducerEpoch = Self(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
    public static let invalidProducerIDMapping = Self(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING)
    public static let invalidTransactionState = Self(RD_KAFKA_RESP_ERR_INVALID_TXN_STATE)
    public static let concurrentTransactions = Self(RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS)
    public static let invalidTransactionTimeout = Self(RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT)

    /// Passes without anybody's doing: the network, a broker that restarts, a coordinator that moves.
    public var isPassing: Bool { Self.passing.contains(self) }

    /// Connecting fails, as opposed to a request that a broker refused.
    public var isConnectivity: Bool { Self.connectivity.contains(self) }

    private static let connectivity: Set<Self> = [
        .transport, .allBrokersDown, .timedOut, .tls, .authentication,
        Self(RD_KAFKA_RESP_ERR__RESOLVE), Self(RD_KAFKA_RESP_ERR__NODE_UPDATE),
        Self(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE),
        Self(RD_KAFKA_RESP_ERR__WAIT_COORD), Self(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT),
        Self(RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION),
    ]

    private static let passing: Set<Self> = connectivity.union([
        .queueFull, Self(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT), Self(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE),
        Self(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS), Self(RD_KAFKA_RESP_ERR_NOT_COORDINATOR),
        Self(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE), Self(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION),
        Self(RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE), .concurrentTransactions,
        Self(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT), Self(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS),
        Self(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS), Self(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND),
        .unknownTopic, .unknownTopicLocally, Self(RD_KAFKA_RESP_ERR__WAIT_CACHE),
    ])

    /// The record itself is at fault; the same record will be refused again.
    public var refusesRecord: Bool {
        [.messageTooLarge, .unknownPartition].contains(self)
            || self == Self(RD_KAFKA_RESP_ERR_INVALID_RECORD) || self == Self(RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE)
            || self == Self(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP)
    }

    /// No permission or no such object: only a person helps.
    public var needsPerson: Bool {
        [
            .topicAuthorization, .groupAuthorization, .clusterAuthorization, .transactionalIDAuthorization,
            .unknownTopic,
            .unknownTopicLocally, .invalidTransactionTimeout, Self(RD_KAFKA_RESP_ERR_POLICY_VIOLATION),
            Self(RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION), Self(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE), .invalidArgument,
            Self(RD_KAFKA_RESP_ERR_INVALID_GROUP_ID), Self(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION),
        ].contains(self)
    }

    var remedy: String {
        switch self {
        case .allBrokersDown, .transport, Self(RD_KAFKA_RESP_ERR__RESOLVE):
            "Check that the brokers are running, that 'brokers' names them, and that nothing blocks the connection."
        case .timedOut, Self(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE), Self(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT):
            "Check that the brokers are running and can be reached."
        case .authentication, Self(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED):
            "Check 'security.protocol', 'sasl.mechanism', 'sasl.username' and the password."
        case .tls:
            "Check 'security.protocol', 'ssl.ca.location' and that the certificate names the broker's host."
        case .unknownTopic, .unknownTopicLocally:
            "Create the topic, or correct its name."
        case .unknownPartition:
            "The topic has fewer partitions than the record asks for."
        case .topicAuthorization:
            "Give the user READ (sources) or WRITE (sinks) and DESCRIBE on the topic."
        case .groupAuthorization:
            "Give the user READ on the consumer group, which has the query's name."
        case .transactionalIDAuthorization:
            "Give the user WRITE and DESCRIBE on transactional ids that begin with the query's name."
        case .clusterAuthorization:
            "Give the user IDEMPOTENT_WRITE on the cluster (CREATE to create topics)."
        case .messageTooLarge:
            "Raise the topic's 'max.message.bytes', or send such records to a dead-letter topic."
        case .invalidTransactionTimeout:
            "Choose a transaction time-out below the broker's 'transaction.max.timeout.ms'."
        case Self(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE), Self(RD_KAFKA_RESP_ERR__WAIT_COORD),
            Self(RD_KAFKA_RESP_ERR_NOT_COORDINATOR), Self(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS):
            "The broker that coordinates the group or the transactions is not ready: it may be starting, or too few "
                + "brokers run for the replication of '__consumer_offsets' and '__transaction_state'."
        case .producerFenced, .invalidProducerEpoch, .fenced, .fencedInstance:
            "Another process uses the same identity: give each its own state folder."
        default: ""
        }
    }
}

extension KafkaError {
    /// The error as every other module sees it.
    public var streamError: StreamError {
        StreamError(
            StreamError.Code("KAFKA_\(code.name.drop { $0 == "_" })"), message, remedy: remedy,
            domain: code.needsPerson || property != nil || code == .authentication || code == .tls ? .user : .external,
            recovery: recovery, cause: self)
    }

    private var recovery: StreamError.Recovery {
        switch code {
        case .illegalGeneration, .unknownMember, .fencedInstance: .rejoin
        case .producerFenced, .invalidProducerEpoch, .fenced, .invalidTransactionState, .invalidProducerIDMapping:
            .abortEpoch
        case _ where requiresAbort: .abortEpoch
        case _ where isRetriable || code.isPassing: .retry
        default: .stop
        }
    }
}
