/* fields.c: places in records, and opening single ciphertexts. */
#include "runtime/testing/fields.h"

#include "runtime/frame.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 5

/* ---- the rules of a side, read for their keys alone ---- */

static const char *param(const fl_json *rule, const fl_json *properties, const char *name)
{
    const char *v = fl_json_str(fl_json_get(rule, "params"), name);
    return v ? v : fl_json_str(properties, name);
}

static bool rule_key(fl_arena *a, const rt_subject *s, const fl_json *rule, const fl_json *properties, bool payload,
                     rt_rule_key *out)
{
    const char *alg = param(rule, properties, "encrypt.dek.algorithm");
    const char *days = param(rule, properties, "encrypt.dek.expiry.days");
    *out = (rt_rule_key){.rule = fl_json_str(rule, "name"), .payload = payload};
    out->spec = (rt_key_spec){.kek = param(rule, properties, "encrypt.kek.name"),
                              .subject = s->subject,
                              .kms_type = param(rule, properties, "encrypt.kms.type"),
                              .kms_key_id = param(rule, properties, "encrypt.kms.key.id"),
                              .expiry_days = days ? atoi(days) : 0};
    return out->spec.kek && rt_alg_parse(alg ? alg : "AES256_GCM", &out->spec.alg);
}

static void read_rules(rt_fields *f, const rt_subject *s)
{
    static const char *const phases[] = {"domainRules", "encodingRules"};
    fl_arena *a = f->w->a;
    fl_json_error e;
    FL_VEC(rt_rule_key) all = {0};
    const fl_json *set = s->ruleset ? fl_json_parse(a, s->ruleset, strlen(s->ruleset), 0, &e) : NULL;
    const fl_json *meta = s->metadata ? fl_json_parse(a, s->metadata, strlen(s->metadata), 0, &e) : NULL;
    for (int p = 0; p < 2; p++) {
        const fl_json *list = set ? fl_json_get(set, phases[p]) : NULL;
        for (const fl_json *r = list ? list->child : NULL; r; r = r->next) {
            rt_rule_key k;
            if (rule_key(a, s, r, meta ? fl_json_get(meta, "properties") : NULL, p == 1, &k))
                FL_PUSH(a, &all, k);
        }
    }
    f->rules = all.v;
    f->nrules = all.n;
}

rt_code rt_fields_open(rt_fields *f, rt_world *w, const rt_plan_topic *topic, int side, rt_error *err)
{
    const rt_codec_options no_rules = {.disabled = true, .read_only = true};
    *f = (rt_fields){.w = w, .side = side, .plan = rt_side_of(topic, side)};
    if (!f->plan->subject.subject)
        return RT_OK;
    read_rules(f, &f->plan->subject);
    return rt_codec_open(w->registry, w->everybody.keys, &f->plan->subject, &no_rules, &f->codec, err);
}

void rt_fields_close(rt_fields *f)
{
    if (f->codec)
        rt_codec_close(f->codec);
}

/* ---- places ---- */

rt_bytes rt_fields_body(const rt_fields *f, rt_bytes wire)
{
    rt_bytes body = wire.n < HEAD ? (rt_bytes){wire.p, 0} : (rt_bytes){wire.p + HEAD, wire.n - HEAD};
    size_t indexes = strcmp(f->plan->format, "protobuf") == 0 ? rt_frame_indexes(body.p, body.n) : 0;
    return (rt_bytes){body.p + indexes, body.n - indexes};
}

const sch_schema *rt_fields_schema(rt_fields *f, rt_bytes wire, const char **why)
{
    fl_buf out;
    rt_error err;
    int id = 0;
    if (!f->codec) {
        *why = "this side has no schema";
        return NULL;
    }
    fl_buf_init(&out, RT_TEST_RECORD_MAX);
    rt_code code =
        rt_decrypt(f->codec, wire.p, wire.n, &out, &id, &err); /* no rules: looks the id up, checks the datum */
    fl_buf_free(&out);
    if (!code)
        return rt_codec_schema_for(f->codec, id);
    *why = fl_printf(f->w->a, "is no record of subject %s: %s", f->plan->subject.subject, err.message);
    return NULL;
}

