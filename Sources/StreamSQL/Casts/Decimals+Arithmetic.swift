/// Sums, products and quotients of decimals of different scales, rounded half up to a result scale; nil where the
/// result has more digits than a decimal can.
extension Decimals {
    static func sum(_ a: Int128, _ s: Int, _ b: Int128, _ t: Int, to scale: Int) -> Int128? {
        let common = max(s, t)
        if let x = rescale(a, from: s, to: common), let y = rescale(b, from: t, to: common) {
            let (value, isOver) = x.addingReportingOverflow(y)
            if !isOver { return rescale(value, from: common, to: scale) }
        }
        // Beyond 128 bits at the common scale: the operand of the lesser scale is huge, the result is rounded anyway.
        guard scale < common, let x = rescale(a, from: s, to: scale), let y = rescale(b, from: t, to: scale) else {
            return nil
        }
        let (value, isOver) = x.addingReportingOverflow(y)
        return isOver ? nil : value
    }

    static func product(_ a: Int128, _ b: Int128, scale: Int, to target: Int) -> Int128? {
        if target == scale {
            let (value, isOver) = a.multipliedReportingOverflow(by: b)
            return isOver ? nil : value
        }
        guard scale > target, let divisor = power(scale - target) else { return nil }
        return multiplyDivide(a, b, divisor)
    }

    /// `(a / 10^s) / (b / 10^t)` at a scale: `a × 10^(scale - s + t) / b`.
    static func quotient(_ a: Int128, _ s: Int, _ b: Int128, _ t: Int, to scale: Int) -> Int128? {
        let shift = scale - s + t
        if shift >= 0 {
            guard let factor = power(shift) else {
                // More than 38 places: in two steps, the first one exact or out of range.
                guard let rest = power(shift - 38), let once = rescale(a, from: 0, to: 38) else {
                    return a == 0 ? 0 : nil
                }
                return multiplyDivide(once, rest, b)
            }
            return multiplyDivide(a, factor, b)
        }
        guard let divisor = power(-shift) else { return 0 }
        let (product, isOver) = b.multipliedReportingOverflow(by: divisor)
        return isOver ? 0 : divideHalfUp(a, product)
    }

    /// The whole part of an exact quotient.
    static func quotient(_ a: Int128, _ s: Int, _ b: Int128, _ t: Int) -> Int128? { quotient(a, s, b, t, to: 0) }
}
