/* json_value.h: values of a JSON Schema: the plain form is the encoded one, a JSON text (UTF-8). */
#ifndef FLEC_SCHEMA_JSON_VALUE_H
#define FLEC_SCHEMA_JSON_VALUE_H

#include "schema/value.h"

/* Appends the value printed again, compact: numbers as they were written, members in their order, no escape that need
 * not be. Whether it is valid against the schema is not asked. */
bool sch_json_value_from_json(const sch_schema *s, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                              sch_value_error *err);
/* Appends the text as one line: as it is, but for line breaks between its parts, which become spaces. */
bool sch_json_value_to_json(const sch_schema *s, const uint8_t *body, size_t len, const sch_print_options *opt,
                            fl_buf *out, sch_value_error *err);
/* As sch_avro_extract. A string's content lies between its quotes, escapes and all; `decoded` holds what it means if it
 * has any. Members that no schema names are reached by `**` alone, and by their own name. */
bool sch_json_value_extract(const sch_schema *s, const uint8_t *body, size_t len, const char *path, fl_arena *a,
                            sch_ats *out, sch_value_error *err);
bool sch_json_value_equals(const sch_schema *s, const uint8_t *body, const sch_at *at, const fl_json *want);

#endif
