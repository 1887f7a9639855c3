#include "CJSON.h"

#include <simdjson.h>

#include "Columns.hpp"
#include "Walker.hpp"

using namespace cjson;

struct cjson_decoder {
    std::vector<std::unique_ptr<Node>> nodes;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> index;
    size_t indexCapacity = 0;
    Walker walker;
    std::vector<cjson_fault> faults;

    explicit cjson_decoder(uint32_t depthMax) : walker(depthMax) {}

    Node &build(const cjson_field *fields, size_t count, size_t &place);
    bool prepareIndex(size_t length);
    bool decode(const uint8_t *base, cjson_view view, size_t row);
};

Node &cjson_decoder::build(const cjson_field *fields, size_t count, size_t &place) {
    size_t own = place++;
    nodes.push_back(std::make_unique<Node>(fields[own], uint32_t(own)));
    Node &node = *nodes.back();
    for (uint32_t child = 0; child < fields[own].child_count && place < count; child++)
        node.children.push_back(&build(fields, count, place));
    node.indexChildren();
    return node;
}

bool cjson_decoder::prepareIndex(size_t length) {
    if (index && length <= indexCapacity) return true;
    size_t capacity = std::min<size_t>(std::max<size_t>(length + length / 4, 4096), simdjson::SIMDJSON_MAXSIZE_BYTES);
    indexCapacity = 0;
    auto error = index ? index->set_capacity(capacity)
                       : simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, index);
    if (error) return false;
    indexCapacity = capacity;
    return true;
}

static cjson_code codeOf(simdjson::error_code error) {
    switch (error) {
        case simdjson::EMPTY:
        case simdjson::UNCLOSED_STRING: return CJSON_TRUNCATED;
        case simdjson::UTF8_ERROR: return CJSON_INVALID_UTF8;
        default: return CJSON_MALFORMED;
    }
}

bool cjson_decoder::decode(const uint8_t *base, cjson_view view, size_t row) {
    Walker &walk = walker;
    auto error = view.length == 0 ? simdjson::EMPTY
        : !prepareIndex(view.length) ? simdjson::MEMALLOC
        : index->stage1(base + view.start, view.length, simdjson::stage1_mode::regular);
    if (error) {
        walk.fault = cjson_fault{0, 0, 0, codeOf(error), CJSON_FOUND_NULL};
        return false;
    }
    walk.begin(base, view.start, view.length, index->structural_indexes.get(), index->n_structural_indexes);
    return walk.document(*nodes[0], row);
}

cjson_decoder *cjson_decoder_create(const cjson_field *fields, size_t count, uint32_t depth_max) {
    auto decoder = new cjson_decoder(depth_max);
    size_t place = 0;
    decoder->build(fields, count, place);
    return decoder;
}

void cjson_decoder_destroy(cjson_decoder *decoder) { delete decoder; }

size_t cjson_decode(cjson_decoder *decoder, const uint8_t *base, const void *views, size_t stride, size_t count,
                    const int32_t *rows, size_t row_count) {
    Node &root = *decoder->nodes[0];
    root.begin(count);
    decoder->faults.clear();
    size_t wanted = rows ? row_count : count;
    for (size_t index = 0; index < wanted; index++) {
        size_t row = rows ? size_t(rows[index]) : index;
        cjson_view view;
        std::memcpy(&view, static_cast<const uint8_t *>(views) + row * stride, sizeof view);
        if (view.start == UINT32_MAX || decoder->decode(base, view, row)) continue;
        root.reset(row);
        decoder->faults.push_back(decoder->walker.fault);
        decoder->faults.back().row = uint32_t(row);
    }
    return decoder->faults.size();
}

const cjson_fault *cjson_faults(const cjson_decoder *decoder) { return decoder->faults.data(); }

static bool hasNulls(const Node &node) {
    size_t whole = node.count / 64, rest = node.count % 64;
    for (size_t word = 0; word < whole; word++)
        if (node.nulls[word]) return true;
    return rest && (node.nulls[whole] << (64 - rest));
}

cjson_column cjson_decoded(const cjson_decoder *decoder, size_t field) {
    const Node &node = *decoder->nodes[field];
    cjson_column column{};
    column.count = node.count;
    column.values = node.width ? node.values.data() : nullptr;
    column.nulls = node.nulls.data();
    column.has_nulls = hasNulls(node);
    if (node.hasRanges()) {
        column.starts = node.starts.data();
        column.lengths = node.lengths.data();
    }
    if (node.usesSide) {
        // Not NULL even when empty: the views do not belong to the documents' arena.
        static const uint8_t nothing = 0;
        column.side = node.side.empty() ? &nothing : node.side.data();
        column.side_length = node.side.size();
    }
    return column;
}
