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

/* ---- several values at once ---- */

/* Neighbours of one rule, in three turns (text, cipher, output) instead of each value by itself: what a value costs
 * beside its cipher is paid once, and no cipher waits for bytes that base64 has just written in other pieces than it
 * reads, nor the other way round. Whatever is out of the ordinary is left to rt_walk_value, value by value, and so are
 * its messages. */

enum { MOST = 16 };

typedef struct batch {
    const rt_rule *rule;
    size_t number; /* of the rule */
    const rt_edit *e;
    unsigned n;
    rt_text texts[MOST];
    uint8_t *begin[MOST]; /* in the output, of those that are sealed into text; else NULL */
} batch;

/* false: not there, and cannot be had. */
static inline bool has_room(fl_buf *b, size_t n)
{
    if (b->cap - b->len > n)
        return true;
    bool had = fl_buf_reserve(b, n);
    b->full = false;
    return had;
}

/* Room for the values in all that lies before `to`, sealed or opened, each with its head: rather too much. */
static inline bool room_for(rt_walk *w, const batch *b, const uint8_t *to)
{
    size_t span = (size_t)(to - w->copied), raw = span + (size_t)b->n * b->rule->over;
    w->text.len = 0;
    return has_room(&w->text, raw) && has_room(w->out, raw + raw / 3 + (size_t)b->n * (4 + RT_MAX_HEAD));
}

/* What is not out yet, up to a value, and the head of what takes its place; returns where that goes. */
static inline uint8_t *put_before(uint8_t *out, const uint8_t *from, const rt_edit *e, bool with_length, size_t len)
{
    size_t n = (size_t)(e->from - from);
    uint64_t v = (uint64_t)len << 1;
    if (n)
        memcpy(out, from, n);
    out += n;
    for (; with_length && v >= 0x80; v >>= 7)
        *out++ = (uint8_t)(v | 0x80);
    if (with_length)
        *out++ = (uint8_t)v;
    return out;
}

/* The cipher is through with `done` of them, which lie before `end`: all count, or none, and then nothing stays. */
static inline unsigned settle(rt_walk *w, const batch *b, size_t done, uint8_t *end)
{
    uint8_t *begin = (uint8_t *)w->out->p + w->out->len;
    if (done < b->n) {
        fl_wipe(begin, (size_t)(end - begin));
        return 0;
    }
    w->copied = b->e[b->n - 1].to;
    w->out->len += (size_t)(end - begin);
    return b->n;
}

static uint8_t *lay_out_sealed(rt_walk *w, batch *b, int32_t version)
{
    uint8_t *out = (uint8_t *)w->out->p + w->out->len, *raw = (uint8_t *)w->text.p;
    const uint8_t *copied = w->copied;
    const rt_at *values = w->prog->values;
    size_t prefix = b->rule->head, over = b->rule->over;
    bool with_length = w->encoding->with_length;
    const rt_edit *e = b->e;
    for (unsigned i = 0; i < b->n; i++, e++) {
        bool text = values[e->pc].text;
        size_t len = (size_t)(e->to - e->value), sealed = len + over;
        size_t written = text ? FL_B64_LEN(sealed) : sealed;
        out = put_before(out, copied, e, with_length, written);
        uint8_t *to = text ? raw : out;
        if (prefix)
            put_prefix(to, version);
        b->texts[i] = (rt_text){to + prefix, e->value, len};
        b->begin[i] = text ? out : NULL;
        out += written;
        raw += text ? sealed : 0;
        copied = e->to;
    }
    return out;
}

static bool seal_batch(rt_walk *w, batch *b, unsigned *done)
{
    rt_slot *s;
    size_t prefix = b->rule->head, over = b->rule->over;
    if (!write_key(w, b->e->pc, b->number, &s))
        return false;
    uint8_t *end = lay_out_sealed(w, b, s->version);
    *done = settle(w, b, rt_seal_all(s->key, b->texts, b->n), end);
    const rt_text *t = b->texts;
    for (unsigned i = 0; i < *done; i++, t++)
        if (b->begin[i])
            fl_b64_encode((char *)b->begin[i], t->out - prefix, t->n + over);
    return true;
}

/* Takes the ciphertexts out of base64, up to the first that is not like the first. */
static unsigned decode_batch(rt_walk *w, batch *b, int32_t *version)
{
    uint8_t *raw = (uint8_t *)w->text.p;
    const rt_at *values = w->prog->values;
    size_t prefix = b->rule->head, over = b->rule->over;
    const rt_edit *e = b->e;
    unsigned i = 0;
    for (*version = 1; i < b->n; i++, e++) {
        const uint8_t *in = e->value;
        ptrdiff_t len = e->to - in;
        if (values[e->pc].text) {
            len = fl_b64_decode(raw, (const char *)in, (size_t)len, FL_B64_LAX);
            in = raw;
            raw += len > 0 ? len : 0;
        }
        if (len < (ptrdiff_t)over || (prefix && in[0] != 0))
            break;
        if (prefix && i == 0)
            *version = get_prefix(in);
        if (prefix && (*version < 1 || get_prefix(in) != *version))
            break;
        b->texts[i] = (rt_text){.in = in + prefix, .n = (size_t)len - over};
    }
    return i;
}

static uint8_t *lay_out_opened(rt_walk *w, batch *b)
{
    uint8_t *out = (uint8_t *)w->out->p + w->out->len;
    const uint8_t *copied = w->copied;
    bool with_length = w->encoding->with_length;
    const rt_edit *e = b->e;
    rt_text *t = b->texts;
    for (unsigned i = 0; i < b->n; i++, e++, t++) {
        t->out = put_before(out, copied, e, with_length, t->n);
        out = t->out + t->n;
        copied = e->to;
    }
    return out;
}

static bool open_batch(rt_walk *w, batch *b, unsigned *done)
{
    int32_t version;
    rt_key *key;
    b->n = decode_batch(w, b, &version);
    if (!b->n)
        return true;
    if (!read_key(w, b->e->pc, b->number, version, &key))
        return false;
    uint8_t *end = lay_out_opened(w, b);
    *done = settle(w, b, rt_open_all(key, b->texts, b->n), end);
    return true;
}

/* How many edits from the first on are values of one rule, MOST at most. */
static unsigned alike(const rt_at *values, const rt_edit *e, unsigned n)
{
    unsigned i = 0, rule = values[e->pc].rule;
    if (rule == RT_NOT_ALONE)
        return 0;
    while (i < n && i < MOST && values[e[i].pc].rule == rule && e[i].count == 0)
        i++;
    return i;
}

bool rt_walk_values(rt_walk *w, const rt_edit *e, unsigned n, unsigned *done)
{
    batch b;
    *done = 0;
    b.n = alike(w->prog->values, e, n);
    if (!b.n)
        return true;
    b.e = e;
    b.number = w->prog->values[e->pc].rule;
    b.rule = &w->prog->rules->v[b.number];
    if (!room_for(w, &b, e[b.n - 1].to))
        return true;
    return w->prog->opening ? open_batch(w, &b, done) : seal_batch(w, &b, done);
}
