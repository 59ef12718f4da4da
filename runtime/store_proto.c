/* store_proto.c: Protobuf schemas as descriptors: what `format=serialized` gives, and what clients post in that form.
 */
#include "runtime/store_proto.h"

#include <string.h>

#include "schema/proto.h"

/* ---- out ---- */

static bool is_named(const proto_item *file, const char *name)
{
    proto_wire w = proto_inside(file);
    proto_item item;
    while (proto_next(&w, &item) == 1)
        if (item.number == 1 && item.kind == PROTO_BYTES)
            return item.n == strlen(name) && !memcmp(item.p, name, item.n);
    return false;
}

/* The file of that name out of a FileDescriptorSet, without its source info (9). */
static void bare_descriptor(const char *set, size_t len, const char *name, fl_buf *out)
{
    proto_wire w = {(const uint8_t *)set, (const uint8_t *)set + len};
    proto_item file = {0}, item;
    while (proto_next(&w, &item) == 1)
        if (item.number == 1 && item.kind == PROTO_BYTES && is_named(&item, name))
            file = item;
    w = proto_inside(&file);
    for (const uint8_t *from = w.p; file.p && proto_next(&w, &item) == 1; from = w.p)
        if (item.number != 9)
            fl_buf_add(out, from, (size_t)(w.p - from));
}

static const char root[] = "schema.proto"; /* the name that the schema itself has for protoc */

/* The descriptors that protoc makes of a text with the references of s: a FileDescriptorSet. refused: it does not take
 * the text, which is then no error. */
static rt_code describe(const rt_store *st, fl_arena *a, const rt_subject *s, const char *schema, const char **set,
                        size_t *len, bool *refused, rt_error *err)
{
    char message[256];
    const char *errors = NULL, *roots[] = {root};
    const sch_ref *list;
    size_t n;
    *refused = false;
    rt_code code = rt_store_resolve(st, a, s, &list, &n, err);
    const char *protoc = code == RT_OK ? sch_proto_program(a, message) : NULL;
    if (code == RT_OK && !protoc)
        return rt_fail(err, RT_IO, "%s", message);
    if (code != RT_OK)
        return code;
    proto_source *files = FL_NEW_N(a, proto_source, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!sch_proto_import_ok(list[i].name) || !strcmp(list[i].name, root))
            return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: its reference %s is no name that can be imported",
                              s->subject, list[i].name);
        files[i] = (proto_source){list[i].name, list[i].text, list[i].len};
    }
    files[n] = (proto_source){root, schema, strlen(schema)};
    proto_run_status status = sch_proto_run(a, protoc, files, n + 1, roots, 1, set, len, &errors, message);
    *refused = status == PROTO_RUN_REFUSED;
    return status == PROTO_RUN_FAILED ? rt_fail(err, RT_IO, "%s", message) : RT_OK;
}

rt_code rt_store_serialized(const rt_store *st, fl_arena *a, const rt_subject *s, const char **out, rt_error *err)
{
    const char *set = NULL;
    size_t len;
    bool refused;
    rt_code code = describe(st, a, s, s->schema, &set, &len, &refused, err);
    if (code != RT_OK)
        return code;
    if (refused)
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: protoc refuses the schema", s->subject);
    fl_buf b;
    fl_buf_init(&b, len + 1);
    bare_descriptor(set, len, root, &b);
    char *text = fl_alloc(a, FL_B64_LEN(b.len) + 1);
    fl_b64_encode(text, (const uint8_t *)b.p, b.len);
    fl_buf_free(&b);
    *out = text;
    return RT_OK;
}

/* ---- one text for what means the same ---- */

/* The normal text of `schema`; NULL: it has none. */
static rt_code normal_once(const rt_store *st, fl_arena *a, const rt_subject *s, const char *schema, bool bare,
                           const char **out, rt_error *err)
{
    const char *set = NULL;
    char message[256];
    size_t len;
    bool refused;
    fl_buf b;
    *out = NULL;
    rt_code code = describe(st, a, s, schema, &set, &len, &refused, err);
    if (code != RT_OK || refused)
        return code;
    fl_buf_init(&b, RT_SCHEMA_MAX);
    if (sch_proto_normal(a, set, len, root, bare, &b, message))
        *out = fl_strndup(a, b.p ? b.p : "", b.len);
    fl_buf_free(&b);
    return RT_OK;
}

