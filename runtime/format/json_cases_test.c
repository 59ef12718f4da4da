/* json_cases_test.c: the JSON cases of compiler/clients/cases.json: what is written is a ciphertext just where the case
 * says, everything else stands as it was, and what is read is what was given, to the byte. */
#include "runtime/lab.h"

#define CASES "compiler/clients/cases.json"

/* Where something else is right, and why. */
static const struct {
    const char *name, *encrypted, *refused;
} others[] = {
    /* an index in a key is no element's own: all are sealed */
    {"json-arr-literal0", "a[0].b a[1].b ", NULL},
    /* keys that match other names, too, mean these as well, as in all clients */
    {"json-sibling-a2", "a2.b a[0].b ab[0].b ", NULL},
    {"json-name-star", "a* ab ", NULL},
    /* no ciphertext is one of the texts that an enum lists: three clients refuse, one leaves it in clear */
    {"json-enum-string", NULL, "a value of type enum"},
    {"x-json-leaf-const", NULL, "a value of type enum"},
    /* metadata is that of the subject alone, in all clients */
    {"json-ref-external-metadata-of-referred", "", NULL},
};

static const char *text_of(lab *l, const fl_json *j)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 1 << 20);
    fl_jw_init(&w, &b, false);
    fl_jw_node(&w, j);
    const char *s = fl_strndup(l->a, b.p, b.len);
    fl_buf_free(&b);
    return s;
}

static const fl_json *parse(lab *l, const char *p, size_t n)
{
    fl_json_error e;
    const fl_json *j = fl_json_parse(l->a, p, n, FL_JSON_ALLOW_NUL, &e);
    if (!j)
        fail_msg("%s at %u: %.*s", e.message, e.offset, (int)n, p);
    return j;
}

/* ---- the codec of a case ---- */

static rt_code open_case(lab *l, const fl_json *kase, rt_codec **out)
{
    const fl_json *refs = fl_json_get(kase, "refs");
    rt_subject s = {.subject = "t-value",
                    .type = "JSON",
                    .schema = text_of(l, fl_json_get(kase, "schema")),
                    .metadata = fl_printf(l->a, "{\"tags\":%s}", text_of(l, fl_json_get(kase, "metadata_tags"))),
                    .ruleset = lab_set(l, lab_rule(l, "pii", "[\"PII\"]", "kek", "AES256_GCM", "")),
                    .nrefs = refs ? refs->count : 0};
    rt_schema_ref *list = FL_NEW_N(l->a, rt_schema_ref, s.nrefs);
    size_t i = 0;
    for (const fl_json *r = refs ? refs->child : NULL; r; r = r->next, i++) {
        rt_subject to = {
            .subject = fl_json_str(r, "subject"), .type = "JSON", .schema = text_of(l, fl_json_get(r, "schema"))};
        assert_int_equal(l->registry->ops->register_subject(l->registry, l->a, &to, &l->err), RT_OK);
        list[i] = (rt_schema_ref){fl_json_str(r, "name"), to.subject, 1};
    }
    s.refs = list;
    if (l->registry->ops->register_subject(l->registry, l->a, &s, &l->err))
        fail_msg("%s: %s", fl_json_str(kase, "name"), l->err.message);
    return rt_codec_open(l->registry, l->keys, &s, NULL, out, &l->err);
}

/* ---- what differs ---- */

typedef struct paths {
    fl_arena *a;
    FL_VEC(const char *) v;
} paths;

static void compare(paths *p, const fl_json *x, const fl_json *y, const char *path)
{
    assert_int_equal(x->kind, y->kind);
    assert_int_equal(x->count, y->count);
    if (x->kind == FL_JSTRING && (x->len != y->len || memcmp(x->str, y->str, x->len) != 0)) {
        uint8_t raw[1024];
        assert_int_equal(fl_b64_decode(raw, y->str, y->len, FL_B64_STRICT), x->len + 28);
        FL_PUSH(p->a, &p->v, path);
    } else if (x->kind == FL_JNUMBER) {
        assert_string_equal(x->str, y->str);
    }
    size_t i = 0;
    const fl_json *d = y->child;
    for (const fl_json *c = x->child; c; c = c->next, d = d->next, i++) {
        if (x->kind == FL_JOBJECT)
            assert_string_equal(c->key, d->key);
        compare(p, c, d,
                x->kind == FL_JARRAY ? fl_printf(p->a, "%s[%zu]", path, i)
                                     : fl_printf(p->a, "%s%s%s", path, *path ? "." : "", c->key));
    }
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static const char *joined(paths *p)
{
    const char *all = "";
    if (p->v.n)
        qsort(p->v.v, p->v.n, sizeof *p->v.v, by_text);
    for (size_t i = 0; i < p->v.n; i++)
        if (!i || strcmp(p->v.v[i], p->v.v[i - 1]) != 0)
            all = fl_printf(p->a, "%s%s ", all, p->v.v[i]);
    return all;
}

static const char *expected(lab *l, const fl_json *kase, const char **refused)
{
    paths p = {.a = l->a};
    *refused = NULL;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(others[i].name, fl_json_str(kase, "name"))) {
            *refused = others[i].refused;
            return others[i].encrypted;
        }
    for (const fl_json *c = fl_json_get(kase, "to_be_encrypted")->child; c; c = c->next)
        FL_PUSH(l->a, &p.v, c->str);
    return joined(&p);
}

static void one_case(lab *l, const fl_json *kase)
{
    rt_codec *c = NULL;
    const char *name = fl_json_str(kase, "name"), *refused, *want = expected(l, kase, &refused);
    const char *text = text_of(l, fl_json_get(kase, "value"));
    fl_buf body = {.p = (char *)(uintptr_t)text, .len = strlen(text)};
    rt_code code = open_case(l, kase, &c);
    if (refused) {
        assert_int_equal(code, RT_REFUSED);
        assert_says(l, refused);
        return;
    }
    if (code || lab_encrypt(l, c, &body))
        fail_msg("%s: %s", name, l->err.message);
    paths p = {.a = l->a};
    compare(&p, parse(l, text, body.len), parse(l, l->wire.p + 5, l->wire.len - 5), "");
    if (strcmp(joined(&p), want) != 0)
        fail_msg("%s: encrypted %s, not %s", name, joined(&p), want);
    if (lab_decrypt(l, c))
        fail_msg("%s: %s", name, l->err.message);
    assert_int_equal(l->out.len, body.len);
    assert_memory_equal(l->out.p, text, body.len);
    rt_codec_close(c);
}

static void each_case(void **state)
{
    char *text;
    size_t len, n = 0;
    fl_arena *a = fl_arena_new();
    fl_json_error e;
    assert_int_equal(fl_read_file(a, CASES, 16 << 20, &text, &len), 0);
    const fl_json *root = fl_json_parse(a, text, len, 0, &e);
    assert_non_null(root);
    for (const fl_json *c = fl_json_get(root, "cases")->child; c; c = c->next) {
        lab l;
        if (strcmp(fl_json_str(c, "format"), "JSON") != 0)
            continue;
        lab_open(&l);
        one_case(&l, c);
        lab_close(&l);
        n++;
    }
    assert_int_equal(n, 97);
    fl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_case)};
    return cmocka_run_group_tests_name("json_cases", tests, NULL, NULL);
}
