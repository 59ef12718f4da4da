/* vectors_test.c: every vector of tests/vectors against the outcome that expect.tsv states: what reading it gives,
 * and what writing the same value gives. The registry answers from the vector alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine.h"
#include "runtime/frame.h"
#include "schema/value.h"

#define VECTORS "tests/vectors/vectors.json"
#define EXPECT  "tests/vectors/expect.tsv"

/* ---- a registry that answers from one vector ---- */

typedef struct fixture {
    rt_registry registry;
    const fl_json *json; /* vector.registry */
    fl_arena *a;
} fixture;

static const char *text(fl_arena *a, const fl_json *j)
{
    fl_buf b;
    fl_jw w;
    if (!j)
        return NULL;
    fl_buf_init(&b, 1 << 20);
    fl_jw_init(&w, &b, false);
    fl_jw_node(&w, j);
    const char *s = fl_strndup(a, b.p, b.len);
    fl_buf_free(&b);
    return s;
}

static int number(const fl_json *j, const char *key)
{
    int64_t v = 0;
    assert_true(fl_json_int(j, key, &v));
    return (int)v;
}

static void fill_subject(fl_arena *a, const fl_json *s, rt_subject *out)
{
    *out = (rt_subject){.subject = fl_json_str(s, "subject"),
                        .version = number(s, "version"),
                        .id = number(s, "id"),
                        .type = fl_json_str(s, "schemaType"),
                        .schema = fl_json_str(s, "schema"),
                        .metadata = text(a, fl_json_get(s, "metadata")),
                        .ruleset = text(a, fl_json_get(s, "ruleSet"))};
    const char *guid = fl_json_str(s, "guid");
    if (guid)
        snprintf(out->guid, sizeof out->guid, "%s", guid);
}

static rt_code by_id(rt_registry *r, fl_arena *a, int id, const char *hint, rt_subject *out, rt_error *err)
{
    const fixture *f = (const fixture *)(void *)r;
    for (const fl_json *s = fl_json_get(f->json, "schemas")->child; s; s = s->next)
        if (number(s, "id") == id) {
            fill_subject(a, s, out);
            return RT_OK;
        }
    return rt_fail(err, RT_NOT_FOUND, "schema id %d is not registered", id);
}

static rt_code get_kek(rt_registry *r, fl_arena *a, const char *name, bool deleted, rt_kek *out, rt_error *err)
{
    const fixture *f = (const fixture *)(void *)r;
    for (const fl_json *k = fl_json_get(f->json, "keks")->child; k; k = k->next)
        if (strcmp(fl_json_str(k, "name"), name) == 0) {
            *out = (rt_kek){.name = name,
                            .kms_type = fl_json_str(k, "kmsType"),
                            .kms_key_id = fl_json_str(k, "kmsKeyId"),
                            .props = "{}",
                            .shared = fl_json_bool(k, "shared", false)};
            return RT_OK;
        }
    return rt_fail(err, RT_NOT_FOUND, "KEK %s is not registered", name);
}

static rt_code get_dek(rt_registry *r, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                       bool deleted, rt_dek *out, rt_error *err)
{
    const fixture *f = (const fixture *)(void *)r;
    const fl_json *best = NULL;
    for (const fl_json *d = fl_json_get(f->json, "deks")->child; d; d = d->next)
        if (!strcmp(fl_json_str(d, "kekName"), kek) && !strcmp(fl_json_str(d, "subject"), subject) &&
            !strcmp(fl_json_str(d, "algorithm"), rt_alg_name(alg)) &&
            (version == -1 || number(d, "version") == version))
            best = !best || number(d, "version") > number(best, "version") ? d : best;
    if (!best)
        return rt_fail(err, RT_NOT_FOUND, "no DEK of %s", kek);
    int64_t ts = 0;
    fl_json_int(best, "ts", &ts);
    *out = (rt_dek){.kek = kek, .subject = subject, .version = number(best, "version"), .alg = alg, .ts = ts};
    out->encrypted = fl_json_str(best, "encryptedKeyMaterial");
    const char *material = fl_json_str(best, "keyMaterial");
    if (material) {
        uint8_t raw[128];
        ptrdiff_t n = fl_b64_decode(raw, material, strlen(material), FL_B64_STRICT);
        assert_true(n > 0);
        out->material = fl_secret_copy(raw, (size_t)n);
    }
    return RT_OK;
}

