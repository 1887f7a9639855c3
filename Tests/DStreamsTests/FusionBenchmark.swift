import DStreams
import StreamCore
import StreamEngine
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Fused operators against the loop that one would write by hand, over the same blocks. Only with MILLRACE_BENCH=1,
/// in release: `MILLRACE_BENCH=1 swift test -c release --filter FusionBenchmark`.
@Suite(.serialized, .enabled(if: getenv("MILLRACE_BENCH") != nil)) struct FusionBenchmark {
    /// What output code adds up, so that nothing is optimised away.
    final class Total: @unchecked Sendable {
        // Safety: only the benchmark's own thread touches it.
        @exclusivity(unchecked) var sum = 0
    }

    private static let ratioMax = 1.5

    private static let blocks: [RecordBlock] = (0..<50).map { number in
        let block = RecordBlock(topics: ["in"])
        for index in 0..<10_000 {
            block.slots.append(
                RecordSlot(
                    value: block.arena.append("\(100_000 + number * 7 + index * 13)"), offset: Int64(index),
                    partition: 0))
        }
        return block
    }

    @inline(__always)
    private static func parse(_ bytes: RawSpan) -> Int {
        var number = 0
        for index in 0..<bytes.byteCount {
            number = number &* 10 &+ Int(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)) &- 48
        }
        return number
    }

    private func seconds(_ body: () -> Void) -> Double {
        (0..<7).map { _ in
            let began = SystemClock().now
            body()
            return (SystemClock().now - began).seconds
        }.min() ?? 0
    }

    private func program(_ build: (DStream<KafkaRecord>) -> Void) throws -> any TaskProgram {
        let context = TestRun().context
        build(context.kafkaStream(topics: ["in"]))
        return try context.makePlan().stages(clock: SystemClock())[0].makeProgram(0)
    }

    private func run(_ program: any TaskProgram) {
        for block in Self.blocks {
            var output = TaskOutput()
            program.process(.records(block, EpochContext(epoch: 1, batchTimeMs: 0)), into: &output)
        }
    }

    private func report(_ name: String, fused: Double, byHand: Double) {
        let records = Double(Self.blocks.count * 10_000)
        let (a, b) = (fused / records * 1e9, byHand / records * 1e9)
        print("\(name): fused \(a) ns a record, by hand \(b) ns, ratio \(a / b)")
        #expect(a / b < Self.ratioMax, "\(name)")
    }

    /// Nothing but the operators: the cheapest work there is, so the dearest overhead.
    @Test func numbersOnly() throws {
        let (fusedTotal, handTotal) = (Total(), Total())
        let program = try program { lines in
            lines.map { $0.withValueBytes(Self.parse) }.filter { $0 & 1 == 0 }.map { $0 &* 3 }
                .filter {
                    fusedTotal.sum &+= $0
                    return false
                }
                .saveToKafka("out") { Record(value: "\($0)") }
        }
        let fused = seconds { run(program) }
        let byHand = seconds {
            for block in Self.blocks {
                for slot in block.slots {
                    let number = Self.parse(RawSpan(_unsafeBytes: block.arena.bytes(slot.value)))
                    if number & 1 == 0 { handTotal.sum &+= number &* 3 }
                }
            }
        }
        #expect(fusedTotal.sum == handTotal.sum)
        report("map, filter, map of numbers", fused: fused, byHand: byHand)
    }

    /// From text to text: what a small program does.
    @Test func textToRecords() throws {
        let program = try program { lines in
            lines.map { $0.text }.filter { $0.utf8.last.map { $0 & 1 == 0 } ?? false }.map { $0 + "!" }
                .saveToKafka("out") { Record(value: $0) }
        }
        let fused = seconds { run(program) }
        var written = 0
        let byHand = seconds {
            for block in Self.blocks {
                let output = RecordBlock(topics: ["out"])
                for slot in block.slots {
                    let text = block.arena.string(slot.value)
                    guard text.utf8.last.map({ $0 & 1 == 0 }) ?? false else { continue }
                    output.slots.append(RecordSlot(value: output.arena.append(text + "!")))
                }
                written += output.count
            }
        }
        #expect(written > 0)
        report("map, filter, map of text", fused: fused, byHand: byHand)
    }
}
