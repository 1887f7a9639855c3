import KafkaWire

/// The reading of requests under libFuzzer, without a broker behind it, and so many times as often.
///
/// An input is a request without its length. What can be read must be written again, and read as the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDecoder(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let frame = try? RequestFrame(decoding: input[...]), frame.header.isServed else { return 0 }
    guard let bytes = try? frame.encode(), let again = try? RequestFrame(decoding: bytes[4...]) else {
        preconditionFailure("a request that was read cannot be written and read again: \(frame.header)")
    }
    precondition(again == frame, "a request has changed when it was written and read again: \(frame.header)")
    return 0
}
