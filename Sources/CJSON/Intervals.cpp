#include <cstring>
#include <limits>

#include "Scalars.hpp"

namespace cjson {

namespace {

/// Reads `INTERVAL '…' UNIT` forward, and never past its end.
struct Reader {
    const uint8_t *at, *end;

    bool take(const char *wanted) {
        size_t length = std::strlen(wanted);
        if (size_t(end - at) < length || std::memcmp(at, wanted, length) != 0) return false;
        at += length;
        return true;
    }
    /// At most 18 digits, which cannot overflow.
    bool number(int64_t &value) {
        value = 0;
        int count = 0;
        for (; at < end && uint8_t(*at - '0') < 10; at++) {
            if (++count > 18) return false;
            value = value * 10 + (*at - '0');
        }
        return count > 0;
    }
    /// Two-digit parts of a clock: `limit` is the first that is too large.
    bool part(int64_t limit, int64_t &value) { return number(value) && value < limit; }
    bool isAtEnd() const { return at == end; }
};

/// Microseconds from `.5` or nothing.
bool readFraction(Reader &reader, int64_t &microseconds) {
    microseconds = 0;
    if (!reader.take(".")) return true;
    const uint8_t *begin = reader.at;
    if (!reader.number(microseconds) || reader.at - begin > 6) return false;
    for (auto digits = reader.at - begin; digits < 6; digits++) microseconds *= 10;
    return true;
}

bool scaledSum(int64_t count, int64_t unit, int64_t rest, bool isNegative, int64_t &value) {
    __int128 sum = __int128(count) * unit + rest;
    if (isNegative) sum = -sum;
    if (sum < std::numeric_limits<int64_t>::min() || sum > std::numeric_limits<int64_t>::max()) return false;
    value = int64_t(sum);
    return true;
}

}  // namespace

Outcome parseYearMonthInterval(const uint8_t *text, size_t length, int32_t &months) {
    Reader reader{text, text + length};
    if (!reader.take("INTERVAL '")) return Outcome::badText;
    bool isNegative = reader.take("-");
    int64_t count, rest = 0, unit = 12, sum;
    if (!reader.number(count)) return Outcome::badText;
    if (reader.take("-")) {
        if (!reader.part(12, rest) || !reader.take("' YEAR TO MONTH")) return Outcome::badText;
    } else if (reader.take("' MONTH")) {
        unit = 1;
    } else if (!reader.take("' YEAR")) {
        return Outcome::badText;
    }
    if (!reader.isAtEnd()) return Outcome::badText;
    if (!scaledSum(count, unit, rest, isNegative, sum)) return Outcome::outOfRange;
    if (sum < std::numeric_limits<int32_t>::min() || sum > std::numeric_limits<int32_t>::max())
        return Outcome::outOfRange;
    months = int32_t(sum);
    return Outcome::ok;
}

Outcome parseDayTimeInterval(const uint8_t *text, size_t length, int64_t &microseconds) {
    constexpr int64_t second = 1000000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
    Reader reader{text, text + length};
    if (!reader.take("INTERVAL '")) return Outcome::badText;
    bool isNegative = reader.take("-");
    int64_t count, hours, minutes, seconds, fraction = 0, unit = second, rest = 0;
    if (!reader.number(count)) return Outcome::badText;
    if (reader.take(" ")) {
        if (!reader.part(24, hours) || !reader.take(":") || !reader.part(60, minutes) || !reader.take(":")
            || !reader.part(60, seconds) || !readFraction(reader, fraction) || !reader.take("' DAY TO SECOND"))
            return Outcome::badText;
        unit = day;
        rest = hours * hour + minutes * minute + seconds * second + fraction;
    } else if (reader.take("' DAY")) {
        unit = day;
    } else if (reader.take("' HOUR")) {
        unit = hour;
    } else if (reader.take("' MINUTE")) {
        unit = minute;
    } else if (!readFraction(reader, rest) || !reader.take("' SECOND")) {
        return Outcome::badText;
    }
    if (!reader.isAtEnd()) return Outcome::badText;
    return scaledSum(count, unit, rest, isNegative, microseconds) ? Outcome::ok : Outcome::outOfRange;
}

}  // namespace cjson
