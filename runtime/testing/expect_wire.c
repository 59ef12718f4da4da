/* expect_wire.c: what must hold on the bytes of the wire: encrypted, clear, deterministic; and tampering with them. */
#include <string.h>

#include "runtime/testing/expect.h"
#include "runtime/testing/fields.h"

typedef struct looker {
    rt_world *w;
    const rt_step *step;
    rt_fields fields;
    const char **why;
    size_t found; /* values that are not null */
} looker;

static bool say(looker *x, const rt_test_record *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static bool say(looker *x, const rt_test_record *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *x->why = fl_printf(x->w->a, "record %zu: %s", r->number, fl_vprintf(x->w->a, fmt, ap));
    va_end(ap);
    return false;
}

static rt_bytes content(rt_bytes body, const sch_at *at)
{
    return rt_fields_content(at, body);
}

static bool same(rt_bytes a, rt_bytes b)
{
    return a.n == b.n && (a.n == 0 || !memcmp(a.p, b.p, a.n));
}

/* ---- one value at a path ---- */

/* plain is NULL for captured records. The lengths in messages are of the values, which are never shown. */
static bool is_encrypted(looker *x, const rt_test_record *r, const char *path, rt_bytes plain_body, const sch_at *plain,
                         rt_bytes wire_body, const sch_at *wire)
{
    const char *kek = x->step->kek;
    if (wire->kind == SCH_AT_NULL)
        return !plain || plain->kind == SCH_AT_NULL ||
               say(x, r, "%s is null on the wire, it was produced with a value", path);
    if (plain && plain->kind == SCH_AT_NULL)
        return say(x, r, "%s was produced as null and is something else on the wire", path);
    x->found++;
    rt_bytes want = plain ? content(plain_body, plain) : (rt_bytes){0};
    rt_bytes got = content(wire_body, wire);
    if (plain && same(want, got))
        return say(x, r, "%s is on the wire as it was produced (%zu bytes)", path, got.n);
    if (rt_fields_opens(&x->fields, wire, wire_body.p, kek, plain ? &want : NULL))
        return true;
    if (!plain && !x->w->saved_keys && rt_fields_shaped(&x->fields, wire, wire_body.p, kek))
        return true;
    if (kek && rt_fields_opens(&x->fields, wire, wire_body.p, NULL, plain ? &want : NULL))
        return say(x, r, "%s is encrypted, but not with %s", path, kek);
    return say(x, r, "%s (%zu bytes) is no ciphertext that opens under a data key%s%s and gives back what was produced",
               path, got.n, kek ? " of " : "", kek ? kek : "");
}

static bool is_clear(looker *x, const rt_test_record *r, const char *path, rt_bytes plain_body, const sch_at *plain,
                     rt_bytes wire_body, const sch_at *wire)
{
    x->found++;
    if (!plain) { /* without keys the shape decides */
        bool cipher = x->w->saved_keys ? rt_fields_opens(&x->fields, wire, wire_body.p, NULL, NULL)
                                       : rt_fields_shaped(&x->fields, wire, wire_body.p, NULL);
        return !cipher || say(x, r, "%s is a ciphertext", path);
    }
    rt_bytes a = {plain_body.p + plain->whole, plain->whole_len}, b = {wire_body.p + wire->whole, wire->whole_len};
    return (plain->kind == wire->kind && same(a, b)) ||
           say(x, r, "%s is not on the wire as it was produced (%zu bytes, produced %zu)", path, wire->len, plain->len);
}

/* ---- one record ---- */

typedef struct sides { /* a record's bytes and what stands at one path in them */
    rt_bytes plain, wire;
    sch_ats at_plain, at_wire;
} sides;

static bool look(looker *x, const rt_test_record *r, const char *path, sides *s)
{
    const char *why = NULL;
    const sch_schema *schema = rt_fields_schema(&x->fields, r->wire[x->step->on_key ? 0 : 1], &why);
    if (!schema)
        return say(x, r, "what is on the wire %s", why);
    s->wire = rt_fields_body(&x->fields, r->wire[!x->step->on_key]);
    s->plain = r->plain[!x->step->on_key];
    if (!rt_fields_at(&x->fields, schema, s->wire, path, &s->at_wire, &why))
        return say(x, r, "%s", why);
    if (r->captured)
        return true;
    if (!rt_fields_at(&x->fields, schema, s->plain, path, &s->at_plain, &why))
        return say(x, r, "%s", why);
    return s->at_plain.n == s->at_wire.n ||
           say(x, r, "%s: %zu values were produced, %zu are on the wire", path, s->at_plain.n, s->at_wire.n);
}

static bool check_path(looker *x, const rt_test_record *r, const char *path)
{
    sides s = {0};
    if (!look(x, r, path, &s))
        return false;
    for (size_t i = 0; i < s.at_wire.n; i++) {
        const sch_at *plain = r->captured ? NULL : &s.at_plain.v[i], *wire = &s.at_wire.v[i];
        bool ok = x->step->expect == RT_EXPECT_WIRE_CLEAR ? is_clear(x, r, path, s.plain, plain, s.wire, wire)
                                                          : is_encrypted(x, r, path, s.plain, plain, s.wire, wire);
        if (!ok)
            return false;
    }
    return true;
}

/* Encrypts the record again and compares what stands at the path. */
static bool check_deterministic(looker *x, rt_codec *again, const rt_test_record *r, const char *path)
{
    sides s = {0};
    fl_buf b;
    rt_error err;
    sch_ats second;
    const char *why;
    if (r->captured)
        return say(x, r, "a captured record cannot be produced again");
    if (!look(x, r, path, &s))
        return false;
    fl_buf_init(&b, RT_TEST_RECORD_MAX);
    bool ok = !rt_encrypt(again, s.plain.p, s.plain.n, &b, &err) || say(x, r, "%s", err.message);
    rt_bytes body = rt_fields_body(&x->fields, (rt_bytes){(const uint8_t *)b.p, b.len});
    if (ok && !rt_fields_at(&x->fields, rt_codec_schema(again), body, path, &second, &why))
        ok = say(x, r, "%s", why);
    for (size_t i = 0; ok && i < second.n; i++) {
        x->found += second.v[i].kind != SCH_AT_NULL;
        if (i >= s.at_wire.n || !same(content(body, &second.v[i]), content(s.wire, &s.at_wire.v[i])))
            ok = say(x, r, "%s: producing the record again gives other bytes", path);
    }
    fl_buf_free(&b);
    return ok;
}

/* ---- all records ---- */

static bool each_record(looker *x, rt_codec *again, const char *path)
{
    x->found = 0;
    for (size_t i = 0; i < x->w->records.n; i++) {
        const rt_test_record *r = x->w->records.v[i];
        if (!r->wire[!x->step->on_key].p)
            continue; /* a tombstone, no key */
        if (!(again ? check_deterministic(x, again, r, path) : check_path(x, r, path)))
            return false;
    }
    if (x->found)
        return true;
    *x->why = fl_printf(x->w->a, "%s: no record has a value there, so nothing was shown", path);
    return false;
}

/* The body opens under the payload rule's key, and gives back what was produced where nothing in it is sealed besides.
 */
static bool whole_record(looker *x, const rt_test_record *r)
{
    rt_bytes wire = r->wire[!x->step->on_key], plain = r->plain[!x->step->on_key];
    const char *kek = x->step->kek;
    bool compare = !r->captured && !x->fields.plan->nencrypted;
    if (!wire.p)
        return true;
    x->found++;
    if (rt_fields_payload_opens(&x->fields, wire, kek, compare ? &plain : NULL))
        return true;
    return say(x, r,
               "the body (%zu bytes) is no ciphertext that opens under a data key%s%s and gives back what was "
               "produced",
               wire.n, kek ? " of " : "", kek ? kek : "");
}

static bool whole_body(looker *x)
{
    *x->why = "the records of this topic are not encrypted as a whole: no payload rule ran";
    if (x->step->expect != RT_EXPECT_WIRE_ENCRYPTED || !x->fields.plan->payload.kek)
        return false;
    for (size_t i = 0; i < x->w->records.n; i++)
        if (!whole_record(x, x->w->records.v[i]))
            return false;
    if (!x->found)
        *x->why = "no record has a body, so nothing was shown";
    return x->found;
}

bool rt_expect_wire(rt_world *w, const rt_step *s, const char **why)
{
    looker x = {.w = w, .step = s, .why = why};
    rt_error err;
    rt_codec *again = NULL;
    const rt_plan_side *side = rt_side_of(w->topic, !s->on_key);
    if (!side->subject.subject) {
        *why = fl_printf(w->a, "the %s of %s has no schema, so no fields", s->on_key ? "key" : "value", w->topic->name);
        return false;
    }
    rt_code code = rt_fields_open(&x.fields, w, w->topic, !s->on_key, &err);
    if (!code && s->expect == RT_EXPECT_WIRE_DETERMINISTIC)
        code = rt_codec_open(w->registry, w->everybody.keys, &side->subject, NULL, &again, &err);
    bool ok = !code;
    if (code)
        *why = fl_strdup(w->a, err.message);
    if (ok && !s->paths.n)
        ok = whole_body(&x);
    for (size_t i = 0; i < s->paths.n && ok; i++)
        ok = each_record(&x, again, s->paths.v[i]);
    if (again)
        rt_codec_close(again);
    rt_fields_close(&x.fields);
    return ok;
}

/* ---- tampering ---- */

/* Flips the lowest bit of a byte inside the ciphertext. In base64 that is done on the decoded bytes, so that the text
 * stays base64. */
static void flip(rt_world *w, uint8_t *body, const sch_at *at)
{
    size_t half = at->len / 2;
    if (at->kind == SCH_AT_BYTES) {
        body[at->offset + half] ^= 1;
        return;
    }
    uint8_t *raw = fl_alloc(w->a, FL_B64_ROOM(at->len) + 1);
    ptrdiff_t n = fl_b64_decode(raw, (const char *)body + at->offset, at->len, FL_B64_STRICT);
    if (n > 0) {
        raw[n / 2] ^= 1;
        fl_b64_encode((char *)body + at->offset, raw, (size_t)n);
    } else {
        body[at->offset + half] ^= 1;
    }
}

static rt_code tamper_record(rt_world *w, rt_fields *f, const rt_step *s, rt_test_record *r, size_t *touched,
                             rt_error *err)
{
    const char *why = NULL;
    sch_ats at;
    rt_bytes *wire = &r->wire[!s->on_key];
    const sch_schema *schema = wire->p ? rt_fields_schema(f, *wire, &why) : NULL;
    if (!wire->p)
        return RT_OK;
    if (!schema || !rt_fields_at(f, schema, rt_fields_body(f, *wire), s->path, &at, &why))
        return rt_fail(err, RT_BAD_INPUT, "record %zu: %s", r->number, why);
    uint8_t *copy = (uint8_t *)fl_strndup(w->a, (const char *)wire->p, wire->n);
    for (size_t i = 0; i < at.n; i++)
        if (at.v[i].len && (at.v[i].kind == SCH_AT_STRING || at.v[i].kind == SCH_AT_BYTES)) {
            flip(w, copy + (wire->n - rt_fields_body(f, *wire).n), &at.v[i]);
            ++*touched;
        }
    wire->p = copy;
    return RT_OK;
}

rt_code rt_test_tamper(rt_world *w, const rt_step *s, rt_error *err)
{
    rt_fields f;
    size_t touched = 0;
    if (!w->topic || strcmp(w->topic->name, s->topic))
        return rt_fail(err, RT_BAD_INPUT, "tamper %s: the last records were not made on that topic", s->topic);
    rt_code code = rt_fields_open(&f, w, w->topic, !s->on_key, err);
    for (size_t i = 0; i < w->records.n && !code; i++)
        code = tamper_record(w, &f, s, w->records.v[i], &touched, err);
    if (!code && !touched)
        code = rt_fail(err, RT_BAD_INPUT, "tamper %s: no record has anything at %s", s->topic, s->path);
    rt_fields_close(&f);
    return code;
}
