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

/* The walk keeps its place in a register, and hands it on and takes it back: NULL where it has failed. What works with
 * its place in w->p says so. */
typedef const uint8_t *place_t;

static inline uint32_t pc_of(const rt_walk *w, const avro_op *op)
{
    return (uint32_t)(op - ops(w));
}

static place_t bad(rt_walk *w, place_t at, const avro_op *op, const char *why)
{
    w->p = at;
    rt_walk_malformed(w, pc_of(w, op), why);
    return NULL;
}

/* A place and what was read before it. By value: what is handed out by address lies in memory, and each place hangs on
 * the length before it. */
typedef struct read_number {
    place_t p; /* NULL: the walk has failed */
    int64_t v;
} read_number;

typedef struct read_length {
    place_t p;
    size_t n;
} read_length;

/* Any number, byte by byte. */
static __attribute__((noinline)) read_number long_number(rt_walk *w, place_t p, const avro_op *op, unsigned most)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < most; i++) {
        if (p == w->end)
            return (read_number){bad(w, p, op, "the record ends inside a number"), 0};
        uint8_t b = *p++;
        if (i == 9 && b > 1)
            return (read_number){bad(w, p, op, "a number has more than 64 bits"), 0};
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80))
            return (read_number){p, (int64_t)(v >> 1) ^ -(int64_t)(v & 1)};
    }
    return (read_number){bad(w, p, op, "a number has too many bytes"), 0};
}

static inline read_number number(rt_walk *w, place_t p, place_t end, const avro_op *op, unsigned most)
{
    if (p == end || (*p & 0x80))
        return long_number(w, p, op, most);
    return (read_number){p + 1, (int64_t)(*p >> 1) ^ -(int64_t)(*p & 1)};
}

/* Where a number ends that nobody asks for, of at most `most` bytes, while eight can be read; else NULL. */
static inline place_t behind_number(place_t p, place_t end, unsigned most)
{
    uint64_t v;
    if (end - p < 8)
        return NULL;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    uint64_t last = ~v & UINT64_C(0x8080808080808080); /* bytes that end a number */
    unsigned n = last ? (unsigned)__builtin_ctzll(last) / 8 + 1 : most + 1;
    return n <= most ? p + n : NULL;
}

static __attribute__((noinline)) place_t odd_int(rt_walk *w, place_t p, const avro_op *op)
{
    read_number r = long_number(w, p, op, 5);
    return !r.p || (r.v >= INT32_MIN && r.v <= INT32_MAX) ? r.p : bad(w, r.p, op, "an int has more than 32 bits");
}

static __attribute__((noinline)) read_length long_length(rt_walk *w, place_t p, const avro_op *op)
{
    read_number r = long_number(w, p, op, 10);
    if (r.p && r.v < 0)
        r.p = bad(w, r.p, op, "a length is negative");
    else if (r.p && r.v > w->end - r.p)
        r.p = bad(w, r.p, op, "a length is more than what is left of the record");
    return (read_length){r.p, (size_t)r.v};
}

/* A length that what is left of the record can hold: a byte or two in most. */
static inline read_length length(rt_walk *w, place_t p, place_t end, const avro_op *op)
{
    size_t left = (size_t)(end - p), n;
    if (left > 0 && !(p[0] & 0x81) && (n = p[0] >> 1) < left)
        return (read_length){p + 1, n};
    if (left > 1 && (p[0] & 0x81) == 0x80 && !(p[1] & 0x80)) {
        n = (size_t)(p[0] & 0x7f) >> 1 | (size_t)p[1] << 6;
        if (n <= left - 2)
            return (read_length){p + 2, n};
    }
    return long_length(w, p, op);
}

/* The number of a branch or symbol, below op->n. */
static __attribute__((noinline)) read_length odd_index(rt_walk *w, place_t p, const avro_op *op)
{
    read_number r = long_number(w, p, op, 5);
    if (r.p && (r.v < 0 || (uint64_t)r.v >= op->n))
        r.p = bad(w, r.p, op,
                  op->code == AVRO_UNION ? "no branch of the union has that number"
                                         : "no symbol of the enum has that number");
    return (read_length){r.p, (size_t)r.v};
}

static inline read_length index_below(rt_walk *w, place_t p, place_t end, const avro_op *op)
{
    if (p == end || (*p & 0x81) || *p >> 1 >= op->n)
        return odd_index(w, p, op);
    return (read_length){p + 1, *p >> 1};
}

/* ---- blocks of arrays and maps ---- */

