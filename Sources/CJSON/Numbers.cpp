#include <charconv>
#include <cstring>
#include <limits>

#include "Scalars.hpp"

namespace cjson {

static bool isDigit(uint8_t byte) { return uint8_t(byte - '0') < 10; }

NumberForm numberForm(const uint8_t *text, size_t length) {
    size_t at = 0;
    auto digits = [&] {
        size_t begin = at;
        while (at < length && isDigit(text[at])) at++;
        return at - begin;
    };
    if (at < length && text[at] == '-') at++;
    bool leadingZero = at < length && text[at] == '0';
    size_t whole = digits();
    if (whole == 0 || (leadingZero && whole > 1)) return NumberForm::invalid;
    if (at == length) return NumberForm::integer;
    if (text[at] == '.') {
        at++;
        if (digits() == 0) return NumberForm::invalid;
    }
    if (at < length && (text[at] | 0x20) == 'e') {
        at++;
        if (at < length && (text[at] == '+' || text[at] == '-')) at++;
        if (digits() == 0) return NumberForm::invalid;
    }
    return at == length ? NumberForm::real : NumberForm::invalid;
}

Outcome parseInteger(const uint8_t *text, size_t length, int64_t &value) {
    bool negative = length > 0 && text[0] == '-';
    size_t at = negative ? 1 : 0, first = at;
    uint64_t sum = 0;
    // 18 digits cannot overflow; what is longer takes the slow way.
    for (; at < length && at - first < 18 && isDigit(text[at]); at++) sum = sum * 10 + (text[at] - '0');
    if (at < length || at == first || (text[first] == '0' && at - first > 1)) {
        switch (numberForm(text, length)) {
            case NumberForm::invalid: return Outcome::malformed;
            case NumberForm::real: return Outcome::fraction;
            case NumberForm::integer: break;
        }
        for (; at < length; at++)
            if (__builtin_mul_overflow(sum, uint64_t(10), &sum)
                || __builtin_add_overflow(sum, uint64_t(text[at] - '0'), &sum))
                return Outcome::outOfRange;
    }
    uint64_t limit = uint64_t(std::numeric_limits<int64_t>::max()) + (negative ? 1 : 0);
    if (sum > limit) return Outcome::outOfRange;
    value = negative ? int64_t(0 - sum) : int64_t(sum);
    return Outcome::ok;
}

/// What the library calls out of range: infinity or zero, by where the first digit stands.
static double beyondRange(const uint8_t *text, size_t length) {
    bool negative = text[0] == '-', seenPoint = false;
    int64_t magnitude = 0;
    bool seenDigit = false;
    size_t at = negative ? 1 : 0;
    for (; at < length && (text[at] | 0x20) != 'e'; at++) {
        if (text[at] == '.') {
            seenPoint = true;
            continue;
        }
        seenDigit = seenDigit || text[at] != '0';
        if (!seenPoint && seenDigit) magnitude++;
        if (seenPoint && !seenDigit) magnitude--;
    }
    if (at < length) {
        bool down = text[at + 1] == '-';
        int64_t exponent = 0;
        for (at++; at < length; at++)
            if (isDigit(text[at]) && exponent < 1000000000000) exponent = exponent * 10 + (text[at] - '0');
        magnitude += down ? -exponent : exponent;
    }
    double value = magnitude > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    return negative ? -value : value;
}

template <typename Real>
static Outcome parseReal(const uint8_t *text, size_t length, Real &value) {
    if (numberForm(text, length) == NumberForm::invalid) return Outcome::malformed;
    auto begin = reinterpret_cast<const char *>(text);
    if (std::from_chars(begin, begin + length, value).ec == std::errc::result_out_of_range)
        value = Real(beyondRange(text, length));
    return Outcome::ok;
}

Outcome parseDouble(const uint8_t *text, size_t length, double &value) { return parseReal(text, length, value); }
Outcome parseFloat(const uint8_t *text, size_t length, float &value) { return parseReal(text, length, value); }

bool parseSpecialNumber(const uint8_t *text, size_t length, double &value) {
    auto is = [&](const char *name) { return std::strlen(name) == length && std::memcmp(name, text, length) == 0; };
    if (is("NaN")) value = std::numeric_limits<double>::quiet_NaN();
    else if (is("Infinity")) value = std::numeric_limits<double>::infinity();
    else if (is("-Infinity")) value = -std::numeric_limits<double>::infinity();
    else return false;
    return true;
}

Outcome parseDecimal(const uint8_t *text, size_t length, unsigned precision, unsigned scale, __int128 &unscaled) {
    if (numberForm(text, length) == NumberForm::invalid) return Outcome::malformed;
    bool negative = text[0] == '-';
    size_t mantissaEnd = negative ? 1 : 0, first = 0, digits = 0;
    int64_t exponent = 0;
    bool seenPoint = false;
    for (; mantissaEnd < length && (text[mantissaEnd] | 0x20) != 'e'; mantissaEnd++) {
        if (text[mantissaEnd] == '.') {
            seenPoint = true;
            continue;
        }
        if (seenPoint) exponent--;
        if (digits == 0 && text[mantissaEnd] == '0') continue;
        if (digits++ == 0) first = mantissaEnd;
    }
    if (mantissaEnd < length) {
        int64_t written = 0;
        for (size_t at = mantissaEnd + 1; at < length; at++)
            if (isDigit(text[at]) && written < 1000000000000) written = written * 10 + (text[at] - '0');
        exponent += text[mantissaEnd + 1] == '-' ? -written : written;
    }
    unscaled = 0;
    if (digits == 0) return Outcome::ok;
    // The value is 0.d1d2d3… * 10^(digits + exponent): so many digits stand before the unscaled value's end.
    int64_t kept = int64_t(digits) + exponent + int64_t(scale);
    if (kept < 0) return Outcome::ok;
    if (kept > 38) return Outcome::outOfRange;
    unsigned __int128 sum = 0;
    int64_t taken = 0;
    for (size_t at = first; at < mantissaEnd && taken <= kept; at++) {
        if (text[at] == '.') continue;
        if (taken++ < kept) sum = sum * 10 + (text[at] - '0');
        else sum += text[at] >= '5';
    }
    for (; taken < kept; taken++) sum *= 10;
    unsigned __int128 limit = 1;
    for (unsigned digit = 0; digit < precision && digit < 38; digit++) limit *= 10;
    if (sum >= limit) return Outcome::outOfRange;
    unscaled = negative ? -__int128(sum) : __int128(sum);
    return Outcome::ok;
}

}  // namespace cjson
