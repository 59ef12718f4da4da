/* walk.c: runs a field program over an encoded datum in one pass. */
#include "runtime/walk.h"

#include <stdlib.h>
#include <string.h>

typedef struct frame {  /* an open array, map or called record */
    uint64_t left;      /* items of this block still to come; 0 for a call */
    const uint8_t *end; /* where the block must end, NULL if it did not say */
    uint32_t pc;        /* of BLOCKS, or where a call returns to */
    bool call;
} frame;

/* A place where the output differs from the input: a value to seal or open, or the header of a block that is written
 * anew. Walking gathers them and they are worked off together: the walk is a chain of short jumps that a processor
 * foresees well, unless a cipher runs in between. */
typedef struct edit {
    const uint8_t *from, *value, *to; /* value: behind its length */
    uint32_t pc;
    uint64_t count; /* of a block's header */
} edit;
enum { MAX_EDITS = 128 };

typedef struct slot { /* the key of one rule */
    const rt_rule *rule;
    uint64_t epoch, record; /* of the keys, and the record for which it was asked */
    rt_key *key;
    int32_t version;
} slot;

struct rt_walk {
    rt_keys *keys;
    fl_buf text;       /* ciphertext, between base64 and the cipher */
    fl_buf between[2]; /* of fields that several rules meet: what one rule left for the next */
    uint64_t epoch;    /* of the keys, as last seen: slots of another one are stale */
    uint64_t record;   /* number of the record at hand: what is in a slot of another one is stale */
    slot slots[RT_MAX_RULES];
    edit edits[MAX_EDITS];
    frame frames[RT_MAX_NESTING];

    /* the record at hand */
    const rt_program *prog;
    const uint8_t *in, *p, *end;
    const uint8_t *copied; /* all before this is in out */
    fl_buf *out;
    uint64_t off; /* rules that failed and pass: a bit each */
    uint64_t empty_items;
    unsigned depth, nedits;
    int failed; /* rule that failed, -1: none */
    rt_error *err;
    rt_code code;
};

rt_walk *rt_walk_new(rt_keys *keys)
{
    rt_walk *w = fl_xcalloc(1, sizeof *w);
    w->keys = keys;
    fl_buf_init(&w->text, RT_MAX_RECORD);
    for (int i = 0; i < 2; i++)
        fl_buf_init(&w->between[i], RT_MAX_RECORD);
    return w;
}

void rt_walk_free(rt_walk *w)
{
    if (!w)
        return;
    fl_buf_wipe(&w->text);
    for (int i = 0; i < 2; i++)
        fl_buf_wipe(&w->between[i]);
    free(w);
}

/* ---- failing ---- */

static const char *place(const rt_walk *w, uint32_t pc)
{
    return w->prog->where[pc] && *w->prog->where[pc] ? w->prog->where[pc] : "(the whole value)";
}

__attribute__((cold, noinline)) static bool malformed(rt_walk *w, uint32_t pc, const char *why)
{
    w->code = rt_fail(w->err, RT_BAD_INPUT, "subject %s, field %s, byte %zu of the record: %s", w->prog->rules->subject,
                      place(w, pc), (size_t)(w->p - w->in), why);
    return false;
}

__attribute__((cold, noinline)) static bool too_big(rt_walk *w, uint32_t pc)
{
    return malformed(w, pc, "the record grows beyond the largest size allowed");
}

__attribute__((cold, noinline)) static bool rule_failed(rt_walk *w, uint32_t pc, size_t rule, rt_code code,
                                                        const char *why)
{
    const rt_rule *r = &w->prog->rules->v[rule];
    bool named = strncmp(why, "KEK ", 4) == 0; /* what the keys say names it already */
    w->failed = (int)rule;
    w->code = rt_fail(w->err, code, "subject %s, field %s, rule %s%s%s: %s", w->prog->rules->subject, place(w, pc),
                      r->name, named ? "" : ", KEK ", named ? "" : r->key.kek, why);
    return false;
}