typedef struct read_block {
    uint64_t count; /* of items, 0: it was the last */
    place_t end;    /* where it says that it ends, or NULL */
} read_block;

/* A block's header of more than a byte. Ends at 0. */
static __attribute__((noinline)) place_t long_header(rt_walk *w, place_t p, const avro_op *op, read_block *out)
{
    place_t start = p;
    read_number n = long_number(w, p, op, 10);
    *out = (read_block){n.v < 0 ? 0 - (uint64_t)n.v : (uint64_t)n.v, NULL};
    if (!n.p || n.v >= 0)
        return n.p;
    read_number size = number(w, n.p, w->end, op, 10);
    if (!size.p)
        return NULL;
    if (size.v < 0 || size.v > w->end - size.p)
        return bad(w, size.p, op, "the size of a block is more than what is left of the record");
    out->end = size.p + size.v;
    if (!op->seals)
        return size.p;
    /* sealing changes the size: the block is written with its count alone, as most clients write it */
    if (out->count > INT64_MAX)
        return bad(w, size.p, op, "a block has too many items");
    rt_edit e = {.from = start, .value = start, .to = size.p, .pc = pc_of(w, op), .count = out->count};
    return rt_walk_note(w, e) ? size.p : NULL;
}

static inline place_t block_header(rt_walk *w, place_t p, place_t end, const avro_op *op, read_block *out)
{
    if (p == end || (*p & 0x81))
        return long_header(w, p, op, out);
    *out = (read_block){*p >> 1, NULL};
    return p + 1;
}

/* Place in w->p; returns where the program goes on. */
static const avro_op *next_block(rt_walk *w, frame *f)
{
    const avro_op *op = &ops(w)[f->pc];
    read_block block;
    place_t p = block_header(w, w->p, w->end, op, &block);
    if (!p)
        return NULL;
    w->p = p;
    f->left = block.count;
    f->end = block.end;
    if (f->left == 0) {
        if (f->end && f->end != p) {
            bad(w, p, op, "an empty block claims a size");
            return NULL;
        }
        own(w)->depth--;
        return &ops(w)[op->to];
    }
    /* each item takes a byte at least */
    if (f->left > (uint64_t)((f->end ? f->end : w->end) - p)) {
        bad(w, p, op, "a block has more items than what is left of the record can hold");
        return NULL;
    }
    return op + 1;
}

static bool enter(rt_walk *w, const avro_op *op, frame f)
{
    state *s = own(w);
    if (s->depth == RT_MAX_NESTING)
        return rt_walk_malformed(w, pc_of(w, op), "the record nests too deep");
    s->frames[s->depth++] = f;
    return true;
}

/* Place in w->p. */
static const avro_op *next_item(rt_walk *w, const avro_op *op)
{
    frame *f = &own(w)->frames[own(w)->depth - 1];
    if (--f->left)
        return &ops(w)[op->to];
    if (!f->end || f->end == w->p)
        return next_block(w, f);
    bad(w, w->p, op, "a block does not end where its size says");
    return NULL;
}

/* Items of nothing but lengths and bytes, texts most often: in one loop, without a frame. */
static inline place_t plain_blocks(rt_walk *w, place_t p, place_t end, const avro_op *op)
{
    read_block block;
    do {
        p = block_header(w, p, end, op, &block);
        if (!p)
            return NULL;
        if (block.count > (uint64_t)((block.end ? block.end : end) - p))
            return bad(w, p, op, "a block has more items than what is left of the record can hold");
        for (uint64_t left = block.count * op->n; left; left--) {
            read_length r = length(w, p, end, op);
            if (!r.p)
                return NULL;
            p = r.p + r.n;
        }
        if (block.end && block.end != p)
            return bad(w, p, op, "a block does not end where its size says");
    } while (block.count);
    return p;
}

static place_t empty_items(rt_walk *w, place_t p, const avro_op *op)
{
    read_block block;
    do {
        p = block_header(w, p, w->end, op, &block);
        if (!p)
            return NULL;
        if (block.end && block.end != p)
            return bad(w, p, op, "a block of empty items claims a size");
        if (block.count > RT_MAX_EMPTY_ITEMS - own(w)->empty_items)
            return bad(w, p, op, "too many empty items");
        own(w)->empty_items += block.count;
    } while (block.count);
    return p;
}

/* ---- values ---- */

