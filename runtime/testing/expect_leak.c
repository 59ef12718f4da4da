/* expect_leak.c: does a topic give away what it should hide? Every produced value of 4 bytes or more of an encrypted
 * field is looked for in every record of the topic, key, value and headers: as UTF-8 (its bytes; as JSON escapes it,
 * too), as base64 of either alphabet at each of the three alignments, as hex of either case.
 *
 * Ciphertexts that open and give back what was produced are cut out before: they are no leak, and in a few hundred
 * kilobytes of base64 a word of four letters turns up by chance. */
#include <stdlib.h>
#include <string.h>

#include "runtime/testing/expect.h"
#include "runtime/testing/fields.h"

#define SHORTEST 4
#define GRAMS    (1u << 22) /* bits of the set of 4-byte sequences that the topic holds */

typedef struct needle {
    const char *path;
    size_t record;
    rt_bytes value;
    bool text; /* a string, else bytes */
} needle;

typedef struct hunt {
    rt_world *w;
    fl_buf hay; /* all that the topic holds, NULs between the pieces */
    uint8_t *grams;
    FL_VEC(needle) needles;
    const char **why;
} hunt;

/* ---- the hay ---- */

static void add_hay(hunt *h, rt_bytes b)
{
    if (b.p)
        fl_buf_add(&h->hay, b.p, b.n);
    fl_buf_add(&h->hay, "\0\0\0\0", 4);
}

/* Adds a wire record without the ranges at these places, which are in the order of the bytes. */
static void add_without(hunt *h, rt_bytes wire, size_t head, const sch_at *const *cut, size_t n)
{
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = head + cut[i]->offset;
        if (at < from)
            continue;
        add_hay(h, (rt_bytes){wire.p + from, at - from});
        from = at + cut[i]->len;
    }
    add_hay(h, (rt_bytes){wire.p + from, wire.n - from});
}