static rt_code no_register(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err)
{
    return rt_fail(err, RT_IO, "a vector's registry takes nothing");
}
static rt_code no_version(rt_registry *r, fl_arena *a, const char *subject, int version, rt_subject *out, rt_error *err)
{
    return rt_fail(err, RT_NOT_FOUND, "no subject %s", subject);
}
static rt_code no_kek(rt_registry *r, const rt_kek *k, rt_error *err)
{
    return rt_fail(err, RT_IO, "a vector's registry takes nothing");
}
static rt_code no_dek(rt_registry *r, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err)
{
    return rt_fail(err, RT_IO, "a vector's registry takes nothing");
}
static const rt_registry_ops fixture_ops = {.register_subject = no_register,
                                            .subject_version = no_version,
                                            .schema_by_id = by_id,
                                            .create_kek = no_kek,
                                            .get_kek = get_kek,
                                            .create_dek = no_dek,
                                            .get_dek = get_dek};

/* ---- one vector ---- */

typedef struct vector {
    fl_arena *a;
    const fl_json *json;
    fixture fixture;
    rt_keys *keys;
    rt_subject subject;
    uint8_t *wire, *body, *header; /* NULL if the vector has none */
    size_t indexes;                /* bytes of Protobuf's message indexes */
    size_t nwire, nbody, nheader;
} vector;

static fl_secret secret_of(void *ctx, const char *kek, const char *name)
{
    const char *s = ctx;
    return strcmp(name, "secret") == 0 ? fl_secret_copy(s, strlen(s)) : (fl_secret){0};
}

static int64_t soon_after(void *ctx)
{
    return 1764000000000 + 1000; /* a second after every key of the vectors was made */
}

static uint8_t *unhex(fl_arena *a, const char *s, size_t *n)
{
    if (!s)
        return NULL;
    uint8_t *p = fl_alloc(a, strlen(s) / 2 + 1);
    assert_true(fl_unhex(p, s, strlen(s)));
    *n = strlen(s) / 2;
    return p;
}

static void open_vector(vector *v, fl_arena *a, const fl_json *json)
{
    *v = (vector){.a = a, .json = json};
    v->fixture = (fixture){{.ops = &fixture_ops}, fl_json_get(json, "registry"), a};
    rt_keys_options opt = {.registry = &v->fixture.registry, .now_ms = soon_after};
    opt.params = (rt_params){.get = secret_of, .ctx = (void *)(uintptr_t)fl_json_str(json, "local_kms_secret")};
    v->keys = rt_keys_new(&opt);
    fill_subject(a, fl_json_get(v->fixture.json, "schemas")->child, &v->subject);
    v->wire = unhex(a, fl_json_str(json, "serialized_hex"), &v->nwire);
    v->body = unhex(a, fl_json_str(json, "plain_body_hex"), &v->nbody);
    v->header = unhex(a, fl_json_str(fl_json_get(json, "headers"), RT_HEADER_VALUE), &v->nheader);
    v->subject.message = fl_json_str(json, "message");
    if (v->subject.message && v->body) { /* it begins with the message indexes */
        v->indexes = rt_frame_indexes(v->body, v->nbody);
        v->body += v->indexes;
        v->nbody -= v->indexes;
    }
}

/* {"$hex":"00ff"} becomes Avro's text form of bytes. */
static void replace_hex(fl_arena *a, fl_json *j)
{
    const char *hex = j->kind == FL_JOBJECT ? fl_json_str(j, "$hex") : NULL;
    if (!hex) {
        for (fl_json *e = j->child; e; e = e->next)
            replace_hex(a, e);
        return;
    }
    size_t n = 0, len = 0;
    uint8_t *p = unhex(a, hex, &n);
    char *s = fl_alloc(a, 2 * n + 5);
    for (size_t i = 0; i < n; i++)
        len += fl_utf8_put(s + len, p[i]);
    j->kind = FL_JSTRING;
    j->str = s;
    j->len = len;
    j->child = NULL;
}

