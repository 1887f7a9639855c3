// Walks one document from its first to its last byte, by the index of its structural characters.
//
// simdjson's first stage (SIMD) finds where every bracket, colon, comma, string and other scalar begins, checks UTF-8,
// control characters and that strings end. What it leaves open is the grammar, and the walker checks all of it, in
// fields that nobody reads too: between two indexed places there is exactly one token with white space behind it, so a
// string ends before the next place (found backwards, without reading the string), and a number or literal is compared
// as a whole. Escapes inside strings are looked at only in documents that hold a backslash.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "Columns.hpp"
#include "Scalars.hpp"

namespace cjson {

class Walker {
public:
    explicit Walker(uint32_t depthMax) : depthMax_(depthMax), open_(size_t(depthMax) + 1) {}

    /// Begins with a document at `base + start`; `places[count]` is its length.
    void begin(const uint8_t *base, uint32_t start, uint32_t length, const uint32_t *places, size_t count);
    /// Decodes the document into a row of `root`. False: `fault` says why; the row holds anything.
    bool document(Node &root, size_t row);

    cjson_fault fault;

private:
    struct Text {
        const uint8_t *bytes;
        size_t length;
    };

    const uint8_t *base_ = nullptr, *document_ = nullptr;
    uint32_t start_ = 0;
    const uint32_t *next_ = nullptr, *end_ = nullptr;
    bool hasBackslash_ = false;
    uint32_t depthMax_;
    /// By depth: whether what is open there is an object. Only for what is skipped.
    std::vector<uint8_t> open_;
    std::vector<uint8_t> key_;

    bool isAtEnd() const { return next_ == end_; }
    uint8_t peek() const { return document_[*next_]; }
    bool take(uint8_t wanted);

    bool object(Node &node, size_t row, unsigned depth);
    bool array(Node &node, size_t row, unsigned depth);
    bool map(Node &node, size_t row, unsigned depth);
    bool value(Node &node, size_t row, unsigned depth);
    bool container(Node &node, size_t row, unsigned depth, uint32_t token);
    bool scalar(Node &node, size_t row, uint32_t token);
    bool number(Node &node, size_t row, uint32_t token);
    bool real(Node &node, size_t row, uint32_t token);
    bool typedText(Node &node, size_t row, uint32_t token);
    bool string(Node &node, size_t row, unsigned depth, uint32_t token);
    void setView(Node &node, size_t row, Text text);

    bool key(Text &text);
    bool textOf(uint32_t token, Text &text);
    Text tokenAt(uint32_t token) const;
    bool isEscaped(Text text) const;

    bool skipValue(unsigned depth);
    bool skipContainer(bool isObject, unsigned depth);
    bool skipScalar(uint32_t token);
    bool skipText(uint32_t token);

    bool fail(cjson_code code, uint32_t position);
    /// The token does not belong here: the document ends too early, or is malformed.
    bool unexpected();
    bool malformedScalar(uint32_t token);
    bool wrongType(const Node &node, uint32_t token);
    bool wrong(const Node &node, uint32_t token, cjson_found found);
    bool settle(const Node &node, uint32_t token, Outcome outcome);
};

}  // namespace cjson
