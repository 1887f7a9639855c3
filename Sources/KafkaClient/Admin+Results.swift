import CRDKafka
import StreamCore

extension Admin {
    struct TopicResult {
        var name: TopicName
        var error: KafkaError?
    }

    struct ConfigAnswer {
        var entries: [String: String] = [:]
        var error: KafkaError?
    }

    static func results(_ list: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int) -> [TopicResult] {
        var results: [TopicResult] = []
        for index in 0..<count {
            guard let result = unsafe list?[index] else { continue }
            let code = unsafe rd_kafka_topic_result_error(result)
            let name = unsafe rd_kafka_topic_result_name(result).map { unsafe String(cString: $0) } ?? ""
            let text = unsafe rd_kafka_topic_result_error_string(result).map { unsafe String(cString: $0) }
            let error =
                code == RD_KAFKA_RESP_ERR_NO_ERROR
                ? nil : KafkaError(KafkaError.Code(code), text ?? KafkaError.Code(code).text)
            results.append(TopicResult(name: TopicName(name), error: error))
        }
        return results
    }

    static func firstFailure(_ event: OpaquePointer) -> KafkaError? {
        guard let list = unsafe rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event)) else {
            return nil
        }
        let count = unsafe Int(list.pointee.cnt)
        for index in 0..<count {
            let code = unsafe list.pointee.elems[index].err
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { return KafkaError(code, "Could not delete records") }
        }
        return nil
    }

    static func config(_ event: OpaquePointer) -> ConfigAnswer {
        var answer = ConfigAnswer()
        var count = 0
        let list = unsafe rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &count)
        guard count > 0, let resource = unsafe list?[0] else { return answer }
        let code = unsafe rd_kafka_ConfigResource_error(resource)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            let text = unsafe rd_kafka_ConfigResource_error_string(resource).map { unsafe String(cString: $0) }
            answer.error = KafkaError(KafkaError.Code(code), text ?? KafkaError.Code(code).text)
            return answer
        }
        var entryCount = 0
        let entries = unsafe rd_kafka_ConfigResource_configs(resource, &entryCount)
        for index in 0..<entryCount {
            guard let entry = unsafe entries?[index], let name = unsafe rd_kafka_ConfigEntry_name(entry),
                let value = unsafe rd_kafka_ConfigEntry_value(entry)
            else { continue }
            unsafe answer.entries[String(cString: name)] = String(cString: value)
        }
        return answer
    }
}

/// Requests for new topics, in librdkafka's form.
@safe
final class NewTopicArray {
    private var items: [OpaquePointer?] = unsafe []

    init() {}

    deinit {
        unsafe items.forEach(rd_kafka_NewTopic_destroy)
    }

    func add(_ topic: NewTopic) throws(KafkaError) {
        var text = [CChar](repeating: 0, count: 256)
        let item = unsafe rd_kafka_NewTopic_new(
            topic.name.text, Int32(clamping: topic.partitions), Int32(clamping: topic.replication ?? -1), &text,
            text.count)
        guard let item = unsafe item else {
            let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw KafkaError(.invalidArgument, "Topic '\(topic.name)' cannot be created: \(reason).")
        }
        unsafe items.append(item)
        for (name, value) in topic.config.sorted(by: { $0.key < $1.key }) {
            let code = unsafe rd_kafka_NewTopic_set_config(item, name, value)
            try KafkaError.check(code, "Topic '\(topic.name)' cannot have the setting '\(name)'")
        }
    }

    func withRaw(_ body: (UnsafeMutablePointer<OpaquePointer?>?, Int) -> Void) {
        unsafe items.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress, $0.count) }
    }
}
