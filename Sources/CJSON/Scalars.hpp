// Numbers, instants and strings out of the text of one JSON token. All functions look at exactly `length` bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cjson {

enum class Outcome { ok, malformed, fraction, outOfRange, badText };
enum class NumberForm { invalid, integer, real };

/// Checks the whole token against JSON's grammar of numbers.
NumberForm numberForm(const uint8_t *text, size_t length);

Outcome parseInteger(const uint8_t *text, size_t length, int64_t &value);
/// Correctly rounded; too large gives infinity and too small zero, as in Java.
Outcome parseDouble(const uint8_t *text, size_t length, double &value);
Outcome parseFloat(const uint8_t *text, size_t length, float &value);
/// Exact, rounded half up (away from zero) to `scale`.
Outcome parseDecimal(const uint8_t *text, size_t length, unsigned precision, unsigned scale, __int128 &unscaled);

/// `NaN`, `Infinity`, `-Infinity` as the text of a string.
bool parseSpecialNumber(const uint8_t *text, size_t length, double &value);

/// `2024-01-02`, also without day or month and with a time behind, as Spark casts text to a date.
Outcome parseDate(const uint8_t *text, size_t length, int32_t &days);
/// ISO 8601 as Spark reads it: `T` or a space, up to 9 digits of fraction (cut to microseconds), offset or none (UTC).
Outcome parseTimestamp(const uint8_t *text, size_t length, int64_t &microseconds);

/// `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '3' MONTH`: what the encoder and Spark's `to_json` write.
Outcome parseYearMonthInterval(const uint8_t *text, size_t length, int32_t &months);
/// `INTERVAL '1 02:03:04.5' DAY TO SECOND`, `INTERVAL '1' DAY`.
Outcome parseDayTimeInterval(const uint8_t *text, size_t length, int64_t &microseconds);

/// Whether every backslash in the text of a string begins one of JSON's escapes.
bool hasValidEscapes(const uint8_t *text, size_t length);
/// Appends the text without its escapes; half of a surrogate pair becomes U+FFFD. False: an escape is malformed.
bool unescape(const uint8_t *text, size_t length, std::vector<uint8_t> &out);
/// Appends the bytes of standard, padded base64 (RFC 4648). False: it is not that; `out` is as before.
bool decodeBase64(const uint8_t *text, size_t length, std::vector<uint8_t> &out);

}  // namespace cjson