/* ---- output ---- */

/* The buffer always has room for a NUL behind its bytes. */
static inline bool room(rt_walk *w, fl_buf *b, size_t n, uint32_t pc)
{
    if (b->cap - b->len > n && b->cap > b->len)
        return true;
    b->full = false; /* of this record or none */
    return fl_buf_reserve(b, n) || too_big(w, pc);
}

static inline bool put(rt_walk *w, const void *p, size_t n, uint32_t pc)
{
    if (!room(w, w->out, n, pc))
        return false;
    memcpy(w->out->p + w->out->len, p, n);
    w->out->len += n;
    return true;
}

/* Copies everything up to here that is not out yet. */
static inline bool flush(rt_walk *w, const uint8_t *to, uint32_t pc)
{
    if (to > w->copied && !put(w, w->copied, (size_t)(to - w->copied), pc))
        return false;
    w->copied = to;
    return true;
}

static inline size_t put_varint(uint8_t *out, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)v;
    return n;
}

static inline uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

/* ---- input ---- */

__attribute__((noinline)) static bool long_varint(rt_walk *w, uint32_t pc, unsigned most, int64_t *out)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < most; i++) {
        if (w->p == w->end)
            return malformed(w, pc, "the record ends inside a number");
        uint8_t b = *w->p++;
        if (i == 9 && b > 1)
            return malformed(w, pc, "a number has more than 64 bits");
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) {
            *out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
            return true;
        }
    }
    return malformed(w, pc, "a number has too many bytes");
}

/* The walk keeps its place in a register: helpers below take it by address and are inlined; whoever is called for real
 * finds it in w->p. */
typedef const uint8_t *place_t;

static bool bad(rt_walk *w, place_t at, uint32_t pc, const char *why)
{
    w->p = at;
    return malformed(w, pc, why);
}

static inline bool varint(rt_walk *w, place_t *p, uint32_t pc, unsigned most, int64_t *out)
{
    if (*p < w->end && !(**p & 0x80)) {
        uint8_t b = *(*p)++;
        *out = (int64_t)(b >> 1) ^ -(int64_t)(b & 1);
        return true;
    }
    int64_t v = 0;
    w->p = *p;
    bool ok = long_varint(w, pc, most, &v);
    *p = w->p;
    *out = v;
    return ok;
}

static inline bool skip(rt_walk *w, place_t *p, uint32_t pc, uint64_t n)
{
    if (n > (uint64_t)(w->end - *p))
        return bad(w, *p, pc, "the record ends before this value does");
    *p += n;
    return true;
}

static inline bool length(rt_walk *w, place_t *p, uint32_t pc, size_t *n)
{
    int64_t v;
    if (!varint(w, p, pc, 10, &v))
        return false;
    if (v < 0 || v > w->end - *p)
        return bad(w, *p, pc, v < 0 ? "a length is negative" : "a length is more than what is left of the record");
    *n = (size_t)v;
    return true;
}

static inline bool int_value(rt_walk *w, place_t *p, uint32_t pc)
{
    int64_t v;
    if (!varint(w, p, pc, 5, &v))
        return false;
    return (v >= INT32_MIN && v <= INT32_MAX) || bad(w, *p, pc, "an int has more than 32 bits");
}

static inline bool index_below(rt_walk *w, place_t *p, uint32_t pc, size_t n, size_t *out)
{
    int64_t v;
    if (!varint(w, p, pc, 5, &v))
        return false;
    *out = (size_t)v;
    if (v < 0 || (uint64_t)v >= n)
        return bad(w, *p, pc,
                   w->prog->ops[pc].code == RT_OP_UNION ? "no branch of the union has that number"
                                                        : "no symbol of the enum has that number");
    return true;
}

/* ---- edits ---- */

static bool work_off(rt_walk *w);

