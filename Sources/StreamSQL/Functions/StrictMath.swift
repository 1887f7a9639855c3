import Glibc

/// Functions as Java's `StrictMath` computes them (fdlibm): Spark's results to the last digit, where glibc's differ.
enum StrictMath {
    static func exp(_ value: Double) -> Double {
        if value.isNaN { return value }
        if value > 709.782712893383973096 { return .infinity }
        if value < -745.133219101941108420 { return 0 }
        let magnitude = value.magnitude
        var (high, low, power) = (value, 0.0, 0)
        if magnitude > 0.5 * M_LN2 {
            if magnitude < 1.5 * M_LN2 {
                power = value < 0 ? -1 : 1
            } else {
                power = Int(1.44269504088896338700 * value + (value < 0 ? -0.5 : 0.5))
            }
            high = value - Double(power) * 6.93147180369123816490e-01
            low = Double(power) * 1.90821492927058770002e-10
        } else if magnitude < 0x1p-28 {
            return 1 + value
        }
        let x = high - low
        let t = x * x
        let inner = 6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08)
        let c = x - t * (1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03 + t * inner))
        if power == 0 { return 1 - (x * c / (c - 2) - x) }
        let result = 1 - ((low - x * c / (2 - c)) - high)
        return scalbn(result, Int32(truncatingIfNeeded: power))
    }

    static func cbrt(_ value: Double) -> Double {
        guard value.isFinite, value != 0 else { return value }
        let x = value.magnitude
        // Five bits by dividing the exponent by three, then 23 by a rational function, then 53 by a step of Newton's.
        var root: Double
        if x < 0x1p-1022 {
            root = 0x1p54 * x
            root = Double(bitPattern: UInt64(UInt32(root.bitPattern >> 32) / 3 + 696_219_795) << 32)
        } else {
            root = Double(bitPattern: UInt64(UInt32(x.bitPattern >> 32) / 3 + 715_094_163) << 32)
        }
        let ratio = root * root / x
        let s = 5.42857142857142815906e-01 + ratio * root
        let denominator = s + 1.41428571428571436819e+00 + -7.05306122448979611050e-01 / s
        root *= 3.57142857142857150787e-01 + 1.60714285714285720630e+00 / denominator
        // Cut to 20 bits and made larger than the root.
        root = Double(bitPattern: (root.bitPattern >> 32 + 1) << 32)
        let quotient = x / (root * root)
        root += root * ((quotient - root) / (root + root + quotient))
        return value < 0 ? -root : root
    }
}
