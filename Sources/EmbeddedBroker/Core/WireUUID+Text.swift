import KafkaWire

extension WireUUID {
    /// A random id of version 4 (RFC 9562) whose text does not begin with a dash, as Kafka makes them: tools take
    /// such a one for an option.
    static func random(_ random: () -> UInt64) -> WireUUID {
        let high = random() & ~(1 << 63 | 0xf000) | 0x4000
        return WireUUID(high: high, low: random() & ~(0b11 << 62) | 0b10 << 62)
    }

    /// Base 64 for addresses, without padding.
    var text: String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var text = ""
        for place in 0..<22 {
            // Six bits from the front; the last digit has two, and zeros behind them.
            var digit = 0
            for bit in (place * 6)..<(place * 6 + 6) {
                digit = digit << 1 | Int(self.bit(bit))
            }
            text.append(digits[digit])
        }
        return text
    }

    private func bit(_ place: Int) -> UInt64 {
        guard place < 128 else { return 0 }
        return (place < 64 ? high : low) >> UInt64(63 - place % 64) & 1
    }

    /// As programs write it: 8-4-4-4-12 hexadecimal digits.
    var dashed: String {
        let digits = Array("0123456789abcdef")
        var text = ""
        for place in 0..<32 {
            if [8, 12, 16, 20].contains(place) { text.append("-") }
            let word = place < 16 ? high : low
            text.append(digits[Int(word >> UInt64(60 - place % 16 * 4) & 15)])
        }
        return text
    }
}
