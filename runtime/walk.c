/* walk.c: runs a field program over an encoded datum in one pass. */
#include <stdlib.h>
#include <string.h>

#include "runtime/walk_state.h"

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

/* ---- input ---- */

__attribute__((noinline)) static bool long_varint(rt_walk *w, uint32_t pc, unsigned most, int64_t *out)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < most; i++) {
        if (w->p == w->end)
            return rt_walk_malformed(w, pc, "the record ends inside a number");
        uint8_t b = *w->p++;
        if (i == 9 && b > 1)
            return rt_walk_malformed(w, pc, "a number has more than 64 bits");
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) {
            *out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
            return true;
        }
    }
    return rt_walk_malformed(w, pc, "a number has too many bytes");
}

/* The walk keeps its place in a register: helpers below take it by address and are inlined; whoever is called for real
 * finds it in w->p. */
typedef const uint8_t *place_t;

static bool bad(rt_walk *w, place_t at, uint32_t pc, const char *why)
{
    w->p = at;
    return rt_walk_malformed(w, pc, why);
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

static inline bool note(rt_walk *w, edit e)
{
    if (w->nedits == MAX_EDITS && !rt_walk_work_off(w))
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
        return rt_walk_malformed(w, pc, "the size of a block is more than what is left of the record");
    *end = w->p + size;
    if (!w->prog->ops[pc].seals)
        return true;
    /* sealing changes the size: the block is written with its count alone, as most clients write it */
    if (*count > INT64_MAX)
        return rt_walk_malformed(w, pc, "a block has too many items");
    return note(w, (edit){.from = start, .value = start, .to = w->p, .pc = pc, .count = *count});
}

static bool next_block(rt_walk *w, uint32_t *pc, frame *f)
{
    uint32_t at = f->pc;
    if (!block_header(w, at, &f->left, &f->end))
        return false;
    if (f->left == 0) {
        if (f->end && f->end != w->p)
            return rt_walk_malformed(w, at, "an empty block claims a size");
        w->depth--;
        *pc = w->prog->ops[at].to;
        return true;
    }
    /* each item takes a byte at least */
    if (f->left > (uint64_t)((f->end ? f->end : w->end) - w->p))
        return rt_walk_malformed(w, at, "a block has more items than what is left of the record can hold");
    *pc = at + 1;
    return true;
}

static bool enter(rt_walk *w, uint32_t pc, frame f)
{
    if (w->depth == RT_MAX_NESTING)
        return rt_walk_malformed(w, pc, "the record nests too deep");
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
        return rt_walk_malformed(w, *pc, "a block does not end where its size says");
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
            return rt_walk_malformed(w, *pc, "a block has more items than what is left of the record can hold");
        place_t p = w->p;
        for (uint64_t left = count * op->n; left; left--) {
            size_t n = 0;
            if (!length(w, &p, *pc, &n))
                return false;
            p += n;
        }
        w->p = p;
        if (end && end != w->p)
            return rt_walk_malformed(w, *pc, "a block does not end where its size says");
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
            return rt_walk_malformed(w, pc, "a block of empty items claims a size");
        if (count == 0)
            return true;
        if (count > RT_MAX_EMPTY_ITEMS - w->empty_items)
            return rt_walk_malformed(w, pc, "too many empty items");
        w->empty_items += count;
    }
}

/* ---- sealed values ---- */

static inline bool sealed_values(rt_walk *w, place_t *p, uint32_t *pc, size_t run)
{
    for (; run; run--, ++*pc) {
        place_t from = *p;
        size_t n = 0;
        if (!length(w, p, *pc, &n) || (w->nedits == MAX_EDITS && !rt_walk_work_off(w)))
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
            return rt_walk_rule_failed(w, pc, chain->rule[i], RT_REFUSED,
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
            return p == w->end || rt_walk_malformed(w, pc, "bytes follow after the end of the value");
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
    return run(w) && rt_walk_work_off(w) && flush(w, w->end, w->prog->nops - 1);
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
