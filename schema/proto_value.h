/* proto_value.h: values of a Protobuf message: plain JSON to wire bytes, back, and the place of a path in encoded
 * bytes. Behind schema/value.h; only schema/proto_*.c and its tests include this.
 *
 * Plain JSON form: Protobuf's own JSON mapping, with these choices:
 *   names              printed as the .proto file writes them, which is how policies name fields; read so, or in
 *                      lowerCamelCase (a json_name of the file's own is not known)
 *   64-bit integers    printed as texts; read as texts or numbers, as all integers are
 *   bytes              base64, whatever the bytes mode
 *   enum               printed as the name, or the number where it has none; read as either
 *   float, double      "NaN", "Infinity", "-Infinity" as texts
 *   null               absent
 *   absent fields      not printed; a field without presence that is given its default is not written
 *   Timestamp, Duration, the wrappers of google.protobuf: as the mapping has them; every other well-known type (Any,
 *                      Struct, FieldMask, …) as the message that it is
 * A proto2 `required` field must be there. Unknown members, two members of a oneof, and, in bytes, numbers that the
 * message does not have are refused. Messages nest at most SCH_VALUE_MAX_DEPTH deep. */
#ifndef FLEC_SCHEMA_PROTO_VALUE_H
#define FLEC_SCHEMA_PROTO_VALUE_H

#include "schema/proto.h"
#include "schema/value.h"

bool sch_proto_from_json(const sch_schema *s, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                         sch_value_error *err);
bool sch_proto_to_json(const sch_schema *s, const uint8_t *body, size_t len, const sch_print_options *opt, fl_buf *out,
                       sch_value_error *err);
/* A repeated field's elements are a path's `x[]`; `x` itself is one place from its first element to its last. */
bool sch_proto_extract(const sch_schema *s, const uint8_t *body, size_t len, const char *path, fl_arena *a,
                       sch_ats *out, sch_value_error *err);
bool sch_proto_equals(const sch_schema *s, const uint8_t *body, const sch_at *at, const fl_json *want);

/* ---- pieces ---- */

typedef struct proto_way { /* the way to a place, for messages */
    struct {
        const char *name; /* of a field */
        int64_t index;    /* of an element, -1: none, -2: a map's value */
    } v[SCH_VALUE_MAX_DEPTH];
    unsigned n;
} proto_way;

/* Fills err (NULL is allowed) and returns false. */
bool sch_proto_fail(sch_value_error *err, const proto_way *way, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

void sch_proto_put_varint(fl_buf *out, uint64_t v);
/* One scalar or enum, as it lies on the wire behind its tag. NULL, or why the JSON is none. */
const char *sch_proto_put_scalar(const proto_field *f, const fl_json *v, fl_buf *out);
/* The number of an item as JSON; NULL, or why it is none. */
const char *sch_proto_print_scalar(const proto_field *f, const proto_item *item, fl_buf *out);

/* A message, without a length before it. */
bool sch_proto_put_message(const proto_message *m, const fl_json *value, fl_buf *out, sch_value_error *err);

/* Wire type of a field's single values. */
proto_kind sch_proto_kind(proto_type t);
bool sch_proto_implicit(const proto_message *m, const proto_field *f); /* no presence: its default is not written */

/* Types of google.protobuf with a form of their own. */
typedef enum { PROTO_PLAIN, PROTO_TIMESTAMP, PROTO_DURATION, PROTO_WRAPPER } proto_special;
proto_special sch_proto_special(const proto_message *m);
/* "2026-01-01T00:00:00.5Z", "1.5s". false: the text is none. */
bool sch_proto_read_time(proto_special kind, const char *text, int64_t *seconds, int32_t *nanos);
bool sch_proto_print_time(proto_special kind, int64_t seconds, int32_t nanos, fl_buf *out); /* false: out of range */

#endif
