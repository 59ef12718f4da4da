/* avro_cross_test.c: the codec against another implementation, avro-c: it must read what we write, write the same bytes
 * again, and its JSON (with tagged unions) must be read by us to the same bytes. Schemas and values: the vendor's
 * vectors, and made-up ones. */
#include "schema/testing.h"

#include <avro.h>

static void check(bool ok, const char *what, const char *schema, const char *json)
{
    if (!ok)
        fail_msg("%s: %s\n%s\n%s", what, avro_strerror(), schema, json);
}

/* avro-c's reading of a body, written again. */
static void rewritten(avro_value_t *value, const fl_buf *body, const char *schema, const char *json)
{
    avro_reader_t reader = avro_reader_memory(body->p, (int64_t)body->len);
    check(!avro_value_read(reader, value), "avro-c cannot read", schema, json);
    avro_reader_free(reader);
    size_t size = 0;
    check(!avro_value_sizeof(value, &size), "avro-c cannot size", schema, json);
    check(size == body->len, "avro-c leaves bytes", schema, json);
    char *again = fl_alloc(arena, size + 1);
    avro_writer_t writer = avro_writer_memory(again, (int64_t)size);
    check(!avro_value_write(writer, value), "avro-c cannot write", schema, json);
    avro_writer_free(writer);
    check(!memcmp(again, body->p, size), "avro-c writes other bytes", schema, json);
}

/* avro-c's JSON, read by us. */
static void json_again(const sch_schema *s, avro_value_t *value, const fl_buf *body, const char *schema,
                       const char *json)
{
    char *text;
    check(!avro_value_to_json(value, 1, &text), "avro-c cannot print", schema, json);
    fl_buf again;
    fl_buf_init(&again, 1u << 20);
    sch_value_error err = {0};
    bool ok = sch_json_to_avro(s, parse_json_text(fl_strdup(arena, text)), SCH_BYTES_TEXT, &again, &err);
    if (!ok)
        fail_msg("%s: %s\n%s\n%s", err.path, err.message, schema, text);
    check(again.len == body->len && !memcmp(again.p, body->p, body->len), "avro-c's JSON gives other bytes", schema,
          text);
    fl_buf_free(&again);
    free(text);
}

static void cross(const char *schema, const char *json)
{
    sch_schema *s = parse(schema);
    fl_buf body, print;
    fl_buf_init(&body, 1u << 20);
    fl_buf_init(&print, 1u << 20);
    sch_value_error err = {0};
    if (!sch_json_to_avro(s, parse_json_text(json), SCH_BYTES_TEXT, &body, &err))
        fail_msg("%s: %s\n%s\n%s", err.path, err.message, schema, json);
    assert_true(sch_avro_to_json(s, (uint8_t *)body.p, body.len, NULL, &print, &err));
    avro_schema_t theirs;
    check(!avro_schema_from_json_length(schema, strlen(schema), &theirs), "avro-c refuses the schema", schema, json);
    avro_value_iface_t *iface = avro_generic_class_from_schema(theirs);
    avro_value_t value;
    check(!avro_generic_value_new(iface, &value), "avro-c makes no value", schema, json);
    rewritten(&value, &body, schema, json);
    if (!strstr(json, "\\u0000")) /* avro-c 1.11.1 cuts bytes at a NUL when it prints */
        json_again(s, &value, &body, schema, json);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(theirs);
    fl_buf_free(&body);
    fl_buf_free(&print);
}

/* avro-c tags unions with simple names, Avro's form has full names: compared without namespaces. */
static const char *without_namespace(const char *schema)
{
    char *text = fl_strdup(arena, schema), *ns;
    while ((ns = strstr(text, "\"namespace\": \"")) != NULL) {
        char *end = strchr(strchr(ns + 13, '"') + 1, '"') + 1;
        memset(ns, ' ', (size_t)(end - ns));
        *strchr(ns, ',') = ' ';
    }
    return text;
}

static void vectors(void **state)
{
    size_t len, n = 0;
    const char *doc = read_data("schema/testdata/vectors-avro.json", &len);
    const fl_json *root = parse_json(doc, len);
    for (const fl_json *v = fl_json_get(root, "vectors")->child; v; v = v->next, n++)
        cross(without_namespace(node_text(doc, fl_json_get(v, "schema"))), node_text(doc, fl_json_get(v, "value")));
    assert_int_equal(n, 44);
}

/* ---- made-up schemas and values ---- */

static uint64_t seed;

