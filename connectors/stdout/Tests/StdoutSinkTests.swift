import ConnectorKit
import StreamCore
import Testing

@testable import StdoutConnector

@Suite struct StdoutSinkTests {
    private func block(_ records: [(key: String?, value: String?)]) -> RecordBlock {
        let block = RecordBlock()
        for (key, value) in records {
            let keyView = key.map { block.arena.append($0) } ?? .null
            block.slots.append(RecordSlot(key: keyView, value: value.map { block.arena.append($0) } ?? .null))
        }
        return block
    }

    private func written(_ block: RecordBlock, showsKey: Bool = false) throws -> String {
        var bytes: [UInt8] = []
        try StdoutSink(showsKey: showsKey) { bytes += $0 }.write(block)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func writesALineARecord() throws {
        let block = block([("k", "one"), (nil, ""), ("t", nil)])
        #expect(try written(block) == "one\n\nnull\n")
        #expect(try written(block, showsKey: true) == "k\tone\nnull\t\nt\tnull\n")
    }

    @Test func emptyBlocksWriteNothing() throws {
        #expect(try written(block([])) == "")
    }

    @Test func largeBlocksAreWrittenInOrder() throws {
        let records = (0..<20_000).map { (key: String?.none, value: Optional("record \($0)")) }
        #expect(try written(block(records)) == records.map { "\($0.value ?? "")\n" }.joined())
    }

    @Test func errorsComeThroughAndNothingIsWrittenTwice() throws {
        struct Full: Error {}
        var calls: [[UInt8]] = []
        let sink = StdoutSink { bytes in
            calls.append(bytes)
            if calls.count == 1 { throw Full() }
        }
        #expect(throws: Full.self) { try sink.write(block([(nil, "a")])) }
        try sink.write(block([(nil, "b")]))
        #expect(calls == [Array("a\n".utf8), Array("b\n".utf8)])
    }

    @Test func promisesNothingBeyondAtLeastOnce() throws {
        #expect(StdoutSink().delivery == .none)
        #expect(StdoutConnector.spec.sink?.delivery.keepsExactlyOnce == false)
    }
}
