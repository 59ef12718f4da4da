/* expect_reader.c: what a reader who holds some of the keys gets: nothing, everything, a value, ciphertext; and what a
 * sink's task was given. */
#include <string.h>

#include "runtime/testing/expect.h"
#include "runtime/testing/fields.h"

typedef struct reader {
    rt_world *w;
    const rt_step *step;
    rt_client client;
    rt_codec *codec[2]; /* NULL on a primitive side */
    rt_fields fields[2];
    bool looking[2]; /* fields of that side are open */
    const char **why;
} reader;

static bool say(reader *x, const rt_test_record *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static bool say(reader *x, const rt_test_record *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *x->why = fl_printf(x->w->a, "record %zu: %s", r->number, fl_vprintf(x->w->a, fmt, ap));
    va_end(ap);
    return false;
}

static const char *side_name(int side)
{
    return side == RT_KEY_SIDE ? "key" : "value";
}

static bool same(rt_bytes a, rt_bytes b)
{
    return !a.p == !b.p && a.n == b.n && (a.n == 0 || !memcmp(a.p, b.p, a.n));
}

/* ---- opening ---- */

static bool keys_of(rt_world *w, const rt_step *s, rt_names *keks, const char **why)
{
    const rt_plan_principal *p = s->principal ? rt_plan_principal_find(w->plan, s->principal) : NULL;
    *keks = s->keks;
    if (s->principal && !p) {
        *why = fl_printf(w->a, "the plan has no principal %s", s->principal);
        return false;
    }
    if (p)
        *keks = (rt_names){p->keks, p->nkeks};
    for (size_t i = 0; i < keks->n; i++)
        if (!rt_plan_kek_find(w->plan, keks->v[i])) {
            *why = fl_printf(w->a, "the plan has no KEK %s", keks->v[i]);
            return false;
        }
    return true;
}

static bool open_reader(reader *x)
{
    const rt_codec_options read_only = {.read_only = true};
    rt_names keks;
    rt_error err;
    if (!keys_of(x->w, x->step, &keks, x->why))
        return false;
    rt_client_open(&x->client, x->w, false, keks, x->step->has_without);
    for (int side = 0; side < 2; side++) {
        const rt_subject *s = &rt_side_of(x->w->topic, side)->subject;
        if (s->subject && rt_codec_open(x->w->registry, x->client.keys, s, &read_only, &x->codec[side], &err)) {
            *x->why = fl_strdup(x->w->a, err.message);
            return false;
        }
    }
    return true;
}

/* To look at what lies on a side, apart from what this reader may open. NULL: *why says it. */
static rt_fields *look(reader *x, int side)
{
    rt_error err;
    if (!x->looking[side] && rt_fields_open(&x->fields[side], x->w, x->w->topic, side, &err)) {
        *x->why = fl_strdup(x->w->a, err.message);
        return NULL;
    }
    x->looking[side] = true;
    return &x->fields[side];
}

static void close_reader(reader *x)
{
    for (int side = 0; side < 2; side++) {
        if (x->codec[side])
            rt_codec_close(x->codec[side]);
        if (x->looking[side])
            rt_fields_close(&x->fields[side]);
    }
    rt_client_close(&x->client);
}

/* One side of one record as this reader gets it. */
static bool get(reader *x, const rt_test_record *r, int side, rt_bytes *out, const sch_schema **schema, rt_error *err)
{
    fl_buf b;
    int id = 0;
    *out = r->wire[side];
    if (!r->wire[side].p || !x->codec[side])
        return true;
    fl_buf_init(&b, RT_TEST_RECORD_MAX);
    rt_code code = rt_decrypt(x->codec[side], r->wire[side].p, r->wire[side].n, &b, &id, err);
    if (!code) {
        *out = (rt_bytes){(const uint8_t *)fl_strndup(x->w->a, b.p ? b.p : "", b.len), b.len};
        *schema = rt_codec_schema_for(x->codec[side], id);
    }
    fl_buf_free(&b);
    return !code;
}

/* ---- expectations on one record ---- */

static bool differs(rt_bytes a_body, const sch_at *a, rt_bytes b_body, const sch_at *b)
{
    return a->len != b->len || memcmp(a_body.p + a->offset, b_body.p + b->offset, a->len);
}

/* A reader that fails because nothing was encrypted proves nothing: what the rules cover must not stand there as it was
 * produced, and what stands there must be a record. */
static bool fails_on_ciphertext(reader *x, rt_fields *f, const rt_test_record *r)
{
    const char *why = NULL;
    sch_ats sent, at;
    rt_bytes wire = r->wire[f->side], plain = r->plain[f->side], body = rt_fields_body(f, wire);
    if (f->plan->payload.kek)
        return rt_fields_payload_opens(f, wire, NULL, NULL) ||
               say(x, r, "the reader fails, but the body on the wire is no ciphertext (%zu bytes)", body.n);
    const sch_schema *schema = rt_fields_schema(f, wire, &why);
    if (!schema)
        return say(x, r, "the reader fails, but what is on the wire %s", why);
    for (size_t p = 0; p < f->plan->nencrypted; p++) {
        const char *path = f->plan->encrypted[p].path;
        if (!rt_fields_at(f, schema, plain, path, &sent, &why) || !rt_fields_at(f, schema, body, path, &at, &why))
            return say(x, r, "%s", why);
        for (size_t i = 0; i < at.n && i < sent.n; i++)
            if (sent.v[i].kind != SCH_AT_NULL && !differs(plain, &sent.v[i], body, &at.v[i]))
                return say(x, r, "the reader fails, but %s is on the wire as it was produced (%zu bytes)", path,
                           at.v[i].len);
    }
    return true;
}

static bool fails(reader *x, const rt_test_record *r)
{
    rt_bytes got;
    rt_error err;
    const sch_schema *schema;
    rt_fields *f;
    for (int side = 0; side < 2; side++)
        if (!get(x, r, side, &got, &schema, &err))
            return r->captured || ((f = look(x, side)) && fails_on_ciphertext(x, f, r));
    return say(x, r, "the reader gets it");
}

/* Of a captured record nobody knows what was produced. Left is what opens under a data key, anywhere; and, where the
 * plan says that it is encrypted, what has a ciphertext's shape and stands there as on the wire. */
static bool no_ciphertext_left(reader *x, rt_fields *f, const rt_test_record *r, rt_bytes got, const sch_schema *schema)
{
    rt_bytes body = rt_fields_body(f, r->wire[f->side]);
    const char *why = NULL;
    sch_ats at, before;
    if (!rt_fields_at(f, schema, got, "**", &at, &why))
        return say(x, r, "%s", why);
    for (size_t i = 0; i < at.n; i++)
        if (rt_fields_opens(f, &at.v[i], got.p, NULL, NULL))
            return say(x, r, "a ciphertext is left in the %s (%zu bytes)", side_name(f->side), at.v[i].len);
    for (size_t p = 0; p < f->plan->nencrypted; p++) {
        const char *path = f->plan->encrypted[p].path;
        if (!rt_fields_at(f, schema, got, path, &at, &why) || !rt_fields_at(f, schema, body, path, &before, &why))
            return say(x, r, "%s", why);
        for (size_t i = 0; i < at.n && i < before.n; i++)
            if (rt_fields_shaped(f, &at.v[i], got.p, NULL) && !differs(got, &at.v[i], body, &before.v[i]))
                return say(x, r, "%s is still a ciphertext (%zu bytes)", path, at.v[i].len);
    }
    return true;
}

static bool sees_everything(reader *x, const rt_test_record *r)
{
    rt_bytes got;
    rt_error err;
    for (int side = 0; side < 2; side++) {
        const sch_schema *schema = NULL;
        if (!get(x, r, side, &got, &schema, &err))
            return say(x, r, "the reader fails on the %s: %s", side_name(side), err.message);
        rt_fields *f = r->captured && schema ? look(x, side) : NULL; /* no schema: no such side, or a primitive one */
        if (r->captured && schema && (!f || !no_ciphertext_left(x, f, r, got, schema)))
            return false;
        if (!r->captured && !same(got, r->plain[side]))
            return say(x, r, "the %s is not what was produced (%zu bytes, produced %zu)", side_name(side), got.n,
                       r->plain[side].n);
    }
    return true;
}

static bool sees_value(reader *x, const rt_test_record *r)
{
    int side = x->step->on_key ? RT_KEY_SIDE : RT_VALUE_SIDE;
    const fl_json *want = x->step->json;
    const sch_schema *schema = NULL;
    sch_value_error e;
    rt_bytes got;
    rt_error err;
    sch_ats at;
    if (!get(x, r, side, &got, &schema, &err))
        return say(x, r, "the reader fails on the %s: %s", side_name(side), err.message);
    if (!got.p || !schema)
        return say(x, r, "there is no %s with fields", side_name(side));
    if (!sch_value_extract(schema, got.p, got.n, x->step->path, x->w->a, &at, &e))
        return say(x, r, "%s: %s", x->step->path, e.message);
    if (!at.n && want->kind != FL_JNULL)
        return say(x, r, "%s: nothing stands there", x->step->path);
    for (size_t i = 0; i < at.n; i++)
        if (!sch_value_equals(schema, got.p, &at.v[i], want))
            return say(x, r, "%s has another value (%zu bytes)", x->step->path, at.v[i].len);
    return true;
}

/* The reader's record holds at the path just what the wire holds, and that is a ciphertext. */
static bool sees_ciphertext(reader *x, rt_fields *f, const rt_test_record *r, const char *path, size_t *found)
{
    int side = x->step->on_key ? RT_KEY_SIDE : RT_VALUE_SIDE;
    const sch_schema *schema = NULL;
    sch_value_error e;
    rt_bytes got;
    rt_error err;
    sch_ats at;
    if (!r->wire[side].p)
        return true;
    if (!get(x, r, side, &got, &schema, &err))
        return say(x, r, "the reader fails on the %s: %s", side_name(side), err.message);
    if (!schema || !sch_value_extract(schema, got.p, got.n, path, x->w->a, &at, &e))
        return say(x, r, "%s: %s", path, schema ? e.message : "no fields there");
    for (size_t i = 0; i < at.n; i++) {
        if (at.v[i].kind == SCH_AT_NULL)
            continue;
        ++*found;
        if (!rt_fields_opens(f, &at.v[i], got.p, NULL, NULL))
            return say(x, r, "%s is no ciphertext for this reader (%zu bytes)", path, at.v[i].len);
    }
    return true;
}

/* ---- all records ---- */

static bool each_record(reader *x, bool (*fn)(reader *x, const rt_test_record *r))
{
    for (size_t i = 0; i < x->w->records.n; i++)
        if (!fn(x, x->w->records.v[i]))
            return false;
    return true;
}

static bool all_ciphertext(reader *x)
{
    rt_fields *f = look(x, x->step->on_key ? RT_KEY_SIDE : RT_VALUE_SIDE);
    bool ok = f != NULL;
    for (size_t p = 0; p < x->step->paths.n && ok; p++) {
        size_t found = 0;
        for (size_t i = 0; i < x->w->records.n && ok; i++)
            ok = sees_ciphertext(x, f, x->w->records.v[i], x->step->paths.v[p], &found);
        if (ok && !found) {
            *x->why = fl_printf(x->w->a, "%s: no record has a value there, so nothing was shown", x->step->paths.v[p]);
            ok = false;
        }
    }
    return ok;
}

bool rt_expect_reader(rt_world *w, const rt_step *s, const char **why)
{
    reader x = {.w = w, .step = s, .why = why};
    bool ok = open_reader(&x);
    if (ok && s->expect == RT_EXPECT_READER_FAILS)
        ok = each_record(&x, fails);
    else if (ok && s->expect == RT_EXPECT_READER_SEES)
        ok = each_record(&x, sees_value);
    else if (ok && s->expect == RT_EXPECT_READER_SEES_EVERYTHING)
        ok = each_record(&x, sees_everything);
    else if (ok)
        ok = all_ciphertext(&x);
    close_reader(&x);
    return ok;
}

/* ---- what a connector delivered ---- */

/* What was delivered at the path opens and gives back what was sent. */
static bool delivered_ciphertext(reader *x, rt_fields *f, const rt_test_record *r, const char *path, size_t *found)
{
    sch_ats at, sent;
    const char *why;
    const sch_schema *schema = rt_codec_schema(f->codec);
    rt_bytes got = r->got[RT_VALUE_SIDE], plain = r->plain[RT_VALUE_SIDE];
    if (!got.p)
        return true;
    if (!rt_fields_at(f, schema, got, path, &at, &why) || !rt_fields_at(f, schema, plain, path, &sent, &why))
        return say(x, r, "%s", why);
    if (at.n != sent.n)
        return say(x, r, "%s: %zu values were sent, %zu were delivered", path, sent.n, at.n);
    for (size_t i = 0; i < at.n; i++) {
        rt_bytes want = rt_fields_content(&sent.v[i], plain);
        if (at.v[i].kind == SCH_AT_NULL && sent.v[i].kind == SCH_AT_NULL)
            continue;
        ++*found;
        if (!rt_fields_opens(f, &at.v[i], got.p, NULL, &want))
            return say(x, r, "%s was delivered as it was sent, or as no ciphertext (%zu bytes)", path, at.v[i].len);
    }
    return true;
}

static bool was_delivered(reader *x, const rt_test_record *r)
{
    const char *reason = r->lost ? r->lost : x->w->stopped;
    return r->delivered || say(x, r, "it was not delivered%s%s", reason ? ": " : "", reason ? reason : "");
}

static bool path_delivered_encrypted(reader *x, rt_fields *f, const char *path)
{
    size_t found = 0;
    for (size_t i = 0; i < x->w->records.n; i++)
        if (!was_delivered(x, x->w->records.v[i]) || !delivered_ciphertext(x, f, x->w->records.v[i], path, &found))
            return false;
    if (!found)
        *x->why = fl_printf(x->w->a, "%s: no record has a value there, so nothing was shown", path);
    return found;
}

static bool delivered_encrypted(reader *x)
{
    rt_fields f;
    rt_error err;
    bool ok = !rt_fields_open(&f, x->w, x->w->topic, RT_VALUE_SIDE, &err);
    if (!ok)
        *x->why = fl_strdup(x->w->a, err.message);
    else if (!f.codec) {
        *x->why = fl_printf(x->w->a, "the value of %s has no schema, so no fields", x->w->topic->name);
        ok = false;
    }
    for (size_t p = 0; p < x->step->paths.n && ok; p++)
        ok = path_delivered_encrypted(x, &f, x->step->paths.v[p]);
    rt_fields_close(&f);
    return ok;
}

static bool delivered_equals(reader *x)
{
    for (size_t i = 0; i < x->w->records.n; i++) {
        const rt_test_record *r = x->w->records.v[i];
        if (!was_delivered(x, r))
            return false;
        for (int side = 0; side < 2; side++)
            if (!same(r->got[side], r->plain[side]))
                return say(x, r, "the %s that was delivered is not what was sent (%zu bytes, sent %zu)",
                           side_name(side), r->got[side].n, r->plain[side].n);
    }
    return true;
}

/* Of a source, what a reader with every key gets. */
static bool source_delivers(rt_world *w, const rt_step *s, const char **why)
{
    reader x = {.w = w, .step = s, .why = why};
    rt_step all = *s;
    all.has_without = true; /* without none: all */
    all.keks = (rt_names){0};
    all.principal = NULL;
    x.step = &all;
    bool ok = open_reader(&x);
    if (ok && s->expect == RT_EXPECT_DELIVERED_EQUALS) {
        ok = each_record(&x, sees_everything);
    } else if (ok) {
        *why = "a source delivers to its topic: say what is on the wire";
        ok = false;
    }
    close_reader(&x);
    return ok;
}

bool rt_expect_delivered(rt_world *w, const rt_step *s, const char **why)
{
    reader x = {.w = w, .step = s, .why = why};
    if (!w->connector) {
        *why = "no connector received these records";
        return false;
    }
    if (s->expect == RT_EXPECT_DELIVERED_NOTHING) {
        for (size_t i = 0; i < w->records.n; i++)
            if (w->records.v[i]->delivered || (!strcmp(w->connector->kind, "source") && !w->records.v[i]->refused))
                return say(&x, w->records.v[i], "it was delivered");
        return true;
    }
    if (!strcmp(w->connector->kind, "source"))
        return source_delivers(w, s, why);
    return s->expect == RT_EXPECT_DELIVERED_EQUALS ? delivered_equals(&x) : delivered_encrypted(&x);
}
