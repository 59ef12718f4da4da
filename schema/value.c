/* value.c: values by the format of their schema: one table. */
#include "schema/value.h"

#include <string.h>

#include "schema/avro_value.h"
#include "schema/json_value.h"
#include "schema/proto_value.h"

typedef struct format {
    bool (*from_json)(const sch_schema *s, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                      sch_value_error *err);
    bool (*to_json)(const sch_schema *s, const uint8_t *body, size_t len, const sch_print_options *opt, fl_buf *out,
                    sch_value_error *err);
    bool (*extract)(const sch_schema *s, const uint8_t *body, size_t len, const char *path, fl_arena *a, sch_ats *out,
                    sch_value_error *err);
    bool (*equals)(const sch_schema *s, const uint8_t *body, const sch_at *at, const fl_json *want);
} format;

/* Compared encoded, by the type that stands there. */
static bool avro_equals(const sch_schema *s, const uint8_t *body, const sch_at *at, const fl_json *want)
{
    fl_buf b;
    fl_buf_init(&b, at->whole_len + 1024);
    bool ok = sch_json_to_avro_type(at->type, want, SCH_BYTES_TEXT, &b, NULL) && b.len == at->whole_len &&
              !memcmp(b.p, body + at->whole, b.len);
    fl_buf_free(&b);
    return ok;
}

static const format formats[] = {
    [SCH_AVRO] = {sch_json_to_avro, sch_avro_to_json, sch_avro_extract, avro_equals},
    [SCH_JSON] = {sch_json_value_from_json, sch_json_value_to_json, sch_json_value_extract, sch_json_value_equals},
    [SCH_PROTOBUF] = {sch_proto_from_json, sch_proto_to_json, sch_proto_extract, sch_proto_equals},
};

static const format *of(const sch_schema *s)
{
    return &formats[s->format];
}

bool sch_value_from_json(const sch_schema *s, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                         sch_value_error *err)
{
    return of(s)->from_json(s, value, mode, out, err);
}

bool sch_value_to_json(const sch_schema *s, const uint8_t *body, size_t len, const sch_print_options *opt, fl_buf *out,
                       sch_value_error *err)
{
    return of(s)->to_json(s, body, len, opt, out, err);
}

bool sch_value_extract(const sch_schema *s, const uint8_t *body, size_t len, const char *path, fl_arena *a,
                       sch_ats *out, sch_value_error *err)
{
    return of(s)->extract(s, body, len, path, a, out, err);
}

bool sch_value_equals(const sch_schema *s, const uint8_t *body, const sch_at *at, const fl_json *want)
{
    if (want->kind == FL_JNULL || at->kind == SCH_AT_NULL)
        return want->kind == FL_JNULL && at->kind == SCH_AT_NULL;
    return of(s)->equals(s, body, at, want);
}
