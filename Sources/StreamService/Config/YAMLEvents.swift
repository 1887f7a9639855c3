private import CYAML

/// A spot in YAML text as libyaml counts: from 0.
struct YAMLMark: Hashable {
    var line: Int
    var column: Int
}

/// What libyaml sees, one after the other.
enum YAMLEvent {
    case documentStart(YAMLMark)
    case documentEnd
    case alias(name: String, YAMLMark)
    case scalar(YAMLScalar)
    case listStart(anchor: String?, tag: String?, YAMLMark)
    case listEnd
    case mapStart(anchor: String?, tag: String?, YAMLMark)
    case mapEnd
    case streamEnd
}

struct YAMLScalar {
    enum Style { case plain, quoted, literal, folded }

    var anchor: String?
    var tag: String?
    var text: String
    var style: Style
    var start: YAMLMark
    var end: YAMLMark
}

/// Why the text cannot be read; libyaml's own words where it is no YAML.
struct YAMLProblem: Error {
    var message: String
    var mark: YAMLMark
}

/// libyaml's parser over bytes in memory: the only user of the C library.
final class YAMLEvents {
    private let bytes: [UInt8]
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    init(_ bytes: [UInt8]) throws(YAMLProblem) {
        self.bytes = bytes
        // Safety: the parser keeps a pointer into `input` and must not move; both live as long as this object.
        input = .allocate(capacity: max(1, bytes.count))
        _ = input.initialize(from: bytes)
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        guard yaml_parser_initialize(parser) == 1 else {
            throw YAMLProblem(message: "out of memory", mark: YAMLMark(line: 0, column: 0))
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    /// The next event. None follows `streamEnd`.
    func next() throws(YAMLProblem) -> YAMLEvent {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
            defer { yaml_event_delete(&event) }
            if let translated = Self.translate(event) { return translated }
        }
    }

    private static func translate(_ event: yaml_event_t) -> YAMLEvent? {
        let start = mark(event.start_mark)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT: return .documentStart(start)
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return .alias(name: text(event.data.alias.anchor) ?? "", start)
        case YAML_SEQUENCE_START_EVENT:
            let list = event.data.sequence_start
            return .listStart(anchor: text(list.anchor), tag: text(list.tag), start)
        case YAML_SEQUENCE_END_EVENT: return .listEnd
        case YAML_MAPPING_START_EVENT:
            let map = event.data.mapping_start
            return .mapStart(anchor: text(map.anchor), tag: text(map.tag), start)
        case YAML_MAPPING_END_EVENT: return .mapEnd
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.value == nil ? 0 : scalar.length)
            return .scalar(
                YAMLScalar(
                    anchor: text(scalar.anchor), tag: text(scalar.tag), text: String(decoding: bytes, as: UTF8.self),
                    style: style(scalar.style), start: start, end: mark(event.end_mark)))
        case YAML_STREAM_START_EVENT: return nil
        default: return .streamEnd
        }
    }

    private static func style(_ style: yaml_scalar_style_t) -> YAMLScalar.Style {
        switch style {
        case YAML_LITERAL_SCALAR_STYLE: .literal
        case YAML_FOLDED_SCALAR_STYLE: .folded
        case YAML_SINGLE_QUOTED_SCALAR_STYLE, YAML_DOUBLE_QUOTED_SCALAR_STYLE: .quoted
        default: .plain
        }
    }

    private static func mark(_ mark: yaml_mark_t) -> YAMLMark {
        YAMLMark(line: Int(clamping: mark.line), column: Int(clamping: mark.column))
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(decodingCString: $0, as: UTF8.self) }
    }

    private func problem() -> YAMLProblem {
        let error = parser.pointee
        var message = "not valid YAML: " + (error.problem.map { String(cString: $0) } ?? "cannot be read")
        if let context = error.context { message += " (\(String(cString: context)))" }
        guard error.error == YAML_READER_ERROR else {
            return YAMLProblem(message: message, mark: Self.mark(error.problem_mark))
        }
        // The reader knows the byte, not the line.
        let before = bytes.prefix(Int(clamping: error.problem_offset))
        let line = before.lazy.filter { $0 == 10 }.count
        let column = before.reversed().prefix { $0 != 10 }.lazy.filter { $0 & 0xC0 != 0x80 }.count
        return YAMLProblem(message: message, mark: YAMLMark(line: line, column: column))
    }
}
