/* walk.h: what the walks of all formats share: the record at hand, the edits, the work on sealed values. For the files
 * of runtime/format/ alone. */
#ifndef FLEC_RUNTIME_WALK_H
#define FLEC_RUNTIME_WALK_H

#include <string.h>

#include "runtime/format/format.h"

/* A place where the output differs from the input: a value to seal or open, or something that the format writes anew.
 * Walking gathers them and they are worked off together: the walk is a chain of short jumps that a processor foresees
 * well, unless a cipher runs in between. */
struct rt_edit {
    const uint8_t *from, *value, *to; /* value: behind its length, or what else comes before it */
    uint32_t pc;                      /* the instruction that noted it */
    uint64_t count;                   /* the format's own; not 0: `replace` has to see it */
};
enum { RT_MAX_EDITS = 128 };

typedef struct rt_slot { /* the key of one rule */
    const rt_rule *rule;
    uint64_t epoch, record; /* of the keys, and the record for which it was asked */
    rt_key *key;
    int32_t version;
} rt_slot;

struct rt_walk {
    const rt_encoding *encoding;
    rt_keys *keys;
    void *own;         /* the format's state */
    fl_buf text;       /* ciphertext, between base64 and the cipher */
    fl_buf scratch[2]; /* the format's own; wiped at the end */
    fl_buf between[2]; /* of fields that several rules meet: what one rule left for the next */
    uint64_t epoch;    /* of the keys, as last seen: slots of another one are stale */
    uint64_t record;   /* number of the record at hand: what is in a slot of another one is stale */
    rt_slot slots[RT_MAX_RULES];
    rt_edit edits[RT_MAX_EDITS];

    /* the record at hand */
    const rt_program *prog;
    const uint8_t *in, *p, *end; /* p: where the walk is, for messages */
    const uint8_t *copied;       /* all before this is in out */
    fl_buf *out;
    const char *skip;   /* name of a rule that does not run, or NULL */
    const char *redact; /* stands in place of sealed values, or NULL */
    uint64_t off;       /* rules that failed and pass: a bit each */
    unsigned nedits;
    int failed; /* rule that failed, -1: none */
    rt_error *err;
    rt_code code;
};

/* Each fills the error and returns false. pc: the instruction, whose field the message names. */
bool rt_walk_malformed(rt_walk *w, uint32_t pc, const char *why) __attribute__((cold));
bool rt_walk_too_big(rt_walk *w, uint32_t pc) __attribute__((cold));
bool rt_walk_rule_failed(rt_walk *w, uint32_t pc, size_t rule, rt_code code, const char *why) __attribute__((cold));

/* The rules of the chain meet a value that they cannot work: the first that has not failed before fails. true: all
 * have, and the value stays as it is. */
bool rt_walk_fail(rt_walk *w, uint32_t pc, const rt_chain *chain, rt_code code, const char *why);

/* Copies what lies between the edits and replaces them, into w->out; the list is empty then. */
bool rt_walk_work_off(rt_walk *w);

static inline bool rt_walk_note(rt_walk *w, rt_edit e)
{
    if (w->nedits == RT_MAX_EDITS && !rt_walk_work_off(w))
        return false;
    w->edits[w->nedits++] = e;
    return true;
}

/* ---- output ---- */

/* The buffer always has room for a NUL behind its bytes. */
static inline bool rt_walk_room(rt_walk *w, fl_buf *b, size_t n, uint32_t pc)
{
    if (b->cap - b->len > n && b->cap > b->len)
        return true;
    b->full = false; /* of this record or none */
    return fl_buf_reserve(b, n) || rt_walk_too_big(w, pc);
}

static inline bool rt_walk_put(rt_walk *w, const void *p, size_t n, uint32_t pc)
{
    if (!rt_walk_room(w, w->out, n, pc))
        return false;
    memcpy(w->out->p + w->out->len, p, n);
    w->out->len += n;
    return true;
}

/* ---- values.c ---- */

typedef struct rt_at { /* where a value stands */
    uint32_t pc;
    bool text;    /* ciphertext is base64, in text */
    uint8_t rule; /* in rt_program.values: the one rule of the chain, or RT_NOT_ALONE */
    const rt_chain *chain;
} rt_at;
#define RT_NOT_ALONE 0xff

/* Writes what comes before a value of n bytes, its length most often; returns how many bytes. */
#define RT_MAX_HEAD 10
typedef size_t (*rt_head)(uint8_t *out, size_t n);

typedef enum {
    RT_STOPPED, /* the walk has failed */
    RT_LEFT,    /* all rules of the chain failed before and pass: the value stays as it is, nothing was written */
    RT_WORKED
} rt_outcome;

/* Seals or opens the n bytes of a value by the rules of its chain and appends the result to dst, behind what head (or
 * NULL) says. The bytes lie outside dst and the walk's buffers. */
rt_outcome rt_walk_value(rt_walk *w, const rt_at *at, const uint8_t *in, size_t n, rt_head head, fl_buf *dst);

/* The same for the values of n edits by the program's `values`, and for what lies between them: from w->copied up to
 * the last that it worked, into w->out. *done: how many; fewer than n, or none, where one is no such value, is not like
 * the first, or has something about it that only rt_walk_value can say. false: the walk has failed. */
bool rt_walk_values(rt_walk *w, const rt_edit *e, unsigned n, unsigned *done);

/* Length of what sealing a value of n bytes will give, without a head. */
size_t rt_walk_sealed_len(const rt_walk *w, const rt_at *at, size_t n);

#endif
