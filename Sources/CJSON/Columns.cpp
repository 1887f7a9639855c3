#include "Columns.hpp"

namespace cjson {

static size_t widthOf(cjson_kind kind) {
    switch (kind) {
        case CJSON_BOOLEAN:
        case CJSON_INT8: return 1;
        case CJSON_INT16: return 2;
        case CJSON_INT32:
        case CJSON_FLOAT:
        case CJSON_DATE:
        case CJSON_YEAR_MONTH: return 4;
        case CJSON_INT64:
        case CJSON_DOUBLE:
        case CJSON_TIMESTAMP:
        case CJSON_DAY_TIME:
        case CJSON_STRING:
        case CJSON_BINARY: return 8;
        case CJSON_DECIMAL: return 16;
        case CJSON_NULL:
        case CJSON_ARRAY:
        case CJSON_MAP:
        case CJSON_STRUCT: return 0;
    }
    return 0;
}

static size_t hashOf(uint64_t head, uint64_t tail, size_t length) {
    uint64_t mixed = (head ^ (tail * 0x9E3779B97F4A7C15u) ^ length) * 0xD6E8FEB86659FD93u;
    return size_t(mixed ^ (mixed >> 32));
}

Node::Node(const cjson_field &field, uint32_t index)
    : kind(field.kind), precision(field.precision), scale(field.scale), index(index),
      name(field.name ? std::string(field.name, field.name_length) : std::string()), width(widthOf(field.kind)) {
    std::string padded = name + std::string(8, '\0');
    auto bytes = reinterpret_cast<const uint8_t *>(padded.data());
    nameHead = firstBytes(load8(bytes), name.size());
    nameTail = name.size() >= 8 ? load8(bytes + name.size() - 8) : 0;
}

void Node::indexChildren() {
    for (Node *child : children) childNameLengths |= uint64_t(1) << std::min<size_t>(child->name.size(), 63);
    if (children.size() <= 8) return;
    size_t size = 32;
    while (size < children.size() * 4) size *= 2;
    childTable.assign(size, -1);
    for (size_t place = 0; place < children.size(); place++) {
        const Node &child = *children[place];
        size_t slot = hashOf(child.nameHead, child.nameTail, child.name.size()) & (size - 1);
        while (childTable[slot] >= 0) slot = (slot + 1) & (size - 1);
        childTable[slot] = int32_t(place);
    }
}

int32_t Node::child(const uint8_t *key, size_t length, size_t guess) const {
    if (!(childNameLengths >> std::min<size_t>(length, 63) & 1)) return -1;
    uint64_t head = firstBytes(load8(key), length);
    uint64_t tail = length >= 8 ? load8(key + length - 8) : 0;
    if (guess < children.size() && children[guess]->isNamed(key, length, head, tail)) return int32_t(guess);
    if (childTable.empty()) {
        for (size_t place = 0; place < children.size(); place++)
            if (children[place]->isNamed(key, length, head, tail)) return int32_t(place);
        return -1;
    }
    size_t mask = childTable.size() - 1;
    for (size_t slot = hashOf(head, tail, length) & mask; childTable[slot] >= 0; slot = (slot + 1) & mask)
        if (children[size_t(childTable[slot])]->isNamed(key, length, head, tail)) return childTable[slot];
    return -1;
}

void Node::grow(size_t rows) {
    values.reserve(rows * width, count * width);
    nulls.reserve((rows + 63) / 64, (count + 63) / 64);
    if (hasRanges()) {
        starts.reserve(rows, count);
        lengths.reserve(rows, count);
    }
}

void Node::begin(size_t rows) {
    count = 0;
    side.clear();
    usesSide = kind == CJSON_BINARY;
    grow(rows);
    count = rows;
    if (rows) {
        std::memset(nulls.data(), 0xFF, (rows + 63) / 64 * 8);
        // Whatever is null reads as zero: a Bool must be one, and a batch must not depend on the one before.
        if (width) std::memset(values.data(), 0, rows * width);
        if (hasRanges()) {
            std::memset(starts.data(), 0, rows * 4);
            std::memset(lengths.data(), 0, rows * 4);
        }
    }
    for (Node *child : children) child->begin(hasRanges() ? 0 : rows);
}

size_t Node::append() {
    size_t row = count;
    grow(row + 1);
    count = row + 1;
    if (width) std::memset(values.data() + row * width, 0, width);
    if (hasRanges()) starts[row] = lengths[row] = 0;
    if (kind == CJSON_STRUCT)
        for (Node *child : children) child->append();
    if ((row & 63) == 0) nulls[row >> 6] = 0;
    setNull(row);
    return row;
}

void Node::drop() {
    count--;
    if (kind == CJSON_STRUCT)
        for (Node *child : children) child->drop();
}

void Node::reset(size_t row) {
    setNull(row);
    if (width) std::memset(values.data() + row * width, 0, width);
    if (hasRanges()) starts[row] = lengths[row] = 0;
    if (kind == CJSON_STRUCT)
        for (Node *child : children) child->reset(row);
}

void Node::moveToSide(const uint8_t *base) {
    usesSide = true;
    cjson_view *all = views();
    for (size_t row = 0; row < count; row++) {
        // An empty one needs a place inside the side as well; the first is as good as any, and a null's is always that.
        auto start = all[row].length ? uint32_t(side.size()) : 0;
        const uint8_t *bytes = base + all[row].start;
        side.insert(side.end(), bytes, bytes + all[row].length);
        all[row].start = start;
    }
}

}  // namespace cjson
