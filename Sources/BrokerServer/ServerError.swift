import CUV

/// Why a server could not start, or do something for a client.
package struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        case addressInvalid, addressInUse, notPermitted, topicInvalid, system
    }

    package var code: Code
    /// What could not be done, to what, and why.
    package var description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// - Parameter number: the system's, positive or (as libuv hands it on) negative.
    init(_ what: String, number: Int32) {
        let positive = number.magnitude <= 4_096 ? Int32(number.magnitude) : number
        switch positive {
        case EADDRINUSE: code = .addressInUse
        case EACCES, EPERM: code = .notPermitted
        case EADDRNOTAVAIL: code = .addressInvalid
        default: code = .system
        }
        description = "\(what): \(Self.text(of: positive))"
    }

    static func text(of number: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        return unsafe text.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return "error \(number)" }
            unsafe uv_strerror_r(-number, start, buffer.count)
            return unsafe String(cString: start)
        }
    }
}