static inline bool note(rt_walk *w, edit e)
{
    if (w->nedits == MAX_EDITS && !work_off(w))
        return false;
    w->edits[w->nedits++] = e;
    return true;
}

/* ---- blocks of arrays and maps ---- */

/* A block's header: its number of items, and where it ends if it says so. Ends at 0. */
static bool block_header(rt_walk *w, uint32_t pc, uint64_t *count, const uint8_t **end)
{
    const uint8_t *start = w->p;
    int64_t n, size;
    *end = NULL;
    if (!varint(w, &w->p, pc, 10, &n))
        return false;
    *count = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    if (n >= 0)
        return true;
    if (!varint(w, &w->p, pc, 10, &size))
        return false;
    if (size < 0 || size > w->end - w->p)
        return malformed(w, pc, "the size of a block is more than what is left of the record");
    *end = w->p + size;
    if (!w->prog->ops[pc].seals)
        return true;
    /* sealing changes the size: the block is written with its count alone, as most clients write it */
    if (*count > INT64_MAX)
        return malformed(w, pc, "a block has too many items");
    return note(w, (edit){.from = start, .value = start, .to = w->p, .pc = pc, .count = *count});
}

static bool next_block(rt_walk *w, uint32_t *pc, frame *f)
{
    uint32_t at = f->pc;
    if (!block_header(w, at, &f->left, &f->end))
        return false;
    if (f->left == 0) {
        if (f->end && f->end != w->p)
            return malformed(w, at, "an empty block claims a size");
        w->depth--;
        *pc = w->prog->ops[at].to;
        return true;
    }
    /* each item takes a byte at least */
    if (f->left > (uint64_t)((f->end ? f->end : w->end) - w->p))
        return malformed(w, at, "a block has more items than what is left of the record can hold");
    *pc = at + 1;
    return true;
}

static bool enter(rt_walk *w, uint32_t pc, frame f)
{
    if (w->depth == RT_MAX_NESTING)
        return malformed(w, pc, "the record nests too deep");
    w->frames[w->depth++] = f;
    return true;
}

static bool next_item(rt_walk *w, uint32_t *pc)
{
    frame *f = &w->frames[w->depth - 1];
    if (--f->left) {
        *pc = w->prog->ops[*pc].to;
        return true;
    }
    if (f->end && f->end != w->p)
        return malformed(w, *pc, "a block does not end where its size says");
    return next_block(w, pc, f);
}

/* Items of nothing but lengths and bytes, texts most often: in one loop, without a frame. */
static bool plain_blocks(rt_walk *w, uint32_t *pc)
{
    const rt_op *op = &w->prog->ops[*pc];
    for (;;) {
        uint64_t count;
        const uint8_t *end;
        if (!block_header(w, *pc, &count, &end))
            return false;
        if (count > (uint64_t)((end ? end : w->end) - w->p))
            return malformed(w, *pc, "a block has more items than what is left of the record can hold");
        place_t p = w->p;
        for (uint64_t left = count * op->n; left; left--) {
            size_t n = 0;
            if (!length(w, &p, *pc, &n))
                return false;
            p += n;
        }
        w->p = p;
        if (end && end != w->p)
            return malformed(w, *pc, "a block does not end where its size says");
        if (count == 0)
            break;
    }
    *pc = op->to;
    return true;
}

