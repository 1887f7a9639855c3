#include <array>
#include <cstring>

#include "Scalars.hpp"

namespace cjson {

/// The four hex digits at `text`, or -1.
static int32_t hexadecimal(const uint8_t *text) {
    int32_t value = 0;
    for (int index = 0; index < 4; index++) {
        uint8_t byte = text[index], lower = byte | 0x20;
        if (uint8_t(byte - '0') < 10) value = value * 16 + (byte - '0');
        else if (lower >= 'a' && lower <= 'f') value = value * 16 + (lower - 'a' + 10);
        else return -1;
    }
    return value;
}

static uint8_t plainEscape(uint8_t letter) {
    switch (letter) {
        case '"': return '"';
        case '\\': return '\\';
        case '/': return '/';
        case 'b': return '\b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        default: return 0;
    }
}

bool hasValidEscapes(const uint8_t *text, size_t length) {
    const uint8_t *at = text, *end = text + length;
    while ((at = static_cast<const uint8_t *>(std::memchr(at, '\\', size_t(end - at))))) {
        if (end - at < 2) return false;
        if (at[1] == 'u') {
            if (end - at < 6 || hexadecimal(at + 2) < 0) return false;
            at += 6;
        } else {
            if (!plainEscape(at[1])) return false;
            at += 2;
        }
    }
    return true;
}

static void appendCodePoint(uint32_t code, std::vector<uint8_t> &out) {
    if (code < 0x80) {
        out.push_back(uint8_t(code));
    } else if (code < 0x800) {
        out.insert(out.end(), {uint8_t(0xC0 | code >> 6), uint8_t(0x80 | (code & 63))});
    } else if (code < 0x10000) {
        out.insert(out.end(), {uint8_t(0xE0 | code >> 12), uint8_t(0x80 | (code >> 6 & 63)),
                               uint8_t(0x80 | (code & 63))});
    } else {
        out.insert(out.end(), {uint8_t(0xF0 | code >> 18), uint8_t(0x80 | (code >> 12 & 63)),
                               uint8_t(0x80 | (code >> 6 & 63)), uint8_t(0x80 | (code & 63))});
    }
}

bool unescape(const uint8_t *text, size_t length, std::vector<uint8_t> &out) {
    const uint8_t *at = text, *end = text + length;
    while (at < end) {
        auto found = static_cast<const uint8_t *>(std::memchr(at, '\\', size_t(end - at)));
        const uint8_t *plainEnd = found ? found : end;
        out.insert(out.end(), at, plainEnd);
        if (!found) return true;
        at = found;
        if (end - at < 2) return false;
        if (at[1] != 'u') {
            uint8_t plain = plainEscape(at[1]);
            if (!plain) return false;
            out.push_back(plain);
            at += 2;
            continue;
        }
        int32_t unit = end - at < 6 ? -1 : hexadecimal(at + 2);
        if (unit < 0) return false;
        at += 6;
        uint32_t code = uint32_t(unit);
        if (unit >= 0xD800 && unit < 0xE000) {
            int32_t low = unit < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? hexadecimal(at + 2) : -1;
            if (low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + uint32_t(low - 0xDC00);
                at += 6;
            } else {
                code = 0xFFFD;
            }
        }
        appendCodePoint(code, out);
    }
    return true;
}

static constexpr std::array<int8_t, 256> sextets = [] {
    std::array<int8_t, 256> table{};
    for (auto &entry : table) entry = -1;
    const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int index = 0; index < 64; index++) table[uint8_t(alphabet[index])] = int8_t(index);
    return table;
}();

bool decodeBase64(const uint8_t *text, size_t length, std::vector<uint8_t> &out) {
    if (length % 4 != 0) return false;
    if (length == 0) return true;
    size_t before = out.size(), padding = text[length - 1] != '=' ? 0 : text[length - 2] == '=' ? 2 : 1;
    for (size_t at = 0; at < length; at += 4) {
        size_t missing = at + 4 == length ? padding : 0;
        int32_t sum = 0;
        bool isValid = true;
        for (size_t index = 0; index < 4; index++) {
            int8_t sextet = index < 4 - missing ? sextets[text[at + index]] : 0;
            isValid = isValid && sextet >= 0;
            sum = sum << 6 | (sextet & 63);
        }
        if (!isValid) {
            out.resize(before);
            return false;
        }
        out.push_back(uint8_t(sum >> 16));
        if (missing < 2) out.push_back(uint8_t(sum >> 8));
        if (missing < 1) out.push_back(uint8_t(sum));
    }
    return true;
}

}  // namespace cjson