rt_code rt_store_normal_proto(const rt_store *st, fl_arena *a, const rt_subject *s, bool bare, const char **out,
                              rt_error *err)
{
    const char *once, *twice = NULL;
    rt_code code = normal_once(st, a, s, s->schema, bare, &once, err);
    if (code == RT_OK && once) /* protoc has the last word here, too */
        code = normal_once(st, a, s, once, bare, &twice, err);
    *out = code == RT_OK && once && twice && !strcmp(once, twice) ? once : s->schema;
    return code;
}

/* ---- in ---- */

typedef struct descriptor {
    const uint8_t *p;
    size_t n;
} descriptor;

static bool read_base64(fl_arena *a, const char *text, descriptor *out)
{
    size_t n = strlen(text);
    uint8_t *bytes = fl_alloc(a, FL_B64_ROOM(n));
    long len = fl_b64_decode(bytes, text, n, FL_B64_STRICT);
    *out = (descriptor){bytes, len > 0 ? (size_t)len : 0};
    return len > 0;
}

bool rt_store_is_descriptor(fl_arena *a, const char *text)
{
    descriptor d;
    return strlen(text) >= 8 && read_base64(a, text, &d);
}

/* Does the text of one, with the references of s, say what the descriptor says? */
static rt_code says(const rt_store *st, fl_arena *a, const rt_subject *one, const descriptor *want, bool *same,
                    rt_error *err)
{
    descriptor have;
    const char *serialized;
    rt_code code = rt_store_serialized(st, a, one, &serialized, err);
    *same = code == RT_OK && read_base64(a, serialized, &have) && sch_proto_same(a, have.p, have.n, want->p, want->n);
    return code;
}

/* Clients that were given descriptors (format=serialized) look them up, or register them, again: the version of the
 * subject with the same descriptor is what they mean, however its text is written. Newest first; protoc runs for each,
 * so not for any number. text: what would be stored, NULL where the descriptor cannot be printed. */
static rt_code find_same(const rt_store *st, fl_arena *a, rt_subject *s, const descriptor *want, const char *text,
                         bool *found, rt_error *err)
{
    enum { MOST = 64 };
    const rt_versions *v = rt_store_subject(st, s->subject, true);
    rt_code code = RT_OK;
    *found = false;
    for (size_t i = v ? v->list.n : 0; text && i-- > 0 && !*found;)
        *found = !strcmp(v->list.v[i].content->is.schema, text);
    if (*found)
        s->schema = text;
    for (size_t i = v ? v->list.n : 0, tried = 0; i-- > 0 && tried < MOST && !*found && code == RT_OK; tried++) {
        rt_subject one = v->list.v[i].content->is;
        if (strcmp(one.type, "PROTOBUF") != 0 || one.nrefs != s->nrefs)
            continue;
        one.subject = s->subject;
        code = says(st, a, &one, want, found, err);
        if (*found)
            s->schema = one.schema;
    }
    return code;
}

static const char *print(fl_arena *a, const descriptor *d, char message[256])
{
    fl_buf b;
    fl_buf_init(&b, RT_SCHEMA_MAX);
    const char *text = sch_proto_print(a, d->p, d->n, &b, message) ? fl_strndup(a, b.p, b.len) : NULL;
    fl_buf_free(&b);
    return text;
}

rt_code rt_store_take_descriptor(const rt_store *st, fl_arena *a, rt_subject *s, rt_error *err)
{
    descriptor want;
    char message[256];
    bool found = false;
    if (!read_base64(a, s->schema, &want))
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: the schema is no .proto text and no descriptor",
                          s->subject);
    const char *text = print(a, &want, message);
    rt_code code = find_same(st, a, s, &want, text, &found, err);
    if (code != RT_OK || found)
        return code;
    if (!text)
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: %s; register the text of the .proto file", s->subject,
                          message);
    s->schema = text;
    code = says(st, a, s, &want, &found, err); /* what protoc makes of the text has the last word */
    if (code == RT_OK && !found)
        code = rt_fail_as(err, RT_BAD_INPUT, 42201,
                          "subject %s: the descriptor says what no .proto text says; register the text of the .proto "
                          "file",
                          s->subject);
    return code;
}