/* The body of what a reader must see: the body that the writer's client made without rules, else the value. */
static void expected(vector *v, const sch_schema *schema, const char *member, fl_buf *out)
{
    sch_value_error e;
    bool bare = schema->root->kind == SCH_BYTES; /* without its length on the wire, and so in plain_body_hex */
    if (v->body && !bare && strcmp(member, "value") == 0) {
        fl_buf_add(out, v->body, v->nbody);
        return;
    }
    fl_json *value = (fl_json *)(uintptr_t)fl_json_get(v->json, member);
    replace_hex(v->a, value);
    assert_true(sch_value_from_json(schema, value, SCH_BYTES_TEXT, out, &e));
}

/* ---- reading ---- */

static void read_vector(vector *v, const char *outcome, const char *why)
{
    rt_codec_options opt = {.read_only = true};
    rt_codec *c = NULL;
    rt_error err = {0};
    fl_buf out, want;
    int id = 0;
    fl_buf_init(&out, 1 << 20);
    fl_buf_init(&want, 1 << 20);
    rt_code code = rt_codec_open(&v->fixture.registry, v->keys, &v->subject, &opt, &c, &err);
    rt_wire wire = {.header = v->header, .nheader = v->nheader, .p = v->wire, .n = v->nwire};
    if (!code)
        code = rt_decrypt_framed(c, &wire, &out, &id, &err);
    if (strcmp(outcome, "refused") == 0) {
        assert_int_not_equal(code, RT_OK);
        assert_int_equal(out.len, 0);
        assert_non_null(strstr(err.message, why));
    } else {
        if (code)
            print_error("%s: %s\n", fl_json_str(v->json, "name"), err.message);
        assert_int_equal(code, RT_OK);
        expected(v, rt_codec_schema_for(c, id), strcmp(outcome, "plaintext") == 0 ? "value" : outcome, &want);
        assert_int_equal(out.len, want.len);
        assert_memory_equal(out.p, want.p, want.len);
    }
    fl_buf_free(&out);
    fl_buf_free(&want);
    rt_codec_close(c);
}

/* ---- writing ---- */

typedef struct iv {
    size_t offset;
    uint8_t bytes[12];
} iv;

static int by_offset(const void *x, const void *y)
{
    const iv *a = x, *b = y;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Bytes before the body. */
static size_t prefix(const vector *v)
{
    return v->header ? 0 : 5 + v->indexes;
}

/* The IV of a GCM ciphertext on the wire, behind the DEK version where there is one. */
static void take_iv(const vector *v, const sch_at *at, const rt_key_spec *spec, iv *out)
{
    uint8_t *raw = fl_alloc(v->a, at->len + 1);
    const uint8_t *p = v->wire + prefix(v) + at->offset;
    size_t head = spec->expiry_days ? 5 : 0;
    if (at->kind == SCH_AT_STRING) {
        assert_true(fl_b64_decode(raw, (const char *)p, at->len, FL_B64_STRICT) >= (ptrdiff_t)(head + 28));
        p = raw;
    }
    out->offset = at->offset;
    memcpy(out->bytes, p + head, 12);
}

static int expiry_of(const fl_json *rule)
{
    const char *days = fl_json_str(fl_json_get(rule, "params"), "encrypt.dek.expiry.days");
    return days ? atoi(days) : 0;
}

/* Those of the fields that the rule seals, in the order of the bytes; a payload rule has one, in front. */
static size_t find_ivs(vector *v, rt_codec *c, const fl_json *rule, const rt_key_spec *spec, const rt_sealed *sealed,
                       size_t n, uint8_t (**out)[12])
{
    FL_VEC(iv) list = {0};
    bool payload = strcmp(fl_json_str(rule, "type"), "ENCRYPT_PAYLOAD") == 0;
    if (payload) {
        FL_PUSH(v->a, &list, (iv){0});
        memcpy(list.v[0].bytes, v->wire + prefix(v) + (spec->expiry_days ? 5 : 0), 12);
    }
    for (size_t i = 0; i < n && !payload; i++) {
        sch_ats ats;
        sch_value_error e;
        if (strcmp(sealed[i].rule, fl_json_str(rule, "name")) != 0)
            continue;
        assert_true(sch_value_extract(rt_codec_schema(c), v->wire + prefix(v), v->nwire - prefix(v), sealed[i].path,
                                      v->a, &ats, &e));
        for (size_t k = 0; k < ats.n; k++)
            if (ats.v[k].kind == SCH_AT_STRING || ats.v[k].kind == SCH_AT_BYTES) {
                FL_PUSH(v->a, &list, (iv){0});
                take_iv(v, &ats.v[k], spec, &list.v[list.n - 1]);
            }
    }
    *out = fl_alloc_n(v->a, list.n, 12);
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, by_offset);
    for (size_t i = 0; i < list.n; i++)
        memcpy((*out)[i], list.v[i].bytes, 12);
    return list.n;
}

