/* values.c: sealing and opening one value by the rules of its field, however it lies in its record: their keys, base64
 * where it is text, one rule after the other. */
#include "runtime/format/walk.h"

/* ---- sealing ---- */

static void fill_slot(rt_walk *w, rt_slot *s, const rt_rule *r, rt_key *key, int32_t version)
{
    w->epoch = rt_keys_epoch(w->keys);
    *s = (rt_slot){.rule = r, .epoch = w->epoch, .record = w->record, .key = key, .version = version};
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
static inline bool write_key(rt_walk *w, uint32_t pc, size_t rule, rt_slot **out)
{
    rt_slot *s = *out = &w->slots[rule];
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
static inline bool seal_raw(rt_walk *w, uint32_t pc, size_t rule, const rt_slot *s, uint8_t *out, const uint8_t *in,
                            size_t n)
{
    if (s->rule->head)
        put_prefix(out, s->version);
    if (rt_seal(s->key, out + s->rule->head, in, n))
        return true;
    return rt_key_spent(s->key) ? rt_walk_rule_failed(w, pc, rule, RT_REFUSED, RT_SPENT)
                                : rt_walk_rule_failed(w, pc, rule, RT_IO, "the cipher failed");
}

/* Appends the sealed value to dst, head first. */
static bool seal_one(rt_walk *w, const rt_at *at, size_t rule, const uint8_t *in, size_t n, rt_head head, fl_buf *dst)
{
    uint32_t pc = at->pc;
    rt_slot *s;
    if (!write_key(w, pc, rule, &s))
        return false;
    size_t sealed = n + s->rule->over;
    size_t len = at->text ? FL_B64_LEN(sealed) : sealed;
    if (!rt_walk_room(w, dst, len + RT_MAX_HEAD, pc))
        return false;
    uint8_t *out = (uint8_t *)dst->p + dst->len;
    if (head)
        out += head(out, len);
    if (!at->text) {
        if (!seal_raw(w, pc, rule, s, out, in, n))
            return false;
    } else {
        w->text.len = 0;
        if (!rt_walk_room(w, &w->text, sealed, pc) || !seal_raw(w, pc, rule, s, (uint8_t *)w->text.p, in, n))
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
    rt_slot *s = &w->slots[rule];
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
static bool ciphertext(rt_walk *w, const rt_at *at, size_t rule, const uint8_t **in, size_t *n)
{
    if (!at->text)
        return true;
    w->text.len = 0;
    if (!rt_walk_room(w, &w->text, *n / 4 * 3 + 3, at->pc))
        return false;
    ptrdiff_t len = fl_b64_decode((uint8_t *)w->text.p, (const char *)*in, *n, FL_B64_LAX);
    if (len < 0)
        return rt_walk_rule_failed(w, at->pc, rule, RT_TAMPERED, "the value is not base64, so it is no ciphertext");
    *in = (const uint8_t *)w->text.p;
    *n = (size_t)len;
    return true;
}

/* The DEK version that a ciphertext names: 1 where the rule knows no rotation. */
static bool version_of(rt_walk *w, const rt_at *at, size_t rule, const uint8_t *in, size_t n, int32_t *version)
{
    const rt_rule *r = &w->prog->rules->v[rule];
    *version = 1;
    if (n < r->over)
        return rt_walk_rule_failed(w, at->pc, rule, RT_TAMPERED, "the value is too short to be a ciphertext");
    if (!r->head)
        return true;
    if (in[0] != 0)
        return rt_walk_rule_failed(
            w, at->pc, rule, RT_TAMPERED,
            "the ciphertext does not begin with the byte 0 and a DEK version, as rotation wants");
    *version = get_prefix(in);
    return *version >= 1 ||
           rt_walk_rule_failed(w, at->pc, rule, RT_TAMPERED, "the ciphertext names a DEK version below 1");
}

static bool open_one(rt_walk *w, const rt_at *at, size_t rule, const uint8_t *in, size_t n, rt_head head, fl_buf *dst)
{
    const rt_rule *r = &w->prog->rules->v[rule];
    size_t prefix = r->head, over = r->over;
    int32_t version;
    rt_key *key;
    if (!ciphertext(w, at, rule, &in, &n) || !version_of(w, at, rule, in, n, &version) ||
        !read_key(w, at->pc, rule, version, &key) || !rt_walk_room(w, dst, n - over + RT_MAX_HEAD, at->pc))
        return false;
    uint8_t *out = (uint8_t *)dst->p + dst->len;
    if (head)
        out += head(out, n - over);
    ptrdiff_t len = rt_open(key, out, in + prefix, n - prefix);
    if (len != (ptrdiff_t)(n - over))
        return rt_walk_rule_failed(w, at->pc, rule, RT_TAMPERED,
                                   "the ciphertext does not open: it was altered, or sealed under another key");
    dst->len = (size_t)((char *)out - dst->p) + (size_t)len;
    return true;
}

/* ---- a field's rules ---- */

static bool apply(rt_walk *w, const rt_at *at, size_t rule, const uint8_t *in, size_t n, rt_head head, fl_buf *dst)
{
    return w->prog->opening ? open_one(w, at, rule, in, n, head, dst) : seal_one(w, at, rule, in, n, head, dst);
}

/* The rules of a chain that have not failed before. */
static size_t rules_on(const rt_walk *w, const rt_chain *chain, uint8_t *rules)
{
    size_t n = 0;
    for (size_t i = 0; i < chain->n; i++)
        if (!(w->off >> chain->rule[i] & 1))
            rules[n++] = chain->rule[i];
    return n;
}

/* Fields that several rules meet are sealed by each in turn. */
static rt_outcome redacted(rt_walk *w, const rt_at *at, rt_head head, fl_buf *dst)
{
    size_t n = strlen(w->redact);
    if (!rt_walk_room(w, dst, n + RT_MAX_HEAD, at->pc))
        return RT_STOPPED;
    if (head)
        dst->len += head((uint8_t *)dst->p + dst->len, n);
    memcpy(dst->p + dst->len, w->redact, n);
    dst->len += n;
    return RT_WORKED;
}

rt_outcome rt_walk_value(rt_walk *w, const rt_at *at, const uint8_t *in, size_t n, rt_head head, fl_buf *dst)
{
    if (w->redact)
        return redacted(w, at, head, dst);
    if (at->chain->n == 1 && !w->off)
        return apply(w, at, at->chain->rule[0], in, n, head, dst) ? RT_WORKED : RT_STOPPED;
    uint8_t rules[RT_MAX_RULES];
    size_t nrules = rules_on(w, at->chain, rules);
    for (size_t i = 0; i < nrules; i++) {
        bool last = i + 1 == nrules;
        fl_buf *to = last ? dst : &w->between[i & 1];
        if (!last)
            fl_buf_clear(to);
        if (!apply(w, at, rules[i], in, n, last ? head : NULL, to))
            return RT_STOPPED;
        in = (const uint8_t *)to->p;
        n = to->len;
    }
    return nrules ? RT_WORKED : RT_LEFT;
}

size_t rt_walk_sealed_len(const rt_walk *w, const rt_at *at, size_t n)
{
    uint8_t rules[RT_MAX_RULES];
    size_t nrules = rules_on(w, at->chain, rules);
    for (size_t i = 0; i < nrules; i++) {
        n += w->prog->rules->v[rules[i]].over;
        n = at->text ? FL_B64_LEN(n) : n;
    }
    return n;
}
