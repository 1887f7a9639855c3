import Glibc
import StreamCore
import Testing

@testable import BrokerServer

@Suite(.serialized) struct EventLoopTests {
    @Test(arguments: ["127.0.0.1", "::1"]) func echoesFrames(host: String) throws {
        try withServer(on: host) { address, journal, server in
            #expect(address.port != 0 && address.host == host)
            let client = try TestClient(address)
            try client.send(frame: [9, 8, 7])
            #expect(try client.receiveFrame() == [9, 8, 7])
            client.close()
            #expect(journal.becomes { $0.disconnected.count == 1 })
            #expect(journal.now.connected == journal.now.disconnected)
            #expect(server.stop(withinMs: 1_000))
            #expect(journal.now.hasStopped)
            #expect(throws: TestClient.Failure.self) { try TestClient(address) }
        }
    }

    @Test func takesFramesInAnyPieces() throws {
        try withServer { address, _, _ in
            let client = try TestClient(address)
            let input = framed([9, 1, 2]) + framed([8]) + framed([7, 7])
            for byte in input { try client.send([byte]) }
            #expect(try client.receiveFrame() == [9, 1, 2])
            #expect(try client.receiveFrame() == [8])
            try client.send(framed([0, 5]) + framed([10]) + [0, 0])
            #expect(try client.receiveFrame() == [7, 7])
            #expect(try client.receiveFrame() == [0, 5])
            #expect(try client.receiveFrame() == [10])
            try client.send([0, 1, 11])
            #expect(try client.receiveFrame() == [11])
        }
    }

    @Test func largeFramesComeBackWhole() throws {
        try withServer { address, _, _ in
            let client = try TestClient(address)
            var body = [UInt8](repeating: 0, count: 5_000_001)
            for index in body.indices { body[index] = UInt8(truncatingIfNeeded: index &* 31 &+ 9) }
            body[0] = 9
            try client.send(framed(body) + framed([8]))
            #expect(try client.receiveFrame() == body)
            #expect(try client.receiveFrame() == [8])
        }
    }

    @Test func answersKeepTheOrderOfRequests() throws {
        try withServer { address, _, _ in
            let client = try TestClient(address)
            let held = TestHandler.held
            try client.send(framed([held, 1]) + framed([9]) + framed([held, 2]) + framed([TestHandler.silent]))
            try client.send(framed([TestHandler.release]) + framed([8]))
            let answers = try (0..<5).map { _ in try client.receiveFrame() }
            #expect(answers == [[held, 1], [9], [held, 2], [TestHandler.release], [8]])
        }
    }

    @Test func answersLaterAtADeadline() throws {
        try withServer { address, journal, _ in
            let client = try TestClient(address)
            try client.send(frame: [TestHandler.later, 1])
            #expect(try client.receiveFrame() == [TestHandler.later, 1])
            #expect(journal.now.advanced >= 1)
            // The loop sleeps until the deadline: it does not look again and again.
            #expect(journal.now.advanced <= 5)
        }
    }

    /// Nothing else happens on the loop meanwhile.
    @Test func goesOnWithWorkThatIsOverdue() throws {
        try withServer { address, journal, _ in
            let client = try TestClient(address)
            try client.send(frame: [TestHandler.inRounds, 1])
            #expect(try client.receiveFrame() == [TestHandler.inRounds, 1])
            #expect(journal.now.advanced == 3)
        }
    }

    @Test func readsNoMoreRequestsThanMayBeOpen() throws {
        var limits = ServerLimits()
        limits.requestsMax = 4
        try withServer(limits) { address, journal, _ in
            let client = try TestClient(address)
            for number in 0..<10 as Range<UInt8> { try client.send(frame: [TestHandler.held, number]) }
            let other = try TestClient(address)
            for round in 0..<2 {
                #expect(journal.becomes { $0.frames == round * 5 + 4 })
                try other.send(frame: [TestHandler.release])
                #expect(try other.receiveFrame() == [TestHandler.release])
                for _ in 0..<4 { _ = try client.receiveFrame() }
            }
            #expect(journal.becomes { $0.frames == 12 })
            try other.send(frame: [TestHandler.release])
            #expect(try client.receiveFrame() == [TestHandler.held, 8])
            #expect(try client.receiveFrame() == [TestHandler.held, 9])
        }
    }