/* Gives the key of one rule the IVs that the vendor's writer drew. */
static void fix_ivs(vector *v, rt_codec *c, const fl_json *rule, rt_sealed *sealed, size_t n)
{
    const fl_json *params = fl_json_get(rule, "params");
    const char *alg = fl_json_str(params, "encrypt.dek.algorithm");
    rt_key_spec *spec = FL_NEW(v->a, rt_key_spec);
    *spec = (rt_key_spec){
        .kek = fl_json_str(params, "encrypt.kek.name"), .subject = v->subject.subject, .alg = RT_AES256_GCM};
    spec->kms_type = fl_json_str(params, "encrypt.kms.type");
    spec->kms_key_id = fl_json_str(params, "encrypt.kms.key.id");
    spec->expiry_days = expiry_of(rule);
    if (alg)
        assert_true(rt_alg_parse(alg, &spec->alg));
    if (spec->alg == RT_AES256_SIV)
        return;
    uint8_t(*ivs)[12];
    size_t nivs = find_ivs(v, c, rule, spec, sealed, n, &ivs);
    rt_key *key;
    int32_t version;
    rt_error err;
    assert_int_equal(rt_keys_for_write(v->keys, spec, &key, &version, &err), RT_OK);
    rt_key_fix_ivs(key, (const uint8_t(*)[12])ivs, nivs);
}

static void fix_all_ivs(vector *v, rt_codec *c)
{
    static const char *const phases[] = {"domainRules", "encodingRules"};
    rt_sealed *sealed;
    size_t n = rt_codec_sealed(c, v->a, &sealed), rules = 0;
    const fl_json *set = fl_json_get(fl_json_get(v->fixture.json, "schemas")->child, "ruleSet");
    for (int i = 0; i < 2; i++) {
        const fl_json *list = fl_json_get(set, phases[i]);
        for (const fl_json *r = list ? list->child : NULL; r; r = r->next, rules++)
            fix_ivs(v, c, r, sealed, n);
    }
    assert_true(rules > 0);
}

static void write_same(vector *v, rt_codec *c)
{
    rt_error err = {0};
    fl_buf body, out, header;
    fl_buf_init(&body, 1 << 20);
    fl_buf_init(&out, 1 << 20);
    fl_buf_init(&header, 1 << 20);
    fix_all_ivs(v, c);
    expected(v, rt_codec_schema(c), "value", &body);
    if (rt_encrypt_framed(c, (const uint8_t *)body.p, body.len, &out, &header, &err))
        print_error("%s: %s\n", fl_json_str(v->json, "name"), err.message);
    assert_int_equal(out.len, v->nwire);
    assert_memory_equal(out.p, v->wire, v->nwire);
    assert_int_equal(header.len, v->nheader);
    if (v->nheader)
        assert_memory_equal(header.p, v->header, v->nheader);
    fl_buf_free(&body);
    fl_buf_free(&out);
    fl_buf_free(&header);
}

