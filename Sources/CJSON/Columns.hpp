// The columns that a batch is decoded into, one node for each field of the schema.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "CJSON.h"

namespace cjson {

/// Eight bytes as they lie in memory; the caller knows that they are readable.
inline uint64_t load8(const uint8_t *bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
    return word;
}

/// Keeps the first `length` bytes of a word.
inline uint64_t firstBytes(uint64_t word, size_t length) {
    return length >= 8 ? word : word & ((uint64_t(1) << (length * 8)) - 1);
}

/// A growable array of plain values that keeps its memory and leaves new values as they are.
template <typename Value>
class Buffer {
public:
    Value *data() { return values_.get(); }
    const Value *data() const { return values_.get(); }
    Value &operator[](size_t index) { return values_[index]; }
    const Value &operator[](size_t index) const { return values_[index]; }

    void reserve(size_t count, size_t used) {
        if (count <= capacity_) return;
        size_t grown = std::max<size_t>(std::max<size_t>(count, 64), capacity_ * 2);
        std::unique_ptr<Value[]> values(new Value[grown]);
        if (used) std::memcpy(static_cast<void *>(values.get()), values_.get(), used * sizeof(Value));
        values_ = std::move(values);
        capacity_ = grown;
    }

private:
    std::unique_ptr<Value[]> values_;
    size_t capacity_ = 0;
};

struct Node {
    cjson_kind kind;
    uint8_t precision, scale;
    uint32_t index;
    std::string name;
    std::vector<Node *> children;
    /// The name's ends, which decide nearly every comparison.
    uint64_t nameHead = 0, nameTail = 0;
    /// Lengths of the children's names, as bits (63: that or longer): most unwanted keys are refused by this alone.
    uint64_t childNameLengths = 0;
    /// Open addressing by name, where there are many children; empty otherwise.
    std::vector<int32_t> childTable;

    size_t count = 0;
    size_t width;
    Buffer<unsigned char> values;
    Buffer<uint64_t> nulls;
    Buffer<int32_t> starts, lengths;
    /// Views point here once a string had to be unescaped (or from the start, for binaries).
    bool usesSide = false;
    std::vector<uint8_t> side;

    Node(const cjson_field &field, uint32_t index);

    /// Empties the column, then makes it `rows` nulls (structs: with their fields).
    void begin(size_t rows);
    /// Adds a null and gives its place.
    size_t append();
    /// Takes back the last row.
    void drop();
    /// Makes a row null again, with all that is in it.
    void reset(size_t row);
    /// Prepares the search for children by name.
    void indexChildren();
    /// The child of that name, or -1. `guess` is tried first.
    int32_t child(const uint8_t *key, size_t length, size_t guess) const;

    bool hasViews() const { return kind == CJSON_STRING || kind == CJSON_BINARY; }
    bool hasRanges() const { return kind == CJSON_ARRAY || kind == CJSON_MAP; }
    cjson_view *views() { return reinterpret_cast<cjson_view *>(values.data()); }
    void setValid(size_t row) { nulls[row >> 6] &= ~(uint64_t(1) << (row & 63)); }
    void setNull(size_t row) { nulls[row >> 6] |= uint64_t(1) << (row & 63); }
    void setRange(size_t row, size_t start, size_t length) {
        starts[row] = int32_t(start);
        lengths[row] = int32_t(length);
        setValid(row);
    }
    template <typename Value>
    void set(size_t row, Value value) {
        std::memcpy(values.data() + row * sizeof(Value), &value, sizeof(Value));
        setValid(row);
    }
    /// Moves the views made so far to `side`, because a column has one arena.
    void moveToSide(const uint8_t *base);

private:
    void grow(size_t rows);
    bool isNamed(const uint8_t *key, size_t length, uint64_t head, uint64_t tail) const {
        return name.size() == length && nameHead == head && nameTail == tail
            && (length <= 16 || std::memcmp(name.data(), key, length) == 0);
    }
};

}  // namespace cjson
