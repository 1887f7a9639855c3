import Glibc
import StreamCore
import Testing

@testable import BrokerServer

/// Clients that are wrong, slow, too many, or gone: the others are served on.
@Suite(.serialized) struct HostileClientTests {
    private func expectServed(_ address: ListenAddress) throws {
        let client = try TestClient(address)
        try client.send(frame: [9, 9])
        #expect(try client.receiveFrame() == [9, 9])
    }

    @Test(
        arguments: [
            [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], Array("GET / HTTP/1.1\r\n\r\n".utf8),
            [0x16, 0x03, 0x01, 0x02, 0, 1, 0, 1, 0xFC],
        ] as [[UInt8]])
    func closesWhatIsNotTheProtocol(input: [UInt8]) throws {
        try withServer { address, journal, _ in
            let client = try TestClient(address)
            try client.send(framed([9]))
            #expect(try client.receiveFrame() == [9])
            try client.send(input)
            #expect(client.isEndedByServer())
            #expect(journal.becomes { $0.disconnected.count == 1 })
            #expect(journal.now.lines.count == 1)
            #expect(journal.now.lines.first?.contains("its frame claims") == true)
            try expectServed(address)
        }
    }

    @Test func manyWrongClientsLeaveFewLines() throws {
        try withServer { address, journal, _ in
            for _ in 0..<50 {
                let client = try TestClient(address)
                try client.send([0, 0, 0, 0])
                #expect(client.isEndedByServer())
            }
            #expect(journal.becomes { $0.disconnected.count == 50 })
            #expect(journal.now.lines.count <= 10)
        }
    }

    @Test func closesUnfinishedFramesAndIdleConnections() throws {
        var limits = ServerLimits()
        limits.frameMs = 100
        limits.idleMs = 400
        try withServer(limits) { address, journal, _ in
            let start = SystemClock().now
            let half = try TestClient(address)
            try half.send([0, 0, 0, 9, 1, 2])
            let header = try TestClient(address)
            try header.send([0])
            let idle = try TestClient(address)
            #expect(half.isEndedByServer() && header.isEndedByServer())
            #expect(SystemClock().now < start + .seconds(5))
            #expect(idle.isEndedByServer())
            #expect(SystemClock().now >= start + .milliseconds(390))
            #expect(journal.becomes { $0.disconnected.count == 3 })
            #expect(journal.now.lines.contains { $0.contains("not finished in time") })
        }
    }

    @Test func aQuestionThatIsOpenIsNotIdle() throws {
        var limits = ServerLimits()
        limits.idleMs = 50
        try withServer(limits) { address, journal, _ in
            let waiting = try TestClient(address)
            try waiting.send(frame: [TestHandler.held])
            let idle = try TestClient(address)
            #expect(idle.isEndedByServer())
            #expect(journal.becomes { $0.disconnected.count == 1 })
            let other = try TestClient(address)
            try other.send(frame: [TestHandler.release])
            #expect(try waiting.receiveFrame() == [TestHandler.held])
        }
    }

    @Test func closesAClientThatTakesNothing() throws {
        var limits = ServerLimits()
        limits.stalledMs = 200
        limits.unsentBytesMax = 4_000_000
        try withServer(limits) { address, journal, _ in
            let client = try TestClient(address, receiveBuffer: 4_096)
            for _ in 0..<100 { try client.send(frame: [TestHandler.large]) }
            #expect(journal.becomes { $0.disconnected.count == 1 })
            // What the system's buffers hold, and 4 MB: no more requests were read.
            #expect(journal.now.frames >= 4 && journal.now.frames < 20)
            #expect(journal.now.lines.contains { $0.contains("it took none of") })
            try expectServed(address)
        }
    }

    @Test func readsOnWhenAnswersAreTaken() throws {
        var limits = ServerLimits()
        limits.unsentBytesMax = 1_500_000
        limits.unsentTotalBytesMax = 2_000_000
        try withServer(limits) { address, journal, _ in
            let clients = try (0..<3).map { _ in try TestClient(address, receiveBuffer: 65_536) }
            for client in clients {
                for _ in 0..<30 { try client.send(frame: [TestHandler.large]) }
            }
            for client in clients {
                for _ in 0..<30 { #expect(try client.receiveFrame().count == TestHandler.largeBytes) }
            }
            #expect(journal.now.frames == 90)
        }
    }

    @Test func survivesResetsWhileItWrites() throws {
        try withServer { address, journal, _ in
            for round in 0..<50 {
                let client = try TestClient(address, receiveBuffer: 4_096)
                for _ in 0..<4 { try client.send(frame: [TestHandler.large]) }
                if round % 2 == 0 { _ = try client.receive(1_000) }
                client.reset()
            }
            #expect(journal.becomes { $0.disconnected.count == 50 })
            try expectServed(address)
        }
    }

    @Test func turnsClientsAwayWhenItIsFull() throws {
        var limits = ServerLimits()
        limits.connectionsMax = 3
        try withServer(limits) { address, journal, _ in
            var clients = try (0..<3).map { _ in try TestClient(address) }
            #expect(journal.becomes { $0.connected.count == 3 })
            for _ in 0..<5 { #expect(try TestClient(address).isEndedByServer()) }
            #expect(journal.now.connected.count == 3)
            #expect(journal.now.lines.filter { $0.contains("turned away") }.count <= 2)
            clients.removeLast().close()
            #expect(journal.becomes { $0.disconnected.count == 1 })
            try expectServed(address)
        }
    }

    @Test func servesAThousandClientsAtATime() throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try #require(limit.rlim_cur >= 2_200, "2,200 open files are needed")
        try withServer { address, journal, server in
            let clients = try (0..<1_000).map { _ in try TestClient(address) }
            for (number, client) in clients.enumerated() {
                try client.send(frame: [9, UInt8(number / 256), UInt8(number % 256)])
            }
            for (number, client) in clients.enumerated() {
                #expect(try client.receiveFrame() == [9, UInt8(number / 256), UInt8(number % 256)])
            }
            #expect(journal.now.connected.count == 1_000)
            #expect(server.stop(withinMs: 1_000))
            #expect(Set(journal.now.disconnected) == Set(journal.now.connected))
        }
    }

    @Test func unfinishedFramesHaveALimitTogether() throws {
        var limits = ServerLimits()
        limits.readBytesMax = 1_000_000
        limits.frameMs = 60_000
        try withServer(limits) { address, _, _ in
            let body = [UInt8](repeating: 9, count: 900_000)
            let input = framed(body)
            let clients = try (0..<6).map { _ in try TestClient(address) }
            for client in clients { try client.send(Array(input[..<400_000])) }
            // Each needs more than is left when all have begun: the oldest goes first.
            for client in clients { try client.send(Array(input[400_000...])) }
            for client in clients { #expect(try client.receiveFrame() == body) }
            try expectServed(address)
        }
    }
}