static inline place_t sealed_values(rt_walk *w, place_t p, place_t end, const avro_op *op)
{
    uint32_t pc = pc_of(w, op);
    for (size_t run = op->n; run; run--, op++, pc++) {
        read_length r = length(w, p, end, op);
        if (!r.p || (w->nedits == RT_MAX_EDITS && !rt_walk_work_off(w)))
            return NULL;
        rt_edit *e = &w->edits[w->nedits++];
        e->from = p;
        e->value = r.p;
        e->to = p = r.p + r.n;
        e->pc = pc;
        e->count = 0;
    }
    return p;
}

static inline place_t plain_values(rt_walk *w, place_t p, place_t end, const avro_op *op)
{
    for (size_t run = op->n; run; run--, op++) {
        read_length r = length(w, p, end, op);
        if (!r.p)
            return NULL;
        p = r.p + r.n;
    }
    return p;
}

/* The schema is `bytes` alone: clients (Python, JavaScript, Java) put the bytes on the wire without Avro's length
 * before them. Nothing tags it, so nothing seals it. */
static place_t bare(rt_walk *w, place_t from, const avro_op *op)
{
    read_length all = {from, (size_t)(w->end - from)};
    if (!w->prog->opening)
        all = length(w, from, w->end, op);
    if (!all.p)
        return NULL;
    rt_edit e = {.from = from, .value = all.p, .to = all.p + all.n, .pc = pc_of(w, op)};
    return rt_walk_note(w, e) ? e.to : NULL;
}

static bool fail_op(rt_walk *w, const avro_op *op)
{
    return rt_walk_fail(w, pc_of(w, op), &w->prog->chains[op->chain], RT_REFUSED,
                        "the value is neither string nor bytes and cannot be encrypted");
}

/* ---- the loop ---- */

/* What opens, continues or ends something: rarer. Place in w->p; returns where the program goes on. */
static const avro_op *structure(rt_walk *w, const avro_op *op)
{
    switch (op->code) {
    case AVRO_FAIL:
        return fail_op(w, op) ? op + 1 : NULL;
    case AVRO_BLOCKS:
        return enter(w, op, (frame){.pc = pc_of(w, op)}) ? next_block(w, &own(w)->frames[own(w)->depth - 1]) : NULL;
    case AVRO_NEXT:
        return next_item(w, op);
    case AVRO_CALL:
        return enter(w, op, (frame){.pc = pc_of(w, op) + 1, .call = true}) ? &ops(w)[op->to] : NULL;
    default: /* RETURN */
        return &ops(w)[own(w)->frames[--own(w)->depth].pc];
    }
}

/* One value, or a run of them; NULL: it has failed. *next: where the program goes on. */
static inline place_t value(rt_walk *w, place_t p, place_t end, const avro_op *op, const avro_op **next)
{
    place_t behind;
    read_length i;
    *next = op + 1;
    switch (op->code) {
    case AVRO_SKIP:
        if (op->n <= (size_t)(end - p))
            return p + op->n;
        return bad(w, p, op, "the record ends before this value does");
    case AVRO_INT:
        behind = behind_number(p, end, 4); /* 28 bits */
        return behind ? behind : odd_int(w, p, op);
    case AVRO_LONG:
        behind = behind_number(p, end, 8);
        return behind ? behind : long_number(w, p, op, 10).p;
    case AVRO_ENUM:
        return index_below(w, p, end, op).p;
    case AVRO_LENGTH:
        *next = op + op->n;
        return plain_values(w, p, end, op);
    case AVRO_STRING:
    case AVRO_BYTES:
        *next = op + op->n;
        return sealed_values(w, p, end, op);
    case AVRO_UNION:
        i = index_below(w, p, end, op);
        if (i.p)
            *next = &ops(w)[((const avro_program *)w->prog)->targets[op->to + i.n]];
        return i.p;
    case AVRO_JUMP:
        *next = &ops(w)[op->to];
        return p;
    case AVRO_EMPTY:
        return empty_items(w, p, op);
    case AVRO_BARE:
        return bare(w, p, op);
    default:
        if (op->code == AVRO_BLOCKS && op->n) {
            *next = &ops(w)[op->to];
            return plain_blocks(w, p, end, op);
        }
        w->p = p;
        *next = structure(w, op);
        return *next ? w->p : NULL;
    }
}

static bool run(rt_walk *w)
{
    const avro_op *op = ops(w);
    place_t p = w->p, end = w->end;
    own(w)->depth = 0;
    own(w)->empty_items = 0;
    while (op->code != AVRO_END) {
        p = value(w, p, end, op, &op);
        if (!p)
            return false;
    }
    w->p = p;
    return p == end || rt_walk_malformed(w, pc_of(w, op), "bytes follow after the end of the value");
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
                             .replace = replace,
                             .with_length = true};
