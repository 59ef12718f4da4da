/* avro_walk.c: runs a field program over an encoded Avro datum in one pass. */
#include <stdlib.h>
#include <string.h>

#include "runtime/format/avro.h"
#include "runtime/format/walk.h"

typedef struct frame {  /* an open array, map or called record */
    uint64_t left;      /* items of this block still to come; 0 for a call */
    const uint8_t *end; /* where the block must end, NULL if it did not say */
    uint32_t pc;        /* of BLOCKS, or where a call returns to */
    bool call;
} frame;

typedef struct state {
    frame frames[RT_MAX_NESTING];
    uint64_t empty_items;
    unsigned depth;
} state;

static inline const avro_op *ops(const rt_walk *w)
{
    return ((const avro_program *)w->prog)->ops;
}

static inline state *own(rt_walk *w)
{
    return w->own;
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
                   ops(w)[pc].code == AVRO_UNION ? "no branch of the union has that number"
                                                 : "no symbol of the enum has that number");
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
    if (!ops(w)[pc].seals)
        return true;
    /* sealing changes the size: the block is written with its count alone, as most clients write it */
    if (*count > INT64_MAX)
        return rt_walk_malformed(w, pc, "a block has too many items");
    return rt_walk_note(w, (rt_edit){.from = start, .value = start, .to = w->p, .pc = pc, .count = *count});
}

static bool next_block(rt_walk *w, uint32_t *pc, frame *f)
{
    uint32_t at = f->pc;
    if (!block_header(w, at, &f->left, &f->end))
        return false;
    if (f->left == 0) {
        if (f->end && f->end != w->p)
            return rt_walk_malformed(w, at, "an empty block claims a size");
        own(w)->depth--;
        *pc = ops(w)[at].to;
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
    state *s = own(w);
    if (s->depth == RT_MAX_NESTING)
        return rt_walk_malformed(w, pc, "the record nests too deep");
    s->frames[s->depth++] = f;
    return true;
}

static bool next_item(rt_walk *w, uint32_t *pc)
{
    frame *f = &own(w)->frames[own(w)->depth - 1];
    if (--f->left) {
        *pc = ops(w)[*pc].to;
        return true;
    }
    if (f->end && f->end != w->p)
        return rt_walk_malformed(w, *pc, "a block does not end where its size says");
    return next_block(w, pc, f);
}

/* Items of nothing but lengths and bytes, texts most often: in one loop, without a frame. */
static bool plain_blocks(rt_walk *w, uint32_t *pc)
{
    const avro_op *op = &ops(w)[*pc];
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
        if (count > RT_MAX_EMPTY_ITEMS - own(w)->empty_items)
            return rt_walk_malformed(w, pc, "too many empty items");
        own(w)->empty_items += count;
    }
}

/* ---- sealed values ---- */

static inline bool sealed_values(rt_walk *w, place_t *p, uint32_t *pc, size_t run)
{
    for (; run; run--, ++*pc) {
        place_t from = *p;
        size_t n = 0;
        if (!length(w, p, *pc, &n) || (w->nedits == RT_MAX_EDITS && !rt_walk_work_off(w)))
            return false;
        rt_edit *e = &w->edits[w->nedits++];
        e->from = from;
        e->value = *p;
        e->to = *p += n;
        e->pc = *pc;
    }
    return true;
}

/* The schema is `bytes` alone: clients (Python, JavaScript, Java) put the bytes on the wire without Avro's length
 * before them. Nothing tags it, so nothing seals it. */
static bool bare(rt_walk *w, uint32_t pc)
{
    place_t p = w->p;
    size_t n = 0;
    if (!w->prog->opening && !length(w, &p, pc, &n))
        return false;
    rt_edit e = {.from = w->p, .value = p, .to = w->prog->opening ? w->end : p + n, .pc = pc};
    w->p = e.to;
    return rt_walk_note(w, e);
}

static bool fail_op(rt_walk *w, uint32_t pc)
{
    return rt_walk_fail(w, pc, &w->prog->chains[ops(w)[pc].chain], RT_REFUSED,
                        "the value is neither string nor bytes and cannot be encrypted");
}

/* ---- the loop ---- */