static int by_offset(const void *a, const void *b)
{
    const sch_at *x = *(const sch_at *const *)a, *y = *(const sch_at *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void add_needle(hunt *h, const char *path, const rt_test_record *r, const sch_at *at, rt_bytes plain)
{
    if (at->kind != SCH_AT_NULL && at->len >= SHORTEST)
        FL_PUSH(h->w->a, &h->needles,
                (needle){path, r->number, rt_fields_content(at, plain), at->kind == SCH_AT_STRING});
}

/* The places of a record that hold good ciphertexts; the produced values there become needles. */
static void visit_fields(hunt *h, rt_fields *f, const rt_test_record *r, int side, const sch_schema *schema)
{
    FL_VEC(const sch_at *) cut = {0};
    rt_bytes body = rt_fields_body(f, r->wire[side]);
    const char *why;
    for (size_t i = 0; i < f->plan->nencrypted; i++) {
        sch_ats plain = {0}, wire = {0};
        const char *path = f->plan->encrypted[i].path;
        if (!rt_fields_at(f, schema, r->plain[side], path, &plain, &why))
            continue;
        bool on_wire = rt_fields_at(f, schema, body, path, &wire, &why) && wire.n == plain.n;
        for (size_t k = 0; k < plain.n; k++) {
            rt_bytes value = rt_fields_content(&plain.v[k], r->plain[side]);
            if (plain.v[k].kind == SCH_AT_NULL)
                continue;
            add_needle(h, path, r, &plain.v[k], r->plain[side]);
            if (on_wire && rt_fields_opens(f, &wire.v[k], body.p, NULL, &value))
                FL_PUSH(h->w->a, &cut, &wire.v[k]);
        }
    }
    if (cut.n)
        qsort(cut.v, cut.n, sizeof *cut.v, by_offset);
    add_without(h, r->wire[side], r->wire[side].n - body.n, cut.v, cut.n);
}

/* A body that is encrypted whole: what it opens to is cut out, and whatever was produced in it is looked for. */
static void visit_whole(hunt *h, rt_fields *f, const rt_test_record *r, int side)
{
    const char *why;
    rt_bytes wire = r->wire[side], body = rt_fields_body(f, wire), plain = r->plain[side];
    bool opens = rt_fields_payload_opens(f, wire, NULL, f->plan->nencrypted ? NULL : &plain);
    sch_ats leaves;
    add_hay(h, opens ? (rt_bytes){wire.p, wire.n - body.n} : wire);
    if (!plain.p || !rt_fields_at(f, rt_codec_schema(f->codec), plain, "**", &leaves, &why))
        return;
    for (size_t k = 0; k < leaves.n; k++)
        if (leaves.v[k].kind == SCH_AT_STRING || leaves.v[k].kind == SCH_AT_BYTES)
            add_needle(h, "the body", r, &leaves.v[k], plain);
}

/* A captured record has no produced values to look for; what can be seen is whether each encrypted field holds a
 * ciphertext: one that opens, or, without keys, one of the right shape. */
static bool captured_sealed(hunt *h, rt_fields *f, const rt_test_record *r, int side)
{
    const char *why = NULL;
    rt_bytes body = rt_fields_body(f, r->wire[side]);
    sch_ats at;
    if (f->plan->payload.kek) {
        if (!h->w->saved_keys || rt_fields_payload_opens(f, r->wire[side], NULL, NULL))
            return true;
        *h->why = fl_printf(h->w->a, "record %zu: the body is no ciphertext (%zu bytes)", r->number, body.n);
        return false;
    }
    const sch_schema *schema = rt_fields_schema(f, r->wire[side], &why);
    for (size_t i = 0; i < f->plan->nencrypted; i++) {
        const char *path = f->plan->encrypted[i].path;
        if (!schema || !rt_fields_at(f, schema, body, path, &at, &why)) {
            *h->why = fl_printf(h->w->a, "record %zu: what is on the wire %s", r->number, why);
            return false;
        }
        for (size_t k = 0; k < at.n; k++)
            if (at.v[k].kind != SCH_AT_NULL && !(h->w->saved_keys ? rt_fields_opens(f, &at.v[k], body.p, NULL, NULL)
                                                                  : rt_fields_shaped(f, &at.v[k], body.p, NULL))) {
                *h->why =
                    fl_printf(h->w->a, "record %zu: %s is no ciphertext (%zu bytes)", r->number, path, at.v[k].len);
                return false;
            }
    }
    return true;
}

static void visit(hunt *h, rt_fields *f, const rt_test_record *r, int side)
{
    const char *why;
    if (!r->wire[side].p)
        return;
    if (f->codec && f->plan->payload.kek) {
        visit_whole(h, f, r, side);
        return;
    }
    const sch_schema *schema = f->codec && r->plain[side].p ? rt_fields_schema(f, r->wire[side], &why) : NULL;
    if (schema) {
        visit_fields(h, f, r, side, schema);
        return;
    }
    add_hay(h, r->wire[side]);
    /* what did not become a record of its schema (clear text by a wrong converter) is searched whole, for what its
     * plain form hides */
    const sch_schema *own = f->codec && r->plain[side].p ? rt_codec_schema(f->codec) : NULL;
    for (size_t i = 0; own && i < f->plan->nencrypted; i++) {
        sch_ats plain;
        if (!rt_fields_at(f, own, r->plain[side], f->plan->encrypted[i].path, &plain, &why))
            continue;
        for (size_t k = 0; k < plain.n; k++)
            add_needle(h, f->plan->encrypted[i].path, r, &plain.v[k], r->plain[side]);
    }
}

static bool add_headers(void *ctx, const rt_message *m)
{
    hunt *h = ctx;
    for (size_t i = 0; i < m->nheaders; i++) {
        add_hay(h, (rt_bytes){(const uint8_t *)m->headers[i].name, strlen(m->headers[i].name)});
        add_hay(h, m->headers[i].value);
    }
    return true;
}

/* ---- the search ---- */

static uint32_t gram(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return (v * 2654435761u) >> 10;
}

static void index_hay(hunt *h)
{
    h->grams = fl_alloc(h->w->a, GRAMS / 8);
    for (size_t i = 0; i + 4 <= h->hay.len; i++) {
        uint32_t g = gram((const uint8_t *)h->hay.p + i);
        h->grams[g / 8] |= (uint8_t)(1u << g % 8);
    }
}

/* Most needles are ruled out by a sequence of four bytes that the topic does not hold anywhere. */
static bool holds(const hunt *h, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 4 <= n; i++) {
        uint32_t g = gram(p + i);
        if (!(h->grams[g / 8] & 1u << g % 8))
            return false;
    }
    return n >= SHORTEST && memmem(h->hay.p, h->hay.len, p, n);
}

/* As it stands in JSON: quotes, backslashes and control characters escaped; of bytes, one character each. */
static bool holds_json(const hunt *h, const needle *x)
{
    fl_buf text, json;
    fl_jw w;
    char one[4];
    fl_buf_init(&text, 2 * RT_TEST_RECORD_MAX);
    fl_buf_init(&json, 16 * (size_t)RT_TEST_RECORD_MAX);
    fl_jw_init(&w, &json, false);
    if (x->text)
        fl_buf_add(&text, x->value.p, x->value.n);
    for (size_t i = 0; i < x->value.n && !x->text; i++)
        fl_buf_add(&text, one, fl_utf8_put(one, x->value.p[i]));
    fl_jw_string_n(&w, text.p, text.len);
    bool found = json.len > 2 && holds(h, (const uint8_t *)json.p + 1, json.len - 2);
    fl_buf_free(&text);
    fl_buf_free(&json);
    return found;
}

static bool holds_hex(const hunt *h, const needle *x, char *text)
{
    fl_hex(text, x->value.p, x->value.n);
    if (holds(h, (uint8_t *)text, 2 * x->value.n))
        return true;
    for (char *p = text; *p; p++)
        if (*p >= 'a')
            *p = (char)(*p - 'a' + 'A');
    return holds(h, (uint8_t *)text, 2 * x->value.n);
}

/* The characters that do not depend on what stands before and behind, in both alphabets. */
static bool holds_base64(const hunt *h, const needle *x, size_t shift, char *text)
{
    uint8_t *padded = fl_alloc(h->w->a, x->value.n + shift + 1);
    memcpy(padded + shift, x->value.p, x->value.n);
    size_t n = x->value.n + shift, first = shift ? shift + 1 : 0, last = n * 8 / 6;
    fl_b64_encode(text, padded, n);
    if (last <= first)
        return false;
    if (holds(h, (uint8_t *)text + first, last - first))
        return true;
    for (size_t i = first; i < last; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    return holds(h, (uint8_t *)text + first, last - first);
}

static const char *found_as(const hunt *h, const needle *x)
{
    char *text = fl_alloc(h->w->a, 2 * x->value.n + 12);
    if (holds(h, x->value.p, x->value.n) || holds_json(h, x))
        return "plainly";
    if (holds_hex(h, x, text))
        return "as hex";
    for (size_t shift = 0; shift < 3; shift++)
        if (holds_base64(h, x, shift, text))
            return "as base64";
    return NULL;
}

static bool nothing_found(hunt *h, const rt_test_topic *t)
{
    for (size_t i = 0; i < h->needles.n; i++) {
        const char *how = found_as(h, &h->needles.v[i]);
        if (how) {
            *h->why =
                fl_printf(h->w->a, "topic %s holds the value of %s that was produced in record %zu (%zu bytes), %s",
                          t->name, h->needles.v[i].path, h->needles.v[i].record, h->needles.v[i].value.n, how);
            return false;
        }
    }
    return true;
}

/* An empty topic shows nothing, but where dead letters would lie. */
static bool may_be_empty(const rt_world *w, const char *topic)
{
    for (size_t i = 0; i < w->plan->nconnectors; i++)
        if (w->plan->connectors[i].dead_letters && !strcmp(w->plan->connectors[i].dead_letters, topic))
            return true;
    return false;
}

bool rt_expect_no_leak(rt_world *w, const rt_step *s, const char **why)
{
    hunt h = {.w = w, .why = why};
    rt_error err;
    rt_test_topic *t = rt_world_topic(w, s->topic);
    const rt_plan_topic *plan = rt_plan_topic_find(w->plan, t->subjects_of);
    bool ok = t->records.n || may_be_empty(w, s->topic);
    if (!ok)
        *why = fl_printf(w->a, "topic %s holds no record, so nothing was shown", s->topic);
    fl_buf_init(&h.hay, 1u << 30);
    for (int side = 0; side < 2 && ok && plan; side++) {
        rt_fields f;
        ok = !rt_fields_open(&f, w, plan, side, &err);
        if (!ok)
            *why = fl_strdup(w->a, err.message);
        for (size_t i = 0; i < t->records.n && ok; i++)
            if (t->records.v[i]->captured && t->records.v[i]->wire[side].p)
                ok = captured_sealed(&h, &f, t->records.v[i], side);
            else
                visit(&h, &f, t->records.v[i], side);
        rt_fields_close(&f);
    }
    if (ok && !plan && t->records.n) {
        *why = fl_printf(w->a, "the plan does not know topic %s", s->topic);
        ok = false;
    }
    if (ok) {
        t->topic->ops->each(t->topic, add_headers, &h, NULL);
        index_hay(&h);
        ok = !h.hay.full && nothing_found(&h, t);
    }
    fl_buf_free(&h.hay);
    return ok;
}