bool rt_fields_at(rt_fields *f, const sch_schema *s, rt_bytes body, const char *path, sch_ats *out, const char **why)
{
    sch_value_error e;
    char text[400];
    if (sch_value_extract(s, body.p, body.n, path, f->w->a, out, &e))
        return true;
    sch_value_error_text(&e, text, sizeof text);
    *why = fl_printf(f->w->a, "%s: %s", path, text);
    return false;
}

rt_bytes rt_fields_content(const sch_at *at, rt_bytes body)
{
    size_t n;
    const uint8_t *p = sch_at_content(at, body.p, &n);
    return (rt_bytes){p, n};
}

/* ---- single ciphertexts ---- */

/* The raw ciphertext of a field: base64 of a string, the bytes themselves. */
static bool raw(rt_fields *f, const sch_at *at, const uint8_t *body, rt_bytes *out)
{
    if (at->kind == SCH_AT_BYTES) {
        *out = (rt_bytes){body + at->offset, at->len};
        return true;
    }
    if (at->kind != SCH_AT_STRING)
        return false;
    rt_bytes text = rt_fields_content(at, (rt_bytes){body, 0});
    uint8_t *bytes = fl_alloc(f->w->a, FL_B64_ROOM(text.n) + 1);
    ptrdiff_t n = fl_b64_decode(bytes, (const char *)text.p, text.n, FL_B64_STRICT);
    *out = (rt_bytes){bytes, n < 0 ? 0 : (size_t)n};
    return n >= 0;
}

/* Takes the version prefix off, where the rule has one. */
static bool versioned(const rt_rule_key *r, rt_bytes *c, int32_t *version)
{
    *version = 1;
    if (r->spec.expiry_days > 0) {
        if (c->n < HEAD || c->p[0])
            return false;
        *version = (int32_t)((uint32_t)c->p[1] << 24 | c->p[2] << 16 | c->p[3] << 8 | c->p[4]);
        *c = (rt_bytes){c->p + HEAD, c->n - HEAD};
    }
    return c->n >= rt_alg_overhead(r->spec.alg);
}

static bool of_kek(const rt_rule_key *r, const char *kek)
{
    return !r->payload && (!kek || !strcmp(kek, r->spec.kek));
}

static bool opens_by(rt_fields *f, const rt_rule_key *r, rt_bytes c, const rt_bytes *want)
{
    rt_key *key;
    int32_t version;
    if (!versioned(r, &c, &version) || rt_keys_for_read(f->w->everybody.keys, &r->spec, version, &key, NULL))
        return false;
    uint8_t *out = fl_alloc(f->w->a, c.n + 1);
    ptrdiff_t n = rt_open(key, out, c.p, c.n);
    return n >= 0 && (!want || ((size_t)n == want->n && !memcmp(out, want->p, want->n)));
}

bool rt_fields_opens(rt_fields *f, const sch_at *at, const uint8_t *body, const char *kek, const rt_bytes *want)
{
    rt_bytes c;
    if (!raw(f, at, body, &c))
        return false;
    for (size_t i = 0; i < f->nrules; i++)
        if (of_kek(&f->rules[i], kek) && opens_by(f, &f->rules[i], c, want))
            return true;
    return false;
}

bool rt_fields_payload_opens(rt_fields *f, rt_bytes wire, const char *kek, const rt_bytes *want)
{
    rt_bytes body = rt_fields_body(f, wire);
    for (size_t i = 0; i < f->nrules; i++)
        if (f->rules[i].payload && (!kek || !strcmp(kek, f->rules[i].spec.kek)) &&
            opens_by(f, &f->rules[i], body, want))
            return true;
    return false;
}

bool rt_fields_shaped(rt_fields *f, const sch_at *at, const uint8_t *body, const char *kek)
{
    rt_bytes c;
    int32_t version;
    if (!raw(f, at, body, &c))
        return false;
    for (size_t i = 0; i < f->nrules; i++) {
        rt_bytes rest = c;
        if (of_kek(&f->rules[i], kek) && versioned(&f->rules[i], &rest, &version))
            return true;
    }
    return false;
}
