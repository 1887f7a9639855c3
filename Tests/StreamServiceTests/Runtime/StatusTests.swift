import Foundation
import StreamCore
import StreamService
import Testing

@Suite("Status document")
struct StatusTests {
    private func document(_ snapshot: ServiceSnapshot) throws -> [String: Any] {
        var process = ProcessReport()
        process.residentBytes = 7
        let pulses = [Heartbeats.Pulse(loop: "driver", age: .seconds(9), deadline: .seconds(5))]
        let text = StatusDocument.text(
            snapshot, process: process, pulses: pulses, version: "0.1.0", wallMs: 1_772_368_245_123)
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("it is JSON with the snapshot's figures")
    func figures() throws {
        let json = try document(.sample)
        #expect(json["query"] as? String == "orders")
        #expect(json["time"] as? String == "2026-03-01T12:30:45.123Z")
        #expect(json["state"] as? String == "running")
        #expect(json["ready"] as? Bool == true)
        #expect(json["epoch"] as? Int == 41)
        #expect(json["lagRecords"] as? Int == 10)
        #expect((json["records"] as? [String: Int])?["emittedFrom"] == 900)
        let epochs = try #require(json["epochs"] as? [String: Any])
        #expect(epochs["dropped"] as? [String: Int] == ["fenced": 1, "expired": 2])
        #expect((epochs["lastSeconds"] as? [String: Double])?["commit"] == 0.008)
        let splits = try #require(json["splits"] as? [[String: Any]])
        #expect(splits.count == 2)
        #expect(splits[0]["lag"] as? Int == 10)
        #expect(splits[1]["end"] is NSNull)
        #expect((json["memory"] as? [String: Int])?["residentBytes"] == 7)
        #expect((json["loops"] as? [[String: Any]])?.first?["overdue"] as? Bool == true)
        #expect((json["lastError"] as? [String: String])?["message"] == "line one\n\"two\"")
    }

    @Test("what is not known yet is null")
    func empty() throws {
        let json = try document(ServiceSnapshot(query: QueryName("q\u{1}\t\\")))
        #expect(json["query"] as? String == "q\u{1}\t\\")
        #expect(json["epoch"] is NSNull)
        #expect(json["lagRecords"] is NSNull)
        #expect(json["lastError"] is NSNull)
        #expect((json["splits"] as? [Any])?.isEmpty == true)
    }

    @Test("figures that are not finite become null")
    func notFinite() {
        let text = JSONWriter.document { json in
            json.value("a", Double.nan)
            json.value("b", -Double.infinity)
            json.value("c", 0.5)
            json.array("d", [1, 2]) { $0.value(nil, $1) }
        }
        #expect(text == #"{"a":null,"b":null,"c":0.5,"d":[1,2]}"#)
    }
}
