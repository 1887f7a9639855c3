// Decodes batches of JSON documents into columns. Plain C: the Swift side sees no C++.
//
// One call decodes a whole batch. No call keeps a pointer to what it was given; column pointers are valid until the
// next call on the same decoder. A decoder belongs to one thread at a time.
#ifndef MILLRACE_CJSON_H
#define MILLRACE_CJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CJSON_ENUM __attribute__((enum_extensibility(closed)))
#define CJSON_SWIFT(name) __attribute__((swift_name(#name)))

typedef enum CJSON_ENUM {
    CJSON_NULL CJSON_SWIFT(null),              // no values
    CJSON_BOOLEAN CJSON_SWIFT(boolean),        // uint8_t, 0 or 1
    CJSON_INT8 CJSON_SWIFT(int8),
    CJSON_INT16 CJSON_SWIFT(int16),
    CJSON_INT32 CJSON_SWIFT(int32),
    CJSON_INT64 CJSON_SWIFT(int64),
    CJSON_FLOAT CJSON_SWIFT(float),
    CJSON_DOUBLE CJSON_SWIFT(double),
    CJSON_DECIMAL CJSON_SWIFT(decimal),        // __int128, unscaled
    CJSON_STRING CJSON_SWIFT(string),          // cjson_view
    CJSON_BINARY CJSON_SWIFT(binary),          // cjson_view, decoded from base64
    CJSON_DATE CJSON_SWIFT(date),              // int32_t, days
    CJSON_TIMESTAMP CJSON_SWIFT(timestamp),    // int64_t, microseconds
    CJSON_YEAR_MONTH CJSON_SWIFT(yearMonth),   // int32_t, months
    CJSON_DAY_TIME CJSON_SWIFT(dayTime),       // int64_t, microseconds
    CJSON_ARRAY CJSON_SWIFT(array),            // starts and lengths; one child
    CJSON_MAP CJSON_SWIFT(map),                // starts and lengths; two children: keys (CJSON_STRING) and values
    CJSON_STRUCT CJSON_SWIFT(structure),       // children are its fields
} cjson_kind;

// A field of the schema. Fields come in preorder: a parent before its children.
typedef struct {
    const char *name;  // UTF-8; "" where there is none (array elements, map entries, the root)
    uint32_t name_length;
    uint32_t child_count;
    cjson_kind kind;
    uint8_t precision;
    uint8_t scale;
} cjson_field;

typedef struct {
    uint32_t start;
    uint32_t length;
} cjson_view;

typedef enum CJSON_ENUM {
    CJSON_MALFORMED CJSON_SWIFT(malformed),
    CJSON_TRUNCATED CJSON_SWIFT(truncated),
    CJSON_INVALID_UTF8 CJSON_SWIFT(invalidUtf8),
    CJSON_TOO_DEEP CJSON_SWIFT(tooDeep),
    CJSON_NOT_AN_OBJECT CJSON_SWIFT(notAnObject),
    CJSON_WRONG_TYPE CJSON_SWIFT(wrongType),
} cjson_code;

// What stood where another type was expected.
typedef enum CJSON_ENUM {
    CJSON_FOUND_OBJECT CJSON_SWIFT(object),
    CJSON_FOUND_ARRAY CJSON_SWIFT(array),
    CJSON_FOUND_TEXT CJSON_SWIFT(text),
    CJSON_FOUND_BOOLEAN CJSON_SWIFT(boolean),
    CJSON_FOUND_NULL CJSON_SWIFT(null),
    CJSON_FOUND_NUMBER CJSON_SWIFT(number),
    CJSON_FOUND_FRACTION CJSON_SWIFT(fraction),// a number with a point or an exponent for an integer
    CJSON_FOUND_OUT_OF_RANGE CJSON_SWIFT(outOfRange),// a number (or an instant) beyond the type's range
    CJSON_FOUND_BAD_TEXT CJSON_SWIFT(badText), // text, but not in the type's form
} cjson_found;

typedef struct {
    uint32_t row;
    uint32_t field;     // index of the field in preorder, for CJSON_WRONG_TYPE
    uint32_t position;  // byte in the document, about
    cjson_code code;
    cjson_found found;
} cjson_fault;

typedef struct {
    size_t count;
    const void *values;      // NULL for arrays, maps, structs and nulls
    const uint64_t *nulls;   // a set bit is a null
    const int32_t *starts;   // arrays and maps
    const int32_t *lengths;
    const uint8_t *side;     // where the views of strings and binaries point; NULL: into the documents' arena
    size_t side_length;
    uint8_t has_nulls;
} cjson_column;

typedef struct cjson_decoder cjson_decoder;

// `fields[0]` is the root, a struct. `depth_max` is how many objects and arrays may be open at once.
cjson_decoder *cjson_decoder_create(const cjson_field *fields, size_t count, uint32_t depth_max);
void cjson_decoder_destroy(cjson_decoder *decoder);

// Decodes `count` rows. Row i's document is the view at `views + i * stride` in `base`; a start of UINT32_MAX means
// there is none (a row of nulls, no fault). 16 bytes behind every document must be readable; they are never part of it.
// `rows`, if not NULL, lists the `row_count` rows that are wanted, ascending; the others become nulls.
// Returns the number of faults; a faulted row is null in all columns.
size_t cjson_decode(cjson_decoder *decoder, const uint8_t *base, const void *views, size_t stride, size_t count,
                    const int32_t *rows, size_t row_count);

// The faults of the last call, by ascending row; at most one per row.
const cjson_fault *cjson_faults(const cjson_decoder *decoder);

// A field's column after the last call.
cjson_column cjson_decoded(const cjson_decoder *decoder, size_t field);

#ifdef __cplusplus
}
#endif
#endif
