#include "Walker.hpp"

#include <cstring>
#include <limits>

namespace cjson {

void Walker::begin(const uint8_t *base, uint32_t start, uint32_t length, const uint32_t *places, size_t count) {
    base_ = base;
    document_ = base + start;
    start_ = start;
    next_ = places;
    end_ = places + count;
    hasBackslash_ = std::memchr(document_, '\\', length) != nullptr;
}

bool Walker::document(Node &root, size_t row) {
    uint32_t token = *next_++;
    if (document_[token] != '{') {
        switch (document_[token]) {
            case '[': case '"': return fail(CJSON_NOT_AN_OBJECT, token);
            default: return fail(skipScalar(token) ? CJSON_NOT_AN_OBJECT : CJSON_MALFORMED, token);
        }
    }
    root.setValid(row);
    if (!object(root, row, 1)) return false;
    return isAtEnd() || fail(CJSON_MALFORMED, *next_);
}

bool Walker::take(uint8_t wanted) {
    if (isAtEnd() || peek() != wanted) return unexpected();
    next_++;
    return true;
}

// MARK: - Objects and arrays

bool Walker::object(Node &node, size_t row, unsigned depth) {
    if (isAtEnd()) return unexpected();
    if (peek() == '}') {
        next_++;
        return true;
    }
    size_t guess = 0;
    for (;;) {
        Text name;
        if (!key(name)) return false;
        int32_t place = node.child(name.bytes, name.length, guess);
        if (place < 0) {
            if (!skipValue(depth)) return false;
        } else {
            guess = size_t(place) + 1;
            if (!value(*node.children[size_t(place)], row, depth)) return false;
        }
        if (isAtEnd()) return unexpected();
        uint8_t byte = document_[*next_++];
        if (byte == ',') continue;
        if (byte == '}') return true;
        next_--;
        return unexpected();
    }
}

bool Walker::array(Node &node, size_t row, unsigned depth) {
    Node &element = *node.children[0];
    size_t first = element.count;
    if (isAtEnd()) return unexpected();
    if (peek() == ']') {
        next_++;
        node.setRange(row, first, 0);
        return true;
    }
    for (;;) {
        if (element.count >= size_t(std::numeric_limits<int32_t>::max()))
            return wrong(node, *next_, CJSON_FOUND_OUT_OF_RANGE);
        size_t place = element.append();
        if (!value(element, place, depth)) return false;
        if (isAtEnd()) return unexpected();
        uint8_t byte = document_[*next_++];
        if (byte == ',') continue;
        if (byte != ']') {
            next_--;
            return unexpected();
        }
        node.setRange(row, first, element.count - first);
        return true;
    }
}

// MARK: - Values

bool Walker::value(Node &node, size_t row, unsigned depth) {
    if (isAtEnd()) return unexpected();
    uint32_t token = *next_++;
    uint8_t first = document_[token];
    if (first == 'n') {
        if (!skipScalar(token)) return false;
        node.reset(row);
        return true;
    }
    switch (node.kind) {
        case CJSON_STRING: return string(node, row, depth, token);
        case CJSON_STRUCT:
        case CJSON_ARRAY:
        case CJSON_MAP: return container(node, row, depth, token);
        default: return scalar(node, row, token);
    }
}

bool Walker::container(Node &node, size_t row, unsigned depth, uint32_t token) {
    if (document_[token] != (node.kind == CJSON_ARRAY ? '[' : '{')) return wrongType(node, token);
    if (depth + 1 > depthMax_) return fail(CJSON_TOO_DEEP, token);
    if (node.kind == CJSON_ARRAY) return array(node, row, depth + 1);
    if (node.kind == CJSON_MAP) return map(node, row, depth + 1);
    // A repeated field: nothing of the earlier one may show through.
    if (!(node.nulls[row >> 6] >> (row & 63) & 1)) node.reset(row);
    node.setValid(row);
    return object(node, row, depth + 1);
}

bool Walker::scalar(Node &node, size_t row, uint32_t token) {
    switch (document_[token]) {
        case '"': return typedText(node, row, token);
        case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
            return number(node, row, token);
        case 't': case 'f':
            if (node.kind != CJSON_BOOLEAN) return wrongType(node, token);
            if (!skipScalar(token)) return false;
            node.set(row, uint8_t(document_[token] == 't'));
            return true;
        default: return wrongType(node, token);
    }
}

template <typename Integer>
static Outcome narrow(Node &node, size_t row, int64_t wide) {
    if (wide < std::numeric_limits<Integer>::min() || wide > std::numeric_limits<Integer>::max())
        return Outcome::outOfRange;
    node.set(row, Integer(wide));
    return Outcome::ok;
}

bool Walker::number(Node &node, size_t row, uint32_t token) {
    Text text = tokenAt(token);
    switch (node.kind) {
        case CJSON_FLOAT:
        case CJSON_DOUBLE:
        case CJSON_DECIMAL: return real(node, row, token);
        case CJSON_INT8:
        case CJSON_INT16:
        case CJSON_INT32:
        case CJSON_INT64:
        case CJSON_TIMESTAMP: break;
        default: return wrongType(node, token);
    }
    int64_t wide = 0;
    Outcome outcome = parseInteger(text.bytes, text.length, wide);
    if (outcome != Outcome::ok) return settle(node, token, outcome);
    switch (node.kind) {
        case CJSON_INT8: outcome = narrow<int8_t>(node, row, wide); break;
        case CJSON_INT16: outcome = narrow<int16_t>(node, row, wide); break;
        case CJSON_INT32: outcome = narrow<int32_t>(node, row, wide); break;
        case CJSON_TIMESTAMP:
            if (__builtin_mul_overflow(wide, int64_t(1000000), &wide)) return settle(node, token, Outcome::outOfRange);
            [[fallthrough]];
        default: node.set(row, wide);
    }
    return settle(node, token, outcome);
}

bool Walker::real(Node &node, size_t row, uint32_t token) {
    Text text = tokenAt(token);
    Outcome outcome;
    if (node.kind == CJSON_DOUBLE) {
        double value = 0;
        outcome = parseDouble(text.bytes, text.length, value);
        node.set(row, value);
    } else if (node.kind == CJSON_FLOAT) {
        float value = 0;
        outcome = parseFloat(text.bytes, text.length, value);
        node.set(row, value);
    } else {
        __int128 value = 0;
        outcome = parseDecimal(text.bytes, text.length, node.precision, node.scale, value);
        node.set(row, value);
    }
    return settle(node, token, outcome);
}

bool Walker::typedText(Node &node, size_t row, uint32_t token) {
    Text text;
    if (!textOf(token, text)) return false;
    if (isEscaped(text)) {
        key_.clear();
        if (!unescape(text.bytes, text.length, key_)) return fail(CJSON_MALFORMED, token);
        text = Text{key_.data(), key_.size()};
    }
    Outcome outcome = Outcome::ok;
    double special = 0;
    int64_t instant = 0;
    int32_t days = 0;
    __int128 decimal = 0;
    switch (node.kind) {
        case CJSON_FLOAT:
        case CJSON_DOUBLE:
            if (!parseSpecialNumber(text.bytes, text.length, special)) return wrongType(node, token);
            if (node.kind == CJSON_FLOAT) node.set(row, float(special));
            else node.set(row, special);
            break;
        case CJSON_DECIMAL:
            outcome = parseDecimal(text.bytes, text.length, node.precision, node.scale, decimal);
            if (outcome == Outcome::malformed) outcome = Outcome::badText;
            node.set(row, decimal);
            break;
        case CJSON_DATE:
            outcome = parseDate(text.bytes, text.length, days);
            node.set(row, days);
            break;
        case CJSON_TIMESTAMP:
            outcome = parseTimestamp(text.bytes, text.length, instant);
            node.set(row, instant);
            break;
        case CJSON_YEAR_MONTH:
            outcome = parseYearMonthInterval(text.bytes, text.length, days);
            node.set(row, days);
            break;
        case CJSON_DAY_TIME:
            outcome = parseDayTimeInterval(text.bytes, text.length, instant);
            node.set(row, instant);
            break;
        case CJSON_BINARY: {
            size_t start = node.side.size();
            if (!decodeBase64(text.bytes, text.length, node.side)) outcome = Outcome::badText;
            node.set(row, cjson_view{uint32_t(start), uint32_t(node.side.size() - start)});
            break;
        }
        default: return wrongType(node, token);
    }
    return settle(node, token, outcome);
}

bool Walker::string(Node &node, size_t row, unsigned depth, uint32_t token) {
    uint8_t first = document_[token];
    if (first == '"') {
        Text text;
        if (!textOf(token, text)) return false;
        if (!isEscaped(text)) {
            setView(node, row, text);
            return true;
        }
        if (!node.usesSide) node.moveToSide(base_);
        size_t start = node.side.size();
        if (!unescape(text.bytes, text.length, node.side)) return fail(CJSON_MALFORMED, token);
        node.set(row, cjson_view{uint32_t(start), uint32_t(node.side.size() - start)});
        return true;
    }
    if (first == '{' || first == '[') {
        if (!skipContainer(first == '{', depth + 1)) return false;
        setView(node, row, Text{document_ + token, size_t(next_[-1] + 1 - token)});
        return true;
    }
    if (!skipScalar(token)) return false;
    setView(node, row, tokenAt(token));
    return true;
}

void Walker::setView(Node &node, size_t row, Text text) {
    if (node.usesSide) {
        size_t start = node.side.size();
        node.side.insert(node.side.end(), text.bytes, text.bytes + text.length);
        node.set(row, cjson_view{uint32_t(start), uint32_t(text.length)});
    } else {
        node.set(row, cjson_view{uint32_t(text.bytes - base_), uint32_t(text.length)});
    }
}

// MARK: - Tokens

bool Walker::key(Text &text) {
    const uint32_t *next = next_;
    const uint8_t *document = document_;
    uint32_t token = next[0];
    // Nearly every key: a string, and a colon right behind it.
    if (end_ - next >= 2 && document[token] == '"' && document[next[1]] == ':' && document[next[1] - 1] == '"'
        && next[1] >= token + 2) {
        text = Text{document + token + 1, next[1] - token - 2};
        next_ = next + 2;
    } else if (!take('"') || !textOf(token, text) || !take(':')) {
        return false;
    }
    if (isEscaped(text)) {
        key_.clear();
        if (!unescape(text.bytes, text.length, key_)) return fail(CJSON_MALFORMED, token);
        // The search for a field reads whole words.
        size_t length = key_.size();
        key_.resize(length + 8);
        text = Text{key_.data(), length};
    }
    return true;
}

static bool isSpace(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

bool Walker::textOf(uint32_t token, Text &text) {
    uint32_t end = *next_;
    while (end > token + 1 && isSpace(document_[end - 1])) end--;
    if (end < token + 2 || document_[end - 1] != '"') return fail(CJSON_MALFORMED, token);
    text = Text{document_ + token + 1, end - token - 2};
    return true;
}

Walker::Text Walker::tokenAt(uint32_t token) const {
    uint32_t end = *next_;
    while (end > token && isSpace(document_[end - 1])) end--;
    return Text{document_ + token, end - token};
}

bool Walker::isEscaped(Text text) const {
    return hasBackslash_ && std::memchr(text.bytes, '\\', text.length) != nullptr;
}

}  // namespace cjson