    @Test func sendsWhatIsOwedAfterTheClientsLastRequest() throws {
        try withServer { address, journal, _ in
            let client = try TestClient(address)
            try client.send(framed([9]) + framed([TestHandler.later]))
            client.endOutput()
            #expect(try client.receiveFrame() == [9])
            #expect(try client.receiveFrame() == [TestHandler.later])
            #expect(client.isEndedByServer())
            #expect(journal.becomes { $0.disconnected.count == 1 })
        }
    }

    @Test func theHandlerMayCloseAConnection() throws {
        try withServer { address, journal, _ in
            let client = try TestClient(address)
            try client.send(framed([TestHandler.close]) + framed([9]))
            #expect(client.isEndedByServer())
            #expect(journal.becomes { $0.disconnected.count == 1 })
            #expect(journal.now.frames == 1)
            #expect(journal.now.lines == ["A connection was closed: the test wants it."])
        }
    }

    @Test func runsJobsOfOtherThreads() throws {
        try withServer { _, journal, server in
            for _ in 0..<100 { server.submit { _ in journal.note { $0.frames += 1 } } }
            #expect(journal.becomes { $0.frames == 100 })
            #expect(server.stop(withinMs: 100))
            server.submit { _ in journal.note { $0.frames += 1 } }
            #expect(server.stop(withinMs: 100) && journal.now.frames == 100)
        }
    }

    @Test func tellsWhyItCannotListen() throws {
        try withServer { address, journal, _ in
            let error = #expect(throws: ServerError.self) {
                try EventLoop([ListenAddress("127.0.0.1:0"), address]) { TestHandler($0, journal) }
            }
            #expect(error?.code == .addressInUse)
            #expect(error?.description == "Could not listen on \(address): address already in use")
            #expect(throws: ServerError.self) {
                try EventLoop([ListenAddress(host: "no such host", port: 0)]) { TestHandler($0, journal) }
            }
        }
    }

    @Test func aHandlersErrorIsTheStarts() throws {
        struct NoFolder: Error {}
        #expect(throws: NoFolder.self) {
            try EventLoop([ListenAddress("127.0.0.1:0")]) { _ in throw NoFolder() }
        }
    }

    @Test func stopsWhileItIsBusy() throws {
        let journal = Journal()
        let server = try EventLoop([ListenAddress("127.0.0.1:0")], log: journal) { TestHandler($0, journal) }
        let clients = try (0..<20).map { _ in try TestClient(server.addresses[0], receiveBuffer: 4_096) }
        for (number, client) in clients.enumerated() {
            // Some have megabytes to take, some are within a frame, some wait for an answer.
            switch number % 3 {
            case 0: for _ in 0..<8 { try client.send(frame: [TestHandler.large]) }
            case 1: try client.send([0, 0, 0, 9, 1])
            default: try client.send(frame: [TestHandler.held])
            }
        }
        #expect(journal.becomes { $0.connected.count == 20 && $0.frames == 7 * 8 + 6 })
        let start = SystemClock().now
        #expect(server.stop(withinMs: 300))
        #expect(SystemClock().now < start + .seconds(5))
        #expect(journal.now.disconnected.count == 20 && journal.now.hasStopped)
        for client in clients { #expect(client.isEndedByServer()) }
    }

    @Test func sendsWhatIsThereBeforeItStops() throws {
        try withServer { address, journal, server in
            let client = try TestClient(address, receiveBuffer: 4_096)
            for _ in 0..<8 { try client.send(frame: [TestHandler.large]) }
            #expect(journal.becomes { $0.frames == 8 })
            server.submit { _ in }
            let stopper = Stopper(server)
            for _ in 0..<8 { #expect(try client.receiveFrame().count == TestHandler.largeBytes) }
            #expect(client.isEndedByServer())
            #expect(stopper.join())
        }
    }
}

/// Stops a server on a thread of its own.
private final class Stopper {
    private let journal = Journal()

    init(_ server: EventLoop) {
        let journal = self.journal
        let work = Work { journal.note { $0.hasStopped = server.stop(withinMs: 8_000) } }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        pthread_detach(thread)
    }

    func join() -> Bool { journal.becomes { $0.hasStopped } }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
