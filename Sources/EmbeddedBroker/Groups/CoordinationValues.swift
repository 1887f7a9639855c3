/// One partition of a topic, as the coordinators name it.
package struct TopicPartition: Sendable, Hashable, Comparable {
    package var topic: String
    package var partition: Int32

    package init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    package static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        left.topic == right.topic ? left.partition < right.partition : left.topic < right.topic
    }
}

/// Names a request whose answer may come later; whoever hands it in makes sure that it is unique.
package typealias RequestToken = Int

/// A producer id with its epoch; -1 is none.
package struct ProducerIdentity: Sendable, Hashable {
    package var id: Int64
    package var epoch: Int16

    package init(id: Int64, epoch: Int16) {
        self.id = id
        self.epoch = epoch
    }
}

/// A time that lies so many milliseconds after another; times and spans come from clients and files, so it stops at
/// the last one there is.
func time(_ start: Int64, plus span: Int64) -> Int64 {
    let (sum, overflow) = start.addingReportingOverflow(span)
    return overflow ? (span < 0 ? .min : .max) : sum
}
