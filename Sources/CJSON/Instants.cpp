#include <cstring>
#include <limits>

#include "Scalars.hpp"

namespace cjson {

namespace {

/// Reads forward through a text and never past its end.
struct Cursor {
    const uint8_t *at, *end;

    bool take(char wanted) {
        if (at == end || *at != uint8_t(wanted)) return false;
        at++;
        return true;
    }
    /// The digits here, if there are `least` to `most` of them.
    bool number(int least, int most, int64_t &value) {
        value = 0;
        int count = 0;
        for (; at < end && uint8_t(*at - '0') < 10; at++) {
            if (++count > most) return false;
            value = value * 10 + (*at - '0');
        }
        return count >= least;
    }
    bool isAtEnd() const { return at == end; }
};

int64_t daysBefore(int64_t year, int64_t month, int64_t day) {
    // Days from 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant's days_from_civil).
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yearOfEra = year - era * 400;
    int64_t dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
}

int64_t lastDay(int64_t year, int64_t month) {
    if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool readDate(Cursor &cursor, int64_t &days) {
    bool negative = cursor.take('-');
    if (!negative) cursor.take('+');
    int64_t year, month = 1, day = 1;
    if (!cursor.number(4, 7, year)) return false;
    if (cursor.take('-')) {
        if (!cursor.number(1, 2, month)) return false;
        if (cursor.take('-') && !cursor.number(1, 2, day)) return false;
    }
    if (negative) year = -year;
    if (month < 1 || month > 12 || day < 1 || day > lastDay(year, month)) return false;
    days = daysBefore(year, month, day);
    return true;
}

bool readTime(Cursor &cursor, int64_t &microseconds) {
    int64_t hour, minute, second = 0, fraction = 0;
    if (!cursor.number(1, 2, hour) || !cursor.take(':') || !cursor.number(1, 2, minute)) return false;
    if (cursor.take(':')) {
        if (!cursor.number(1, 2, second)) return false;
        if (cursor.take('.')) {
            const uint8_t *begin = cursor.at;
            if (!cursor.number(0, 9, fraction)) return false;
            for (auto digits = cursor.at - begin; digits < 6; digits++) fraction *= 10;
            for (auto digits = cursor.at - begin; digits > 6; digits--) fraction /= 10;
        }
    }
    if (hour > 23 || minute > 59 || second > 59) return false;
    microseconds = ((hour * 60 + minute) * 60 + second) * 1000000 + fraction;
    return true;
}

/// `Z`, `UTC`, `GMT`, `+01`, `+01:30`, `+0130`, `UTC+1`; at most 18 hours, as in Java.
bool readOffset(Cursor &cursor, int64_t &minutes) {
    minutes = 0;
    if (cursor.take('Z')) return true;
    if (cursor.end - cursor.at >= 3
        && (std::memcmp(cursor.at, "UTC", 3) == 0 || std::memcmp(cursor.at, "GMT", 3) == 0)) {
        cursor.at += 3;
        if (cursor.isAtEnd()) return true;
    }
    bool negative = cursor.take('-');
    if (!negative && !cursor.take('+')) return false;
    const uint8_t *begin = cursor.at;
    int64_t number, rest = 0;
    if (!cursor.number(1, 4, number)) return false;
    auto digits = cursor.at - begin;
    if (digits == 3) return false;
    if (digits == 4) {
        rest = number % 100;
        number /= 100;
    } else if (cursor.take(':') && !cursor.number(1, 2, rest)) {
        return false;
    }
    if (rest > 59 || number * 60 + rest > 18 * 60) return false;
    minutes = number * 60 + rest;
    if (negative) minutes = -minutes;
    return true;
}

Cursor trimmed(const uint8_t *text, size_t length) {
    Cursor cursor{text, text + length};
    while (cursor.at < cursor.end && *cursor.at <= ' ') cursor.at++;
    while (cursor.end > cursor.at && cursor.end[-1] <= ' ') cursor.end--;
    return cursor;
}

}  // namespace

Outcome parseDate(const uint8_t *text, size_t length, int32_t &days) {
    Cursor cursor = trimmed(text, length);
    int64_t count;
    if (!readDate(cursor, count)) return Outcome::badText;
    if (!cursor.isAtEnd() && !cursor.take('T') && !cursor.take(' ')) return Outcome::badText;
    if (count < std::numeric_limits<int32_t>::min() || count > std::numeric_limits<int32_t>::max())
        return Outcome::outOfRange;
    days = int32_t(count);
    return Outcome::ok;
}

Outcome parseTimestamp(const uint8_t *text, size_t length, int64_t &microseconds) {
    Cursor cursor = trimmed(text, length);
    int64_t days, timeOfDay = 0, offsetMinutes = 0;
    if (!readDate(cursor, days)) return Outcome::badText;
    if (!cursor.isAtEnd()) {
        if (!cursor.take('T') && !cursor.take(' ')) return Outcome::badText;
        if (!readTime(cursor, timeOfDay)) return Outcome::badText;
        while (cursor.take(' ')) {}
        if (!cursor.isAtEnd() && (!readOffset(cursor, offsetMinutes) || !cursor.isAtEnd())) return Outcome::badText;
    }
    int64_t sum;
    if (__builtin_mul_overflow(days, int64_t(86400000000), &sum)
        || __builtin_add_overflow(sum, timeOfDay - offsetMinutes * 60000000, &sum))
        return Outcome::outOfRange;
    microseconds = sum;
    return Outcome::ok;
}

}  // namespace cjson
