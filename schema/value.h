/* value.h: values of a parsed schema of any format: plain JSON to the bytes on the wire (without what frames them),
 * back, and what stands at a path in encoded bytes. avro_value.h, json_value.h and proto_value.h say what the plain
 * form of each is.
 *
 * For the edges of the program: `flec encrypt` and `flec decrypt` with json, and the test runner. The engine's hot path
 * walks the bytes by itself. Every function returns true, or false with *err filled (err may be NULL). Messages name
 * the place and the kinds, never a value. On false `out` is as long as it was before the call. */
#ifndef FLEC_SCHEMA_VALUE_H
#define FLEC_SCHEMA_VALUE_H

#include "schema/schema.h"

#define SCH_VALUE_MAX_DEPTH 200

typedef enum { SCH_BYTES_TEXT /* ISO-8859-1 text */, SCH_BYTES_BASE64 } sch_bytes_mode;

typedef struct sch_value_error {
    char path[192];  /* "addresses[3].street", "notes.*" (a map's keys are data and not shown); "" at the root; cut with
                        … if long */
    uint32_t offset; /* bytes into the encoded body, or into the JSON text */
    char message[224]; /* "expected string, found a number" */
} sch_value_error;

/* "addresses[3].street: expected string, found a number", for one line of a report. */
void sch_value_error_text(const sch_value_error *err, char *out, size_t n);

typedef struct sch_print_options {
    sch_bytes_mode bytes;
    bool allow_trailing; /* ignore bytes behind the datum, as Java, Python and Go do (JavaScript refuses); else they are
                            refused */
} sch_print_options;

typedef enum { SCH_AT_NULL, SCH_AT_STRING, SCH_AT_BYTES, SCH_AT_OTHER } sch_at_kind;

typedef struct sch_at {
    sch_at_kind kind;
    size_t offset,
        len; /* STRING, BYTES: the content, without its length prefix. OTHER: the encoded value. NULL: len 0 */
    size_t whole, whole_len;   /* the encoded value with its length prefix, without the union's branch number */
    size_t branch, branch_len; /* the union's branch number on the wire; len 0 where the type is no union */
    const sch_type *type;      /* what stands there, union opened */
    const sch_field *field;    /* innermost record field, NULL below a root without records */
    const char *decoded;       /* JSON: what a string with escapes means (then not the bytes at offset); else NULL */
    size_t decoded_len;
} sch_at;

/* The content of a STRING or BYTES. */
static inline const uint8_t *sch_at_content(const sch_at *at, const uint8_t *body, size_t *n)
{
    *n = at->decoded ? at->decoded_len : at->len;
    return at->decoded ? (const uint8_t *)at->decoded : body + at->offset;
}

typedef struct sch_ats {
    sch_at *v;
    size_t n;
} sch_ats;

/* ---- by the schema's format ---- */

/* Appends the encoded value. */
bool sch_value_from_json(const sch_schema *s, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                         sch_value_error *err);
/* Appends one compact JSON text. opt may be NULL (all zero). */
bool sch_value_to_json(const sch_schema *s, const uint8_t *body, size_t len, const sch_print_options *opt, fl_buf *out,
                       sch_value_error *err);
/* Everything that stands at a path, as sch_avro_extract says. */
bool sch_value_extract(const sch_schema *s, const uint8_t *body, size_t len, const char *path, fl_arena *a,
                       sch_ats *out, sch_value_error *err);
/* Is this JSON what stands at the place (of `body`)? */
bool sch_value_equals(const sch_schema *s, const uint8_t *body, const sch_at *at, const fl_json *want);

#endif
