#include <cstring>
#include <limits>
#include <set>

#include "Walker.hpp"

namespace cjson {

/// Finds a key among those of one map: by comparison while they are few, then by an ordered set, so that a document
/// made of many keys costs O(n log n) at worst.
class KeySearch {
public:
    KeySearch(Node &keys, const uint8_t *base) : keys_(keys), base_(base), first_(keys.count), order_(Less{this}) {}

    /// The place of the key that is equal to the one at `place`, or `place`, which then belongs to the map.
    size_t find(size_t place) {
        if (place - first_ < 8) {
            for (size_t other = first_; other < place; other++)
                if (compare(other, place) == 0) return other;
            return place;
        }
        if (order_.empty())
            for (size_t other = first_; other < place; other++) order_.insert(other);
        return *order_.insert(place).first;
    }

private:
    struct Less {
        const KeySearch *search;
        bool operator()(size_t a, size_t b) const { return search->compare(a, b) < 0; }
    };

    Node &keys_;
    const uint8_t *base_;
    size_t first_;
    std::set<size_t, Less> order_;

    int compare(size_t a, size_t b) const {
        const uint8_t *bytes = keys_.usesSide ? keys_.side.data() : base_;
        cjson_view left = keys_.views()[a], right = keys_.views()[b];
        if (left.length != right.length) return left.length < right.length ? -1 : 1;
        return left.length == 0 ? 0 : std::memcmp(bytes + left.start, bytes + right.start, left.length);
    }
};

bool Walker::map(Node &node, size_t row, unsigned depth) {
    Node &keys = *node.children[0], &values = *node.children[1];
    size_t first = keys.count;
    if (isAtEnd()) return unexpected();
    if (peek() == '}') {
        next_++;
        node.setRange(row, first, 0);
        return true;
    }
    KeySearch search(keys, base_);
    for (;;) {
        if (keys.count >= size_t(std::numeric_limits<int32_t>::max()))
            return wrong(node, *next_, CJSON_FOUND_OUT_OF_RANGE);
        uint32_t token = *next_;
        if (!take('"')) return false;
        // Both at once, so that they stay side by side when the document breaks off in between.
        size_t place = keys.append();
        values.append();
        Text text;
        if (!textOf(token, text)) return false;
        if (isEscaped(text)) {
            if (!keys.usesSide) keys.moveToSide(base_);
            size_t start = keys.side.size();
            if (!unescape(text.bytes, text.length, keys.side)) return fail(CJSON_MALFORMED, token);
            keys.set(place, cjson_view{uint32_t(start), uint32_t(keys.side.size() - start)});
        } else {
            setView(keys, place, text);
        }
        if (!take(':')) return false;
        size_t known = search.find(place);
        if (known != place) {
            keys.drop();
            values.drop();
        }
        if (!value(values, known, depth)) return false;
        if (isAtEnd()) return unexpected();
        uint8_t byte = document_[*next_++];
        if (byte == ',') continue;
        if (byte != '}') {
            next_--;
            return unexpected();
        }
        node.setRange(row, first, keys.count - first);
        return true;
    }
}

}  // namespace cjson