static unsigned dice(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static unsigned names;

/* Appends a schema, and a value of it to `v`. Names are without namespace, as avro-c tags unions with simple names. */
static void make(fl_buf *s, fl_buf *v, unsigned depth, bool in_union);

static void make_number(fl_buf *s, fl_buf *v)
{
    int64_t n = (int64_t)((uint64_t)dice(1u << 31) << dice(33)) * (dice(2) ? 1 : -1);
    switch (dice(4)) {
    case 0:
        fl_buf_adds(s, "\"int\"");
        fl_buf_addf(v, "%d", (int)(int32_t)n);
        break;
    case 1:
        fl_buf_adds(s, "\"long\"");
        fl_buf_addf(v, "%lld", (long long)n);
        break;
    case 2:
        fl_buf_adds(s, "\"float\"");
        fl_buf_addf(v, "%d.%u", (int)dice(2000) - 1000, dice(2) * 5);
        break;
    default:
        fl_buf_adds(s, "\"double\"");
        fl_buf_addf(v, "%d.%ue%d", (int)dice(2000) - 1000, dice(100000), (int)dice(20) - 10);
    }
}

static void make_text(fl_buf *v, size_t n)
{
    static const char *const pieces[] = {"a", "Z", "\\\"", "\\\\", "\xc3\xa9", "\\n", "\xc3\xbf", "0"};
    fl_buf_addc(v, '"');
    for (size_t i = 0; i < n; i++)
        fl_buf_adds(v, pieces[dice(8)]);
    fl_buf_addc(v, '"');
}

static void make_leaf(fl_buf *s, fl_buf *v)
{
    unsigned size = dice(5) + 1;
    switch (dice(6)) {
    case 0:
        fl_buf_adds(s, "\"boolean\"");
        fl_buf_adds(v, dice(2) ? "true" : "false");
        break;
    case 1:
        fl_buf_adds(s, "\"bytes\"");
        make_text(v, dice(70));
        break;
    case 2:
        fl_buf_adds(s, "\"string\"");
        make_text(v, dice(70));
        break;
    case 3:
        fl_buf_addf(s, "{\"type\":\"fixed\",\"name\":\"F%u\",\"size\":%u}", names++, size);
        make_text(v, size);
        break;
    case 4:
        fl_buf_addf(s, "{\"type\":\"enum\",\"name\":\"E%u\",\"symbols\":[\"A\",\"B\",\"C\"]}", names++);
        fl_buf_addf(v, "\"%c\"", 'A' + dice(3));
        break;
    default:
        make_number(s, v);
    }
}

static void make_record(fl_buf *s, fl_buf *v, unsigned depth)
{
    unsigned n = 1 + dice(4); /* avro-c cannot read an array of records without fields */
    fl_buf_addf(s, "{\"type\":\"record\",\"name\":\"R%u\",\"fields\":[", names++);
    fl_buf_addc(v, '{');
    for (unsigned i = 0; i < n; i++) {
        fl_buf_addf(s, "%s{\"name\":\"f%u\",\"type\":", i ? "," : "", i);
        fl_buf_addf(v, "%s\"f%u\":", i ? "," : "", i);
        make(s, v, depth - 1, false);
        fl_buf_addc(s, '}');
    }
    fl_buf_adds(s, "]}");
    fl_buf_addc(v, '}');
}

static void make_items(fl_buf *s, fl_buf *v, unsigned depth, bool map)
{
    /* the value once or not at all: two made-up values would want two schemas */
    fl_buf value;
    fl_buf_init(&value, 1u << 20);
    fl_buf_adds(s, map ? "{\"type\":\"map\",\"values\":" : "{\"type\":\"array\",\"items\":");
    make(s, &value, depth - 1, false);
    fl_buf_addc(s, '}');
    unsigned n = dice(4);
    fl_buf_addc(v, map ? '{' : '[');
    for (unsigned i = 0; i < n; i++) {
        fl_buf_adds(v, i ? "," : "");
        if (map)
            fl_buf_addf(v, "\"k%u\":", i);
        fl_buf_add(v, value.p, value.len);
    }
    fl_buf_addc(v, map ? '}' : ']');
    fl_buf_free(&value);
}

static void make(fl_buf *s, fl_buf *v, unsigned depth, bool in_union)
{
    unsigned what = depth ? dice(in_union ? 6 : 8) : 0;
    if (what < 3) {
        make_leaf(s, v);
    } else if (what == 3) {
        make_record(s, v, depth);
    } else if (what < 6) {
        /* {"map": {}} can be read as a map with that key: as plain is tried first, such a union is not read back alike
         */
        make_items(s, v, depth, what == 4 && !in_union);
    } else {
        bool null = dice(4) == 0;
        size_t len = v->len;
        fl_buf_adds(s, "[\"null\",");
        make(s, v, depth - 1, true);
        fl_buf_addc(s, ']');
        if (null) {
            v->len = len;
            fl_buf_adds(v, "null");
        }
    }
}

static void made_up(void **state)
{
    fl_buf s, v;
    fl_buf_init(&s, 1u << 20);
    fl_buf_init(&v, 1u << 20);
    for (seed = 1; names < 2000;) {
        fl_buf_clear(&s);
        fl_buf_clear(&v);
        make(&s, &v, 5, false);
        if (v.len < 100000)
            cross(s.p, v.p);
    }
    fl_buf_free(&s);
    fl_buf_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(vectors), CASE(made_up)};
    return cmocka_run_group_tests_name("schema/avro_cross", tests, NULL, NULL);
}
