import BrokerServer
import ConnectorKit
import Testing

@testable import StreamService

/// The options of `millrace broker`.
struct BrokerRequestTests {
    private func request(_ arguments: String...) throws -> BrokerRequest {
        BrokerRequest(try CommandLineSpec.millrace.parse(["broker"] + arguments))
    }

    @Test func withoutOptionsItIsInMemoryAndOnLoopback() throws {
        let request = try request()
        #expect(request.listen.map(\.description) == ["127.0.0.1:9092"])
        #expect(request.listen.allSatisfy { $0.isLoopback })
        #expect(request.advertised == nil)
        #expect(request.dataFolder == nil)
        #expect(request.sync == .never)
        #expect(request.topics == [])
        #expect(request.partitions == 1)
        #expect(request.createsTopics)
    }

    @Test func optionsAreRead() throws {
        let request = try request(
            "--data", "/tmp/x", "--listen", "0.0.0.0:1,[::1]:2", "--advertise", "kafka.example", "--fsync", "100ms",
            "--topics", "orders:4,clicks", "--partitions", "3")
        #expect(request.dataFolder == "/tmp/x")
        #expect(request.listen.map(\.host) == ["0.0.0.0", "::1"])
        #expect(request.listen.map(\.port) == [1, 2])
        #expect(request.listen.map(\.isLoopback) == [false, true])
        #expect(request.advertised?.description == "kafka.example:0")
        #expect(request.sync == .everyMs(100))
        #expect(request.topics.map(\.name) == ["orders", "clicks"])
        #expect(request.topics.map(\.partitions) == [4, 3])
        #expect(try self.request("--advertise", "kafka.example:9").advertised?.port == 9)
        #expect(try self.request("--no-auto-create").createsTopics == false)
        #expect(try self.request("--fsync", "always").sync == .eachAppend)
    }

    @Test(arguments: [
        ("--listen", "9092"), ("--listen", "host"), ("--listen", ""), ("--listen", "a:1,b"), ("--fsync", "maybe"),
        ("--fsync", "0ms"), ("--fsync", "2h"), ("--topics", ""), ("--topics", ":1"), ("--topics", "a:0"),
        ("--topics", "a:b"), ("--topics", "a:1:2"), ("--partitions", "0"), ("--partitions", "10001"),
        ("--partitions", "x"), ("--data", ""), ("--advertise", "a:b:c"),
    ])
    func wrongValuesAreRefused(option: String, value: String) {
        #expect {
            try request(option, value)
        } throws: { error in
            (error as? UsageProblem)?.message.hasPrefix("\(option) '\(value)': expected ") == true
        }
    }
}
