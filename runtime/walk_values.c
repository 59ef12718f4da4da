/* walk_values.c: sealing and opening the values that the walk has found, with their rules' keys, and what the walk says
 * when it fails. */
#include "runtime/walk_state.h"

/* ---- failing ---- */

static const char *place(const rt_walk *w, uint32_t pc)
{
    return w->prog->where[pc] && *w->prog->where[pc] ? w->prog->where[pc] : "(the whole value)";
}

bool rt_walk_malformed(rt_walk *w, uint32_t pc, const char *why)
{
    w->code = rt_fail(w->err, RT_BAD_INPUT, "subject %s, field %s, byte %zu of the record: %s", w->prog->rules->subject,
                      place(w, pc), (size_t)(w->p - w->in), why);
    return false;
}

bool rt_walk_too_big(rt_walk *w, uint32_t pc)
{
    return rt_walk_malformed(w, pc, "the record grows beyond the largest size allowed");
}

bool rt_walk_rule_failed(rt_walk *w, uint32_t pc, size_t rule, rt_code code, const char *why)
{
    const rt_rule *r = &w->prog->rules->v[rule];
    bool named = strncmp(why, "KEK ", 4) == 0; /* what the keys say names it already */
    w->failed = (int)rule;
    w->code = rt_fail(w->err, code, "subject %s, field %s, rule %s%s%s: %s", w->prog->rules->subject, place(w, pc),
                      r->name, named ? "" : ", KEK ", named ? "" : r->key.kek, why);
    return false;
}
/* ---- sealing ---- */

static void fill_slot(rt_walk *w, slot *s, const rt_rule *r, rt_key *key, int32_t version)
{
    w->epoch = rt_keys_epoch(w->keys);
    *s = (slot){.rule = r, .epoch = w->epoch, .record = w->record, .key = key, .version = version};
}

static __attribute__((noinline)) bool ask_write_key(rt_walk *w, uint32_t pc, size_t rule)
{
    const rt_rule *r = &w->prog->rules->v[rule];
    rt_key *key;
    int32_t version;
    rt_error e;
    rt_code code = rt_keys_for_write(w->keys, &r->key, &key, &version, &e);
    if (code)
        return rt_walk_rule_failed(w, pc, rule, code, e.message);
    fill_slot(w, &w->slots[rule], r, key, version);
    return true;
}

/* A key that rotates is asked for at each record, as its age counts. */
static inline bool write_key(rt_walk *w, uint32_t pc, size_t rule, slot **out)
{
    slot *s = *out = &w->slots[rule];
    bool fresh =
        s->rule == &w->prog->rules->v[rule] && s->epoch == w->epoch && (!s->rule->head || s->record == w->record);
    return fresh || ask_write_key(w, pc, rule);
}