static bool call(rt_walk *w, uint32_t *pc)
{
    if (!enter(w, *pc, (frame){.pc = *pc + 1, .call = true}))
        return false;
    *pc = ops(w)[*pc].to;
    return true;
}

static bool blocks(rt_walk *w, uint32_t *pc)
{
    if (ops(w)[*pc].n)
        return plain_blocks(w, pc);
    return enter(w, *pc, (frame){.pc = *pc}) && next_block(w, pc, &own(w)->frames[own(w)->depth - 1]);
}

static inline bool branch(rt_walk *w, place_t *p, uint32_t *pc)
{
    size_t i = 0;
    const avro_op *op = &ops(w)[*pc];
    if (!index_below(w, p, *pc, op->n, &i))
        return false;
    *pc = ((const avro_program *)w->prog)->targets[op->to + i];
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

static inline bool enum_value(rt_walk *w, place_t *p, const avro_op *op, uint32_t pc)
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
static bool structure(rt_walk *w, const avro_op *op, uint32_t *pc)
{
    switch (op->code) {
    case AVRO_FAIL:
        return fail_op(w, (*pc)++);
    case AVRO_BARE:
        return bare(w, (*pc)++);
    case AVRO_EMPTY:
        return empty_items(w, (*pc)++);
    case AVRO_BLOCKS:
        return blocks(w, pc);
    case AVRO_NEXT:
        return next_item(w, pc);
    case AVRO_CALL:
        return call(w, pc);
    default:
        *pc = own(w)->frames[--own(w)->depth].pc; /* RETURN */
        return true;
    }
}

static bool run(rt_walk *w)
{
    const avro_op *all = ops(w);
    place_t p = w->p;
    uint32_t pc = 0;
    own(w)->depth = 0;
    own(w)->empty_items = 0;
    for (bool ok = true; ok;) {
        const avro_op *op = &all[pc];
        switch (op->code) {
        case AVRO_SKIP:
            ok = skip(w, &p, pc++, op->n);
            break;
        case AVRO_INT:
            ok = int_value(w, &p, pc++);
            break;
        case AVRO_LONG:
            ok = long_value(w, &p, pc++);
            break;
        case AVRO_ENUM:
            ok = enum_value(w, &p, op, pc++);
            break;
        case AVRO_LENGTH:
            ok = plain_values(w, &p, &pc, op->n);
            break;
        case AVRO_STRING:
        case AVRO_BYTES:
            ok = sealed_values(w, &p, &pc, op->n);
            break;
        case AVRO_UNION:
            ok = branch(w, &p, &pc);
            break;
        case AVRO_JUMP:
            pc = op->to;
            break;
        case AVRO_END:
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

/* ---- replacing ---- */

static size_t put_varint(uint8_t *out, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)v;
    return n;
}

static size_t put_length(uint8_t *out, size_t n)
{
    return put_varint(out, (uint64_t)n << 1);
}

static bool put_bare(rt_walk *w, const rt_edit *e)
{
    uint8_t head[RT_MAX_HEAD];
    size_t n = (size_t)(e->to - e->value), len = put_length(head, n);
    if (w->prog->opening && !rt_walk_put(w, head, len, e->pc))
        return false;
    return rt_walk_put(w, e->value, n, e->pc);
}

static bool replace(rt_walk *w, const rt_edit *e)
{
    const avro_op *op = &ops(w)[e->pc];
    uint8_t head[RT_MAX_HEAD];
    if (op->code == AVRO_BLOCKS) {
        size_t len = put_varint(head, e->count << 1);
        return rt_walk_put(w, head, len, e->pc);
    }
    if (op->code == AVRO_BARE)
        return put_bare(w, e);
    rt_at at = {.pc = e->pc, .text = op->code == AVRO_STRING, .chain = &w->prog->chains[op->chain]};
    rt_outcome done = rt_walk_value(w, &at, e->value, (size_t)(e->to - e->value), put_length, w->out);
    return done == RT_LEFT ? rt_walk_put(w, e->from, (size_t)(e->to - e->from), e->pc) : done == RT_WORKED;
}

const rt_encoding rt_avro = {.format = SCH_AVRO,
                             .state = sizeof(state),
                             .compile = rt_avro_compile,
                             .print = rt_avro_print,
                             .run = run,
                             .replace = replace};
