package import KafkaWire

/// Names a client's connection; whoever accepts connections makes sure that it is unique.
package struct ConnectionID: RawRepresentable, Hashable, Sendable {
    package var rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }
}

/// Where an answer belongs: the connection, the request's place among its requests, and the request's header.
package struct AnswerAddress: Equatable, Sendable {
    package var connection: ConnectionID
    package var slot: Int
    package var header: RequestHeader
}

/// An answer to a request; answers of one connection need not come in the order of its requests.
package struct BrokerAnswer: Equatable, Sendable {
    package var address: AnswerAddress
    /// Nil where the client waits for none (Produce with `acks=0`).
    package var response: Response?
    /// A client that waits for no answer learns of an error by the end of its connection, as in Kafka.
    package var closesConnection = false

    package var connection: ConnectionID { address.connection }
    package var slot: Int { address.slot }
    package var header: RequestHeader { address.header }
}