static void put_prefix(uint8_t *out, int32_t version)
{
    uint32_t v = (uint32_t)version;
    out[0] = 0;
    for (int i = 0; i < 4; i++)
        out[1 + i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Ciphertext with its prefix; exactly n + over bytes at out. */
static inline bool seal_raw(rt_walk *w, uint32_t pc, size_t rule, const slot *s, uint8_t *out, const uint8_t *in,
                            size_t n)
{
    if (s->rule->head)
        put_prefix(out, s->version);
    return rt_seal(s->key, out + s->rule->head, in, n) || rt_walk_rule_failed(w, pc, rule, RT_IO, "the cipher failed");
}

/* Appends the sealed value (with_length: behind its length) to dst. */
static bool seal_one(rt_walk *w, uint32_t pc, size_t rule, const uint8_t *in, size_t n, fl_buf *dst, bool with_length)
{
    bool text = w->prog->ops[pc].code == RT_OP_STRING;
    slot *s;
    if (!write_key(w, pc, rule, &s))
        return false;
    size_t sealed = n + s->rule->over;
    size_t len = text ? FL_B64_LEN(sealed) : sealed;
    if (!room(w, dst, len + 10, pc))
        return false;
    uint8_t *out = (uint8_t *)dst->p + dst->len;
    if (with_length)
        out += put_varint(out, zigzag((int64_t)len));
    if (!text) {
        if (!seal_raw(w, pc, rule, s, out, in, n))
            return false;
    } else {
        w->text.len = 0;
        if (!room(w, &w->text, sealed, pc) || !seal_raw(w, pc, rule, s, (uint8_t *)w->text.p, in, n))
            return false;
        fl_b64_encode((char *)out, (const uint8_t *)w->text.p, sealed);
    }
    dst->len = (size_t)((char *)out - dst->p) + len;
    return true;
}

/* ---- opening ---- */

static __attribute__((noinline)) bool ask_read_key(rt_walk *w, uint32_t pc, size_t rule, int32_t version)
{
    const rt_rule *r = &w->prog->rules->v[rule];
    rt_key *key;
    rt_error e;
    rt_code code = rt_keys_for_read(w->keys, &r->key, version, &key, &e);
    if (code)
        return rt_walk_rule_failed(w, pc, rule, code, e.message);
    fill_slot(w, &w->slots[rule], r, key, version);
    return true;
}

static inline bool read_key(rt_walk *w, uint32_t pc, size_t rule, int32_t version, rt_key **key)
{
    slot *s = &w->slots[rule];
    bool fresh = s->rule == &w->prog->rules->v[rule] && s->epoch == w->epoch && s->version == version;
    if (!fresh && !ask_read_key(w, pc, rule, version))
        return false;
    *key = s->key;
    return true;
}

static int32_t get_prefix(const uint8_t *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 8 | p[1 + i];
    return (int32_t)v;
}

/* The ciphertext of a value: decoded from base64 where it is text. */
static bool ciphertext(rt_walk *w, uint32_t pc, size_t rule, const uint8_t **in, size_t *n)
{
    if (w->prog->ops[pc].code != RT_OP_STRING)
        return true;
    w->text.len = 0;
    if (!room(w, &w->text, *n / 4 * 3 + 3, pc))
        return false;
    ptrdiff_t len = fl_b64_decode((uint8_t *)w->text.p, (const char *)*in, *n, FL_B64_LAX);
    if (len < 0)
        return rt_walk_rule_failed(w, pc, rule, RT_TAMPERED, "the value is not base64, so it is no ciphertext");
    *in = (const uint8_t *)w->text.p;
    *n = (size_t)len;
    return true;
}

static bool open_one(rt_walk *w, uint32_t pc, size_t rule, const uint8_t *in, size_t n, fl_buf *dst, bool with_length)
{
    const rt_rule *r = &w->prog->rules->v[rule];
    size_t head = r->head, over = r->over;
    int32_t version = 1;
    rt_key *key;
    if (!ciphertext(w, pc, rule, &in, &n))
        return false;
    if (n < over)
        return rt_walk_rule_failed(w, pc, rule, RT_TAMPERED, "the value is too short to be a ciphertext");
    if (head && in[0] != 0)
        return rt_walk_rule_failed(
            w, pc, rule, RT_TAMPERED,
            "the ciphertext does not begin with the byte 0 and a DEK version, as rotation wants");
    if (head && (version = get_prefix(in)) < 1)
        return rt_walk_rule_failed(w, pc, rule, RT_TAMPERED, "the ciphertext names a DEK version below 1");
    if (!read_key(w, pc, rule, version, &key) || !room(w, dst, n - over + 10, pc))
        return false;
    uint8_t *out = (uint8_t *)dst->p + dst->len;
    if (with_length)
        out += put_varint(out, zigzag((int64_t)(n - over)));
    ptrdiff_t len = rt_open(key, out, in + head, n - head);
    if (len != (ptrdiff_t)(n - over))
        return rt_walk_rule_failed(w, pc, rule, RT_TAMPERED,
                                   "the ciphertext does not open: it was altered, or sealed under another key");
    dst->len = (size_t)((char *)out - dst->p) + (size_t)len;
    return true;
}

/* ---- a field's rules ---- */

static bool apply(rt_walk *w, uint32_t pc, size_t rule, const uint8_t *in, size_t n, fl_buf *dst, bool last)
{
    return w->prog->opening ? open_one(w, pc, rule, in, n, dst, last) : seal_one(w, pc, rule, in, n, dst, last);
}

/* Fields that several rules meet are sealed by each in turn. */
static bool apply_many(rt_walk *w, uint32_t pc, const uint8_t *rules, size_t nrules, const uint8_t *in, size_t n)
{
    bool ok = true;
    for (size_t i = 0; i < nrules && ok; i++) {
        bool last = i + 1 == nrules;
        fl_buf *dst = last ? w->out : &w->between[i & 1];
        if (!last)
            fl_buf_clear(dst);
        ok = apply(w, pc, rules[i], in, n, dst, last);
        in = (const uint8_t *)dst->p;
        n = dst->len;
    }
    return ok;
}

static bool transform(rt_walk *w, const edit *e)
{
    const rt_chain *chain = &w->prog->chains[w->prog->ops[e->pc].chain];
    size_t n = (size_t)(e->to - e->value);
    if (chain->n == 1 && !w->off)
        return apply(w, e->pc, chain->rule[0], e->value, n, w->out, true);
    uint8_t rules[RT_MAX_RULES];
    size_t nrules = 0;
    for (size_t i = 0; i < chain->n; i++)
        if (!(w->off >> chain->rule[i] & 1))
            rules[nrules++] = chain->rule[i];
    return nrules ? apply_many(w, e->pc, rules, nrules, e->value, n)
                  : put(w, e->from, (size_t)(e->to - e->from), e->pc);
}

bool rt_walk_work_off(rt_walk *w)
{
    for (unsigned i = 0; i < w->nedits; i++) {
        const edit *e = &w->edits[i];
        if (!flush(w, e->from, e->pc))
            return false;
        w->copied = e->to;
        if (w->prog->ops[e->pc].code == RT_OP_BLOCKS) {
            uint8_t head[10];
            size_t len = put_varint(head, zigzag((int64_t)e->count));
            if (!put(w, head, len, e->pc))
                return false;
        } else if (!transform(w, e)) {
            return false;
        }
    }
    w->nedits = 0;
    return true;
}
