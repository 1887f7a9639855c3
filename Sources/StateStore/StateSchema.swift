internal import StreamCore

/// What a table's records are, kept beside them: a program with other types must not read them.
package struct StateSchema: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        case table = 0
        case panes = 1
        case ordered = 2
    }

    package var kind: Kind
    package var layout: ShardLayout
    /// Empty for panes, whose keys are times, and for what is ordered, whose keys are bytes.
    package var keyType: String
    /// Empty for bytes.
    package var valueType: String

    package var description: String {
        let types =
            switch kind {
            case .table: "\(keyType) -> \(valueType)"
            case .panes: "panes of \(valueType)"
            case .ordered: "ordered bytes"
            }
        return "\(types) in \(layout.shards) shards, \(layout.partitions) partitions"
    }

    func encode(to writer: inout StateWriter) {
        writer.append(ChangelogKey.version)
        writer.append(kind.rawValue)
        writer.append(UInt16(layout.shards))
        writer.append(UInt16(layout.partitions))
        writer.append(nested: keyType)
        writer.append(nested: valueType)
    }

    init(kind: Kind, layout: ShardLayout, keyType: String, valueType: String) {
        self.kind = kind
        self.layout = layout
        self.keyType = keyType
        self.valueType = valueType
    }

    init(from reader: inout StateReader) throws(StreamError) {
        let version = try reader.read(UInt8.self)
        guard version == ChangelogKey.version, let kind = Kind(rawValue: try reader.read(UInt8.self))
        else { throw StateReader.damaged }
        self.kind = kind
        let shards = Int(try reader.read(UInt16.self))
        let partitions = Int(try reader.read(UInt16.self))
        guard shards >= 1, partitions >= 1, shards.isMultiple(of: partitions) else { throw StateReader.damaged }
        layout = ShardLayout(shards: shards, partitions: partitions)
        keyType = try reader.read(nested: String.self)
        valueType = try reader.read(nested: String.self)
    }
}