static void write_vector(vector *v, const char *outcome, const char *why)
{
    rt_codec *c = NULL;
    rt_error err = {0};
    rt_codec_options opt = {.guid_framing = v->header != NULL};
    rt_code code = rt_codec_open(&v->fixture.registry, v->keys, &v->subject, &opt, &c, &err);
    if (strcmp(outcome, "same") == 0) {
        if (code)
            print_error("%s: %s\n", fl_json_str(v->json, "name"), err.message);
        assert_int_equal(code, RT_OK);
        write_same(v, c);
    } else {
        assert_int_equal(code, RT_REFUSED);
        assert_non_null(strstr(err.message, why));
    }
    rt_codec_close(c);
}

/* ---- the table ---- */

typedef struct row {
    const char *name, *read, *write, *why;
} row;

static fl_arena *arena;
static const fl_json *vectors, *negatives;
static FL_VEC(row) rows;

static int load(void **state)
{
    char *s, *save = NULL;
    size_t n;
    fl_json_error e;
    fl_secret_setup();
    arena = fl_arena_new();
    if (fl_read_file(arena, VECTORS, 16 << 20, &s, &n))
        return -1;
    const fl_json *j = fl_json_parse(arena, s, n, 0, &e);
    vectors = fl_json_get(j, "vectors");
    negatives = fl_json_get(j, "negative");
    if (!vectors || !negatives || fl_read_file(arena, EXPECT, 1 << 20, &s, &n))
        return -1;
    for (char *line = strtok_r(s, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *columns = line, *c[4];
        for (int i = 0; i < 4; i++)
            c[i] = strsep(&columns, "\t");
        if (*line != '#' && c[3])
            FL_PUSH(arena, &rows, (row){c[0], c[1], c[2], c[3]});
    }
    return 0;
}

static int unload(void **state)
{
    fl_arena_free(arena);
    return 0;
}

static const row *find_row(const char *name)
{
    for (size_t i = 0; i < rows.n; i++)
        if (strcmp(rows.v[i].name, name) == 0)
            return &rows.v[i];
    print_error("%s is not in " EXPECT "\n", name);
    return NULL;
}

static const fl_json *find_vector(const char *name)
{
    for (const fl_json *v = vectors->child; v; v = v->next)
        if (strcmp(fl_json_str(v, "name"), name) == 0)
            return v;
    return NULL;
}

static void every_vector(void **state)
{
    for (const fl_json *j = vectors->child; j; j = j->next) {
        const row *r = find_row(fl_json_str(j, "name"));
        vector v;
        assert_non_null(r);
        open_vector(&v, arena, j);
        assert_int_equal(v.wire == NULL, strcmp(r->read, "-") == 0);
        if (v.wire)
            read_vector(&v, r->read, r->why);
        rt_keys_free(v.keys);
        open_vector(&v, arena, j); /* writing starts with cold keys: IVs are fixed in the contexts it makes */
        write_vector(&v, r->write, r->why);
        rt_keys_free(v.keys);
    }
}

/* Mutated records: none gives a plaintext, but for one: a reader of the vendor takes base64 without padding, and so
 * does flec. */
static void every_negative(void **state)
{
    for (const fl_json *j = negatives->child; j; j = j->next) {
        const row *r = find_row(fl_json_str(j, "name"));
        const fl_json *base = find_vector(fl_json_str(j, "based_on"));
        vector v;
        assert_non_null(r);
        assert_non_null(base);
        open_vector(&v, arena, base);
        v.wire = unhex(arena, fl_json_str(j, "serialized_hex"), &v.nwire);
        read_vector(&v, r->read, r->why);
        assert_string_equal(r->write, "-");
        rt_keys_free(v.keys);
    }
}

static void every_row_is_used(void **state)
{
    assert_int_equal(rows.n, vectors->count + negatives->count);
    for (size_t i = 0; i < rows.n; i++) {
        bool found = find_vector(rows.v[i].name) != NULL;
        for (const fl_json *j = negatives->child; j && !found; j = j->next)
            found = strcmp(fl_json_str(j, "name"), rows.v[i].name) == 0;
        assert_true(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector),
        cmocka_unit_test(every_negative),
        cmocka_unit_test(every_row_is_used),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
