import CommitProtocol
import ConnectorKit
import GenerateConnector
import StreamCore
import StreamTesting
import Testing

@testable import StreamService

@Suite struct ClickTemplateTests {
    /// The first records of a seed.
    private func clicks(_ count: Int64, seed: UInt64) throws -> [String] {
        var config = try ClickTemplate.config(rate: 1e6, seed: seed, startTimeMs: 1_767_225_600_000)
        config.count = count
        let clock = ManualClock()
        let input = GenerateSource(config, ConnectorContext(name: "clicks", clock: clock)).makeInput()
        input.start()
        input.open([Split("clicks", 0): 0])
        clock.advance(by: .seconds(3600))
        var values: [String] = []
        reading: while let event = input.poll(bytesMax: 1 << 20) {
            switch event {
            case .records(let block):
                values += (0..<block.count).compactMap { block.value($0).map { String(decoding: $0, as: UTF8.self) } }
            case .finished: break reading
            default: continue
            }
        }
        input.close(within: .seconds(1))
        return values
    }

    @Test func oneInTwoHundredIsGarbage() throws {
        let clicks = try clicks(20_000, seed: 7)
        #expect(clicks.count == 20_000)
        let cut = clicks.filter { $0.hasSuffix(", \"cut") }.count
        let wrong = clicks.filter { $0.contains("\"quantity\":\"many\"") }.count
        // Each one in 400: 50 expected, seven is one standard deviation.
        #expect((15...85).contains(cut))
        #expect((15...85).contains(wrong))
        #expect(clicks.filter { $0.contains("\"event\":\"purchase\"") }.count > 1500)
        #expect(Set(clicks).count > 19_900)
    }

    @Test func aSeedDecidesTheClicks() throws {
        let clicks = try clicks(100, seed: 7)
        #expect(try self.clicks(100, seed: 7) == clicks)
        #expect(try self.clicks(100, seed: 8) != clicks)
        #expect(clicks[0].hasPrefix("{\"user_id\":\"u"))
        #expect(clicks[0].contains("\"ts\":\"2026-01-01T00:00:00"))
    }
}