static bool empty_items(rt_walk *w, uint32_t pc)
{
    for (;;) {
        uint64_t count;
        const uint8_t *end;
        if (!block_header(w, pc, &count, &end))
            return false;
        if (end && end != w->p)
            return malformed(w, pc, "a block of empty items claims a size");
        if (count == 0)
            return true;
        if (count > RT_MAX_EMPTY_ITEMS - w->empty_items)
            return malformed(w, pc, "too many empty items");
        w->empty_items += count;
    }
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
        return rule_failed(w, pc, rule, code, e.message);
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
    return rt_seal(s->key, out + s->rule->head, in, n) || rule_failed(w, pc, rule, RT_IO, "the cipher failed");
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
        return rule_failed(w, pc, rule, code, e.message);
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
        return rule_failed(w, pc, rule, RT_TAMPERED, "the value is not base64, so it is no ciphertext");
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
        return rule_failed(w, pc, rule, RT_TAMPERED, "the value is too short to be a ciphertext");
    if (head && in[0] != 0)
        return rule_failed(w, pc, rule, RT_TAMPERED,
                           "the ciphertext does not begin with the byte 0 and a DEK version, as rotation wants");
    if (head && (version = get_prefix(in)) < 1)
        return rule_failed(w, pc, rule, RT_TAMPERED, "the ciphertext names a DEK version below 1");
    if (!read_key(w, pc, rule, version, &key) || !room(w, dst, n - over + 10, pc))
        return false;
    uint8_t *out = (uint8_t *)dst->p + dst->len;
    if (with_length)
        out += put_varint(out, zigzag((int64_t)(n - over)));
    ptrdiff_t len = rt_open(key, out, in + head, n - head);
    if (len != (ptrdiff_t)(n - over))
        return rule_failed(w, pc, rule, RT_TAMPERED,
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

static bool work_off(rt_walk *w)
{
    for (unsigned i = 0; i < w->nedits; i++) {
        const edit *e = &w->edits[i];
        if (!flush(w, e->from, e->pc))
            return false;
        w->copied = e->to;
        if (w->prog->ops[e->pc].code == RT_OP_BLOCKS) {
            uint8_t head[10];
            if (!put(w, head, put_varint(head, zigzag((int64_t)e->count)), e->pc))
                return false;
        } else if (!transform(w, e)) {
            return false;
        }
    }
    w->nedits = 0;
    return true;
}

static inline bool sealed_values(rt_walk *w, place_t *p, uint32_t *pc, size_t run)
{
    for (; run; run--, ++*pc) {
        place_t from = *p;
        size_t n = 0;
        if (!length(w, p, *pc, &n) || (w->nedits == MAX_EDITS && !work_off(w)))
            return false;
        edit *e = &w->edits[w->nedits++];
        e->from = from;
        e->value = *p;
        e->to = *p += n;
        e->pc = *pc;
    }
    return true;
}

static bool fail_op(rt_walk *w, uint32_t pc)
{
    const rt_chain *chain = &w->prog->chains[w->prog->ops[pc].chain];
    for (size_t i = 0; i < chain->n; i++)
        if (!(w->off >> chain->rule[i] & 1))
            return rule_failed(w, pc, chain->rule[i], RT_REFUSED,
                               "the value is neither string nor bytes and cannot be encrypted");
    return true;
}

/* ---- the loop ---- */

static bool call(rt_walk *w, uint32_t *pc)
{
    if (!enter(w, *pc, (frame){.pc = *pc + 1, .call = true}))
        return false;
    *pc = w->prog->ops[*pc].to;
    return true;
}

static bool blocks(rt_walk *w, uint32_t *pc)
{
    if (w->prog->ops[*pc].n)
        return plain_blocks(w, pc);
    return enter(w, *pc, (frame){.pc = *pc}) && next_block(w, pc, &w->frames[w->depth - 1]);
}

static inline bool branch(rt_walk *w, place_t *p, uint32_t *pc)
{
    size_t i = 0;
    const rt_op *op = &w->prog->ops[*pc];
    if (!index_below(w, p, *pc, op->n, &i))
        return false;
    *pc = w->prog->targets[op->to + i];
    return true;
}

static inline bool plain_values(rt_walk *w, place_t *p, uint32_t *pc, size_t run)
{
    for (; run; run--, ++*pc) {
        size_t n = 0;
        if (!length(w, p, *pc, &n))
            return false;
        *p += n;
    }
    return true;
}

static inline bool enum_value(rt_walk *w, place_t *p, const rt_op *op, uint32_t pc)
{
    size_t n;
    return index_below(w, p, pc, op->n, &n);
}

static inline bool long_value(rt_walk *w, place_t *p, uint32_t pc)
{
    int64_t v;
    return varint(w, p, pc, 10, &v);
}

/* What opens, continues or ends something: rarer, and with its place in w->p. */
static bool structure(rt_walk *w, const rt_op *op, uint32_t *pc)
{
    switch (op->code) {
    case RT_OP_FAIL:
        return fail_op(w, (*pc)++);
    case RT_OP_EMPTY:
        return empty_items(w, (*pc)++);
    case RT_OP_BLOCKS:
        return blocks(w, pc);
    case RT_OP_NEXT:
        return next_item(w, pc);
    case RT_OP_CALL:
        return call(w, pc);
    default:
        *pc = w->frames[--w->depth].pc; /* RETURN */
        return true;
    }
}

static bool run(rt_walk *w)
{
    const rt_op *ops = w->prog->ops;
    place_t p = w->p;
    uint32_t pc = 0;
    for (bool ok = true; ok;) {
        const rt_op *op = &ops[pc];
        switch (op->code) {
        case RT_OP_SKIP:
            ok = skip(w, &p, pc++, op->n);
            break;
        case RT_OP_INT:
            ok = int_value(w, &p, pc++);
            break;
        case RT_OP_LONG:
            ok = long_value(w, &p, pc++);
            break;
        case RT_OP_ENUM:
            ok = enum_value(w, &p, op, pc++);
            break;
        case RT_OP_LENGTH:
            ok = plain_values(w, &p, &pc, op->n);
            break;
        case RT_OP_STRING:
        case RT_OP_BYTES:
            ok = sealed_values(w, &p, &pc, op->n);
            break;
        case RT_OP_UNION:
            ok = branch(w, &p, &pc);
            break;
        case RT_OP_JUMP:
            pc = op->to;
            break;
        case RT_OP_END:
            w->p = p;
            return p == w->end || malformed(w, pc, "bytes follow after the end of the value");
        default:
            w->p = p;
            ok = structure(w, op, &pc);
            p = w->p;
        }
    }
    return false;
}

static bool passes(const rt_walk *w)
{
    const rt_rule *r = w->failed < 0 ? NULL : &w->prog->rules->v[w->failed];
    return r && (w->prog->opening ? r->pass_read : r->pass_write);
}

static bool attempt(rt_walk *w, const uint8_t *in, size_t n)
{
    w->in = w->p = w->copied = in;
    w->end = in + n;
    w->empty_items = 0;
    w->depth = w->nedits = 0;
    w->failed = -1;
    w->code = RT_OK;
    return run(w) && work_off(w) && flush(w, w->end, w->prog->nops - 1);
}

/* Undoes what a failed attempt wrote: nothing of an opened field stays behind the end. */
static void take_back(fl_buf *out, size_t before)
{
    if (out->cap && out->len > before)
        fl_wipe(out->p + before, out->len - before);
    out->len = before;
    out->full = false;
}

rt_code rt_walk_run(rt_walk *w, const rt_program *p, const uint8_t *in, size_t n, fl_buf *out, rt_error *err)
{
    size_t before = out->len;
    w->prog = p;
    w->out = out;
    w->err = err;
    w->off = 0;
    w->record++;
    w->epoch = rt_keys_epoch(w->keys);
    if (n > RT_MAX_RECORD)
        return rt_fail(err, RT_BAD_INPUT, "subject %s: a record of %zu bytes is larger than the %u that are allowed",
                       p->rules->subject, n, RT_MAX_RECORD);
    while (!attempt(w, in, n)) {
        take_back(out, before);
        if (!passes(w))
            return w->code;
        w->off |= 1ull << w->failed; /* again without that rule: each round switches one off, so it ends */
    }
    if (out->cap)
        out->p[out->len] = '\0';
    return RT_OK;
}
