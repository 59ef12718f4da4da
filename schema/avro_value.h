/* avro_value.h: values of a parsed Avro schema: plain JSON to Avro binary, back, and the place of a path in encoded
 * bytes.
 *
 * For the edges of the program: `flec encrypt` and `flec decrypt` with json, and the test runner. The engine's hot path
 * walks the bytes by itself. Nothing here keeps state between calls or allocates but into `out` (and, for
 * sch_avro_extract, the arena).
 *
 * Every function returns true, or false with *err filled (err may be NULL). Messages name the place and the kinds,
 * never a value, so that no record's contents reach a log. On false `out` is as long as it was before the call: no
 * half-written record.
 *
 * Plain JSON form (docs/records.md):
 *   null boolean       as in JSON
 *   int long           a JSON integer in range; 1.0 and 1e3 are no integers
 *   float double       any JSON number in range, or the texts "NaN" "Infinity" "-Infinity" (as Java's JsonEncoder
 * writes them); printed with the fewest digits that read back equal and always with a `.` or an exponent string UTF-8.
 * A string on the wire that is not UTF-8 is refused when printed bytes fixed        SCH_BYTES_TEXT: one code point
 * U+0000 to U+00FF a byte (Avro's form). SCH_BYTES_BASE64: standard base64 enum               its symbol as text array
 * map          array; object, keys in the order they stand (a map with one key twice on the wire is printed so) record
 * object, members in schema order when printed, in any order when read. An absent field takes its default or is
 * refused; an unknown member is refused union              read: the plain value of a branch. null takes the null
 * branch; a text takes string, then an enum that has the symbol, bytes, fixed of that size, float or double for NaN and
 * its like; a number the first numeric branch that can hold it; an object the first record or map that takes it whole.
 * Where no branch takes the plain value,
 *                      {"branch name": value}, the name being the full name of a record, enum, fixed, or the type's
 * name. printed: the plain value of the branch logical types      as their underlying type
 *
 * The JSON of records may hold \u0000 in text and bytes: parse it with FL_JSON_ALLOW_NUL.
 * Bounds: SCH_VALUE_MAX_DEPTH records, arrays and maps inside each other; the expansion of nested defaults, attempts at
 * ambiguous unions, and values that take no byte (an array of 2^60 nulls) have budgets, after which the value is
 * refused. */
#ifndef FLEC_SCHEMA_AVRO_VALUE_H
#define FLEC_SCHEMA_AVRO_VALUE_H

#include "schema/value.h"

/* ---- JSON to Avro ---- */

/* Appends the Avro datum of a JSON value. The schema's defaults are always in Avro's text form, whatever `mode`. */
bool sch_json_to_avro(const sch_schema *s, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                      sch_value_error *err);
/* The same for one type of the schema, as for the JSON of `sees PATH = JSON`. */
bool sch_json_to_avro_type(const sch_type *t, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                           sch_value_error *err);

/* ---- Avro to JSON ---- */

/* Appends one compact JSON text. opt may be NULL (all zero). Block counts may be negative (Go writes them so).
 * A root of bytes is read with its length prefix; Python, JavaScript and Java write such a record's body raw, without
 * one: the caller knows. */
bool sch_avro_to_json(const sch_schema *s, const uint8_t *body, size_t len, const sch_print_options *opt, fl_buf *out,
                      sch_value_error *err);
bool sch_avro_to_json_type(const sch_type *t, const uint8_t *body, size_t len, const sch_print_options *opt,
                           fl_buf *out, sch_value_error *err);

/* Is this one whole datum of the schema, without trailing bytes? The cheapest of the walks: strings are not checked for
 * UTF-8. */
bool sch_avro_check(const sch_schema *s, const uint8_t *body, size_t len, sch_value_error *err);

/* ---- places in an encoded datum ---- */

/* Everything that stands at a path (as policies write it, wildcards too; section 7 of the language reference) in one
 * body, in the order of the bytes. `a.b` with a null `a` gives nothing; with a null `b` one NULL. 0 entries and true:
 * nothing there in this record, or in the schema at all: sch_select tells which. A last `**` gives leaves only. The
 * datum is walked once, whole; trailing bytes are refused. A path that is none (see sch_select) is refused. At most
 * SCH_MAX_HITS entries, more are refused. Memory in the arena. */
bool sch_avro_extract(const sch_schema *s, const uint8_t *body, size_t len, const char *path, fl_arena *a, sch_ats *out,
                      sch_value_error *err);

#endif
