/* walk_state.h: what the walk (walk.c) and the work on sealed values (walk_values.c) share; not for the rest of
 * runtime/. */
#ifndef FLEC_RUNTIME_WALK_STATE_H
#define FLEC_RUNTIME_WALK_STATE_H

#include <string.h>

#include "runtime/walk.h"

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

/* Each fills the error and returns false. pc: the instruction, whose field the message names. */
bool rt_walk_malformed(rt_walk *w, uint32_t pc, const char *why) __attribute__((cold));
bool rt_walk_too_big(rt_walk *w, uint32_t pc) __attribute__((cold));
bool rt_walk_rule_failed(rt_walk *w, uint32_t pc, size_t rule, rt_code code, const char *why) __attribute__((cold));

/* Copies what lies between the edits and seals or opens their values, into w->out; the list is empty then. */
bool rt_walk_work_off(rt_walk *w);

/* ---- output ---- */

/* The buffer always has room for a NUL behind its bytes. */
static inline bool room(rt_walk *w, fl_buf *b, size_t n, uint32_t pc)
{
    if (b->cap - b->len > n && b->cap > b->len)
        return true;
    b->full = false; /* of this record or none */
    return fl_buf_reserve(b, n) || rt_walk_too_big(w, pc);
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
    return ((uint64_t)v << 1) ^ -((uint64_t)v >> 63);
}
#endif
