/* cases_lab.h: the measured cases of compiler/clients/cases.json through the engine, for the tests of formats. */
#ifndef FLEC_RUNTIME_CASES_LAB_H
#define FLEC_RUNTIME_CASES_LAB_H

#include "runtime/lab.h"

#define CASES "compiler/clients/cases.json"

/* Where something else than `to_be_encrypted` is right. */
typedef struct case_other {
    const char *name;
    const char *encrypted; /* paths, sorted, a space behind each; NULL: refused */
    const char *refused;   /* words of the refusal, or NULL */
} case_other;

static inline const char *case_text(lab *l, const fl_json *j)
{
    fl_buf b;
    fl_jw w;
    if (j->kind == FL_JSTRING)
        return j->str; /* a .proto file */
    fl_buf_init(&b, 1 << 20);
    fl_jw_init(&w, &b, false);
    fl_jw_node(&w, j);
    const char *s = fl_strndup(l->a, b.p, b.len);
    fl_buf_free(&b);
    return s;
}

static inline const fl_json *case_parse(lab *l, const char *p, size_t n)
{
    fl_json_error e;
    const fl_json *j = fl_json_parse(l->a, p, n, FL_JSON_ALLOW_NUL, &e);
    if (!j)
        fail_msg("%s at %u: %.*s", e.message, e.offset, (int)n, p);
    return j;
}

/* Registers the case's references and itself, with one rule for PII, and opens it. */
static inline rt_code case_open(lab *l, const fl_json *kase, rt_codec **out)
{
    const char *type = fl_json_str(kase, "format");
    const fl_json *refs = fl_json_get(kase, "refs");
    rt_subject s = {.subject = "t-value",
                    .type = type,
                    .schema = case_text(l, fl_json_get(kase, "schema")),
                    .metadata = fl_printf(l->a, "{\"tags\":%s}", case_text(l, fl_json_get(kase, "metadata_tags"))),
                    .ruleset = lab_set(l, lab_rule(l, "pii", "[\"PII\"]", "kek", "AES256_GCM", "")),
                    .message = fl_json_str(kase, "message"),
                    .nrefs = refs ? refs->count : 0};
    rt_schema_ref *list = FL_NEW_N(l->a, rt_schema_ref, s.nrefs);
    size_t i = 0;
    for (const fl_json *r = refs ? refs->child : NULL; r; r = r->next, i++) {
        rt_subject to = {
            .subject = fl_json_str(r, "subject"), .type = type, .schema = case_text(l, fl_json_get(r, "schema"))};
        assert_int_equal(l->registry->ops->register_subject(l->registry, l->a, &to, &l->err), RT_OK);
        list[i] = (rt_schema_ref){fl_json_str(r, "name"), to.subject, 1};
    }
    s.refs = list;
    if (l->registry->ops->register_subject(l->registry, l->a, &s, &l->err))
        fail_msg("%s: %s", fl_json_str(kase, "name"), l->err.message);
    return rt_codec_open(l->registry, l->keys, &s, NULL, out, &l->err);
}

/* ---- paths ---- */

typedef struct case_paths {
    fl_arena *a;
    FL_VEC(const char *) v;
} case_paths;

static inline int case_by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static inline const char *case_joined(case_paths *p)
{
    const char *all = "";
    if (p->v.n)
        qsort(p->v.v, p->v.n, sizeof *p->v.v, case_by_text);
    for (size_t i = 0; i < p->v.n; i++)
        if (!i || strcmp(p->v.v[i], p->v.v[i - 1]) != 0)
            all = fl_printf(p->a, "%s%s ", all, p->v.v[i]);
    return all;
}

static inline const char *case_expected(lab *l, const fl_json *kase, const case_other *others, size_t n,
                                        const char **refused)
{
    case_paths p = {.a = l->a};
    *refused = NULL;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(others[i].name, fl_json_str(kase, "name"))) {
            *refused = others[i].refused;
            return others[i].encrypted;
        }
    for (const fl_json *c = fl_json_get(kase, "to_be_encrypted")->child; c; c = c->next)
        FL_PUSH(l->a, &p.v, c->str);
    return case_joined(&p);
}

/* Each case of the format, in a lab of its own; returns how many there were. */
static inline size_t case_each(const char *format, void (*fn)(lab *l, const fl_json *kase))
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
        if (strcmp(fl_json_str(c, "format"), format) != 0)
            continue;
        lab_open(&l);
        fn(&l, c);
        lab_close(&l);
        n++;
    }
    fl_arena_free(a);
    return n;
}

#endif
