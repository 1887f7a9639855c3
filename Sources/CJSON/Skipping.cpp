// The walker's way through what nobody reads, and its complaints.
#include <cstring>

#include "Walker.hpp"

namespace cjson {

bool Walker::skipValue(unsigned depth) {
    if (isAtEnd()) return unexpected();
    uint32_t token = *next_++;
    switch (document_[token]) {
        case '"': return !hasBackslash_ || skipText(token);
        case '{': return skipContainer(true, depth + 1);
        case '[': return skipContainer(false, depth + 1);
        default: return skipScalar(token);
    }
}

/// Skips the rest of an object or array whose bracket was taken; `depth` counts it.
bool Walker::skipContainer(bool isObject, unsigned depth) {
    unsigned level = depth;
    bool isFresh = true;
    for (;;) {
        if (isFresh && level > depthMax_) return fail(CJSON_TOO_DEEP, next_[-1]);
        open_[level] = isObject;
        if (isAtEnd()) return unexpected();
        bool isClosed = false;
        if (isFresh && peek() == (isObject ? '}' : ']')) {
            next_++;
            isClosed = true;
        } else if (!isFresh) {
            uint8_t byte = peek();
            isClosed = byte == (isObject ? '}' : ']');
            if (!isClosed && byte != ',') return unexpected();
            next_++;
        }
        isFresh = false;
        if (isClosed) {
            if (level-- == depth) return true;
            isObject = open_[level];
            continue;
        }
        if (isObject) {
            uint32_t token = *next_;
            if (!take('"') || (hasBackslash_ && !skipText(token)) || !take(':')) return false;
        }
        if (isAtEnd()) return unexpected();
        uint32_t token = *next_++;
        uint8_t first = document_[token];
        if (first == '{' || first == '[') {
            level++;
            isObject = first == '{';
            isFresh = true;
        } else if (first == '"') {
            if (hasBackslash_ && !skipText(token)) return false;
        } else if (!skipScalar(token)) {
            return false;
        }
    }
}

bool Walker::skipText(uint32_t token) {
    Text text;
    if (!textOf(token, text)) return false;
    return hasValidEscapes(text.bytes, text.length) || fail(CJSON_MALFORMED, token);
}

bool Walker::skipScalar(uint32_t token) {
    Text text = tokenAt(token);
    auto is = [&](const char *literal, size_t length) {
        return text.length == length && std::memcmp(text.bytes, literal, length) == 0;
    };
    switch (document_[token]) {
        case 't': return is("true", 4) || malformedScalar(token);
        case 'f': return is("false", 5) || malformedScalar(token);
        case 'n': return is("null", 4) || malformedScalar(token);
        default: return numberForm(text.bytes, text.length) != NumberForm::invalid || malformedScalar(token);
    }
}

// MARK: - Faults

bool Walker::fail(cjson_code code, uint32_t position) {
    fault = cjson_fault{0, 0, position, code, CJSON_FOUND_NULL};
    return false;
}

bool Walker::unexpected() { return fail(isAtEnd() ? CJSON_TRUNCATED : CJSON_MALFORMED, *next_); }

bool Walker::malformedScalar(uint32_t token) {
    // The last token may be the beginning of a good one, but a bracket or a comma is whole and wrong.
    bool isWhole = std::strchr("{}[],:", document_[token]) != nullptr;
    return fail(isAtEnd() && !isWhole ? CJSON_TRUNCATED : CJSON_MALFORMED, token);
}

bool Walker::wrong(const Node &node, uint32_t token, cjson_found found) {
    fault = cjson_fault{0, node.index, token, CJSON_WRONG_TYPE, found};
    return false;
}

bool Walker::wrongType(const Node &node, uint32_t token) {
    switch (document_[token]) {
        case '{': return wrong(node, token, CJSON_FOUND_OBJECT);
        case '[': return wrong(node, token, CJSON_FOUND_ARRAY);
        case '"': return wrong(node, token, CJSON_FOUND_TEXT);
        case 't': case 'f': return skipScalar(token) && wrong(node, token, CJSON_FOUND_BOOLEAN);
        default: return skipScalar(token) && wrong(node, token, CJSON_FOUND_NUMBER);
    }
}

bool Walker::settle(const Node &node, uint32_t token, Outcome outcome) {
    switch (outcome) {
        case Outcome::ok: return true;
        case Outcome::malformed: return malformedScalar(token);
        case Outcome::fraction: return wrong(node, token, CJSON_FOUND_FRACTION);
        case Outcome::outOfRange: return wrong(node, token, CJSON_FOUND_OUT_OF_RANGE);
        case Outcome::badText: return wrong(node, token, CJSON_FOUND_BAD_TEXT);
    }
    return false;
}

}  // namespace cjson
