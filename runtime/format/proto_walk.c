/* proto_walk.c: runs a Protobuf program over an encoded message in one pass.
 *
 * A value that is sealed or opened changes its own length and that of each message around it, and opened lengths are
 * known only once a value is open. So values are worked into a buffer of the walk's own as they are met; when the walk
 * is through, the lengths of the messages around them are summed up from the inside, and the record is put together. */
#include <stdlib.h>

#include "runtime/format/proto.h"
#include "runtime/format/walk.h"
#include "runtime/frame.h"

#define NONE      UINT32_MAX
#define MAX_WORKS (1u << 21) /* changes of one record: values and the messages around them */

/* What stands in place of from..to: bytes of `work` (around == NONE or not), or the new length of a message. */
typedef struct work {
    const uint8_t *from, *to;
    uint32_t around; /* the change that is the length of the message around it, NONE: the value itself */
    bool length;
    size_t at, len; /* in `work`; length: len bytes, as the message had before */
    int64_t growth; /* length: of what is inside */
} work;

typedef struct frame {         /* an open message */
    const pb_message *message; /* NULL: a group that the schema does not know */
    const uint8_t *end;
    uint32_t change; /* the change that is its length; a group: that of the message around it */
    uint32_t group;  /* number of the group, 0: it ends with its bytes */
    uint32_t next;   /* of the implicit ones that are not looked after yet */
    uint32_t seen;   /* first word of its bits */
} frame;

typedef struct state {
    fl_buf done; /* worked values, each behind its tag and length */
    work *v;
    size_t nv, capv;
    uint64_t *seen;
    size_t nseen, capseen;
    bool again; /* the field at hand occurred in its message before */
    unsigned depth;
    frame frames[RT_MAX_NESTING];
} state;

static void drop(void *own)
{
    state *s = own;
    fl_buf_wipe(&s->done);
    free(s->v);
    free(s->seen);
}

static inline frame *top(state *s)
{
    return &s->frames[s->depth - 1];
}

/* ---- numbers ---- */

static __attribute__((noinline)) bool long_varint(rt_walk *w, uint32_t pc, uint64_t *out)
{
    const uint8_t *end = top(w->own)->end;
    uint64_t v = 0;
    for (unsigned i = 0; i < 10; i++) {
        if (w->p == end)
            return rt_walk_malformed(w, pc, "the record ends inside a number");
        uint8_t b = *w->p++;
        if (i == 9 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) {
            *out = v;
            return true;
        }
    }
    return rt_walk_malformed(w, pc, "a number has more than 64 bits");
}

static inline bool varint(rt_walk *w, uint32_t pc, uint64_t *out)
{
    if (w->p < top(w->own)->end && !(*w->p & 0x80)) {
        *out = *w->p++;
        return true;
    }
    return long_varint(w, pc, out);
}

static inline bool skip(rt_walk *w, uint32_t pc, uint64_t n)
{
    if (n > (uint64_t)(top(w->own)->end - w->p))
        return rt_walk_malformed(w, pc, "the message ends before this value does");
    w->p += n;
    return true;
}

static inline size_t varint_len(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

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
    return put_varint(out, n);
}

/* ---- changes ---- */

static bool note(rt_walk *w, uint32_t pc, work change)
{
    state *s = w->own;
    if (s->nv == MAX_WORKS)
        return rt_walk_malformed(w, pc, "the record has more values to seal or open than are allowed");
    if (s->nv == s->capv) {
        s->capv = s->capv ? 2 * s->capv : 64;
        s->v = fl_xrealloc(s->v, s->capv * sizeof *s->v);
    }
    change.around = top(s)->change;
    s->v[s->nv++] = change;
    return true;
}

/* Works a value, behind the tag that stands at tag..tag_end, and notes what replaces from..to. What opens to nothing
 * and has no presence is left out, as it was before it was sealed, unless it takes the place of an earlier one. */
static bool value(rt_walk *w, const pb_op *op, work change, const uint8_t *in, size_t n)
{
    state *s = w->own;
    rt_at at = {.pc = op->pc, .text = op->text, .chain = &w->prog->chains[op->chain]};
    uint8_t tag[RT_MAX_HEAD];
    size_t before = s->done.len, ntag = put_varint(tag, (uint64_t)op->number << 3 | PB_BYTES);
    if (!rt_walk_room(w, &s->done, ntag, op->pc))
        return false;
    memcpy(s->done.p + before, tag, ntag);
    s->done.len += ntag;
    rt_outcome outcome = rt_walk_value(w, &at, in, n, put_length, &s->done);
    if (outcome == RT_WORKED && op->implicit && !s->again && w->prog->opening && s->done.len == before + ntag + 1)
        s->done.len = before;
    if (outcome != RT_WORKED) {
        s->done.len = before;
        return outcome == RT_LEFT;
    }
    change.at = before;
    change.len = s->done.len - before;
    return note(w, op->pc, change);
}

/* ---- what is not there ---- */

static inline bool seen(const state *s, const frame *f, uint16_t bit)
{
    return s->seen[f->seen + bit / 64] >> (bit % 64) & 1;
}

/* A field without presence is empty where it is absent. Clients seal that as well, and read it as a ciphertext
 * (docs/wire.md 6), so both directions do. */
static bool absent(rt_walk *w, const pb_op *op)
{
    const rt_chain *chain = &w->prog->chains[op->chain];
    if (op->code == PB_FAIL)
        return rt_walk_fail(w, op->pc, chain, RT_REFUSED, "the field's type cannot be encrypted");
    if (!w->prog->opening)
        return value(w, op, (work){.from = w->p, .to = w->p}, (const uint8_t *)"", 0);
    return rt_walk_fail(w, op->pc, chain, RT_TAMPERED, "the field is empty, so it holds no ciphertext");
}

/* All implicit ones below the number that were not met: writers that keep to the order of numbers then get what clients
 * write. */
static inline bool absent_below(rt_walk *w, uint32_t number)
{
    state *s = w->own;
    frame *f = top(s);
    if (w->prog->opening && number != NONE) /* writers need not keep to it: Go's come in any order */
        return true;
    while (f->message && f->next < f->message->nimplicit) {
        const pb_op *op = &f->message->ops[f->message->implicit[f->next]];
        if (op->number >= number)
            break;
        f->next++;
        if (!seen(s, f, op->bit) && !absent(w, op))
            return false;
    }
    return true;
}

/* ---- messages ---- */

static bool push(rt_walk *w, uint32_t pc, frame f)
{
    state *s = w->own;
    if (s->depth == RT_MAX_NESTING)
        return rt_walk_malformed(w, pc, "messages nest deeper than is allowed");
    uint32_t words = f.message ? f.message->words : 0;
    if (s->nseen + words > s->capseen) {
        s->capseen = 2 * (s->nseen + words) + 64;
        s->seen = fl_xrealloc(s->seen, s->capseen * sizeof *s->seen);
    }
    if (words)
        memset(s->seen + s->nseen, 0, words * sizeof *s->seen);
    f.seen = (uint32_t)s->nseen;
    s->nseen += words;
    s->frames[s->depth++] = f;
    return true;
}

/* An entry of a map without its value holds an empty message to readers, whose fields without presence they take for
 * ciphertexts. No client writes one so. */
static bool whole_entry(rt_walk *w, const frame *f)
{
    const pb_op *value = f->message ? f->message->value : NULL;
    const pb_table *t = ((const pb_program *)w->prog)->table;
    if (!value || w->prog->opening || !t->v[value->message].nimplicit || seen(w->own, f, value->bit))
        return true;
    return rt_walk_malformed(w, value->pc, "an entry of a map has no value");
}

static bool pop(rt_walk *w)
{
    state *s = w->own;
    if (!absent_below(w, NONE))
        return false;
    frame *f = top(s);
    if (!whole_entry(w, f))
        return false;
    s->nseen = f->seen;
    s->depth--;
    if (s->depth && !f->group && f->change + 1 == s->nv) /* nothing in it changed */
        s->nv--;
    return true;
}

static bool enter(rt_walk *w, const pb_op *op)
{
    state *s = w->own;
    const pb_program *p = (const pb_program *)w->prog;
    frame *f = top(s);
    const uint8_t *from = w->p;
    uint64_t n;
    if (op->code == PB_GROUP)
        return push(w, op->pc, (frame){&p->table->v[op->message], f->end, f->change, op->number, 0, 0});
    if (!varint(w, op->pc, &n))
        return false;
    if (n > (uint64_t)(f->end - w->p))
        return rt_walk_malformed(w, op->pc, "the message ends before this value does");
    if (!note(w, op->pc, (work){.from = from, .to = w->p, .length = true, .len = (size_t)n}))
        return false;
    return push(w, op->pc, (frame){&p->table->v[op->message], w->p + n, (uint32_t)(s->nv - 1), 0, 0, 0});
}

/* ---- fields ---- */

static inline const pb_op *find(const pb_message *m, uint32_t number)
{
    if (number < m->ndense)
        return m->dense[number] ? &m->ops[m->dense[number] - 1] : NULL;
    uint32_t lo = 0, hi = m->nops;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (m->ops[mid].number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < m->nops && m->ops[lo].number == number ? &m->ops[lo] : NULL;
}

static bool skip_wire(rt_walk *w, uint32_t pc, unsigned wire)
{
    uint64_t n;
    switch (wire) {
    case PB_VARINT:
        return varint(w, pc, &n);
    case PB_FIXED64:
        return skip(w, pc, 8);
    case PB_FIXED32:
        return skip(w, pc, 4);
    default:
        return varint(w, pc, &n) && skip(w, pc, n);
    }
}

/* What the schema does not describe carries no tag, so it is not written; a reader leaves it as it is. */
static bool unknown(rt_walk *w, uint32_t number, unsigned wire)
{
    frame *f = top(w->own);
    if (!w->prog->opening)
        return rt_walk_malformed(
            w, 0, "a field has a number that its message does not have in the schema, so nobody knows its tags");
    if (wire == PB_START)
        return push(w, 0, (frame){NULL, f->end, f->change, number, 0, 0});
    return skip_wire(w, 0, wire);
}

static bool sealed(rt_walk *w, const pb_op *op, const uint8_t *from)
{
    uint64_t n;
    if (!varint(w, op->pc, &n))
        return false;
    const uint8_t *in = w->p;
    return skip(w, op->pc, n) && value(w, op, (work){.from = from, .to = w->p}, in, (size_t)n);
}

static bool once(rt_walk *w, const pb_op *op)
{
    state *s = w->own;
    const frame *f = top(s);
    uint64_t *word = &s->seen[f->seen + op->bit / 64], bit = 1ull << (op->bit % 64);
    s->again = *word & bit;
    if (s->again && !op->implicit)
        return rt_walk_malformed(w, op->pc,
                                 "the message occurs twice: readers merge the two, which sealed values do not bear");
    *word |= bit;
    return true;
}

static bool known(rt_walk *w, const pb_op *op, unsigned wire, const uint8_t *from)
{
    if (wire != op->wire && !(op->packed && wire == PB_BYTES))
        return rt_walk_malformed(w, op->pc, "its wire type is not that of the field's type");
    if (op->bit != PB_NO_BIT && !once(w, op))
        return false;
    switch (op->code) {
    case PB_SEAL:
        return sealed(w, op, from);
    case PB_FAIL:
        return rt_walk_fail(w, op->pc, &w->prog->chains[op->chain], RT_REFUSED,
                            "the field's type cannot be encrypted") &&
               skip_wire(w, op->pc, wire);
    case PB_MESSAGE:
    case PB_GROUP:
        return enter(w, op);
    default:
        return skip_wire(w, op->pc, wire);
    }
}

static bool end_group(rt_walk *w, uint32_t number)
{
    if (top(w->own)->group != number)
        return rt_walk_malformed(w, 0, "a group ends that did not begin");
    return pop(w);
}

static bool field(rt_walk *w)
{
    const uint8_t *from = w->p;
    uint64_t tag;
    if (!varint(w, 0, &tag))
        return false;
    unsigned wire = tag & 7;
    if (tag >> 3 == 0 || tag > UINT32_MAX || wire > PB_FIXED32)
        return rt_walk_malformed(w, 0, "there is no field of that number or wire type");
    uint32_t number = (uint32_t)(tag >> 3);
    if (wire == PB_END)
        return end_group(w, number);
    const frame *f = top(w->own);
    const pb_op *op = f->message ? find(f->message, number) : NULL;
    const uint8_t *p = w->p;
    w->p = from; /* where what is missing before this field goes */
    if (!absent_below(w, number))
        return false;
    w->p = p;
    return op ? known(w, op, wire, from) : unknown(w, number, wire);
}

static bool walk(rt_walk *w)
{
    state *s = w->own;
    while (s->depth) {
        const frame *f = top(s);
        if (w->p < f->end) {
            if (!field(w))
                return false;
        } else if (f->group) {
            return rt_walk_malformed(w, 0, "the message ends inside a group");
        } else if (!pop(w)) {
            return false;
        }
    }
    return true;
}

/* ---- putting together ---- */

static void sum_up(state *s)
{
    for (size_t i = s->nv; i-- > 0;) {
        work *c = &s->v[i];
        int64_t grows = (int64_t)c->len - (c->to - c->from);
        if (c->length) { /* all that is inside comes after it, and is added already */
            size_t was = c->len;
            c->len = (size_t)((int64_t)was + c->growth);
            grows = c->growth + (int64_t)varint_len(c->len) - (c->to - c->from);
        }
        if (c->around != NONE)
            s->v[c->around].growth += grows;
    }
}

static bool put(rt_walk *w, const void *p, size_t n)
{
    return n == 0 || rt_walk_put(w, p, n, 0);
}

static bool assemble(rt_walk *w)
{
    state *s = w->own;
    sum_up(s);
    for (size_t i = 0; i < s->nv; i++) {
        const work *c = &s->v[i];
        uint8_t length[RT_MAX_HEAD];
        if (!put(w, w->copied, (size_t)(c->from - w->copied)))
            return false;
        size_t n = put_varint(length, c->len);
        if (!(c->length ? put(w, length, n) : put(w, s->done.p + c->at, c->len)))
            return false;
        w->copied = c->to;
    }
    return true;
}

static bool run(rt_walk *w)
{
    state *s = w->own;
    const pb_program *p = (const pb_program *)w->prog;
    if (!s->done.max)
        fl_buf_init(&s->done, RT_MAX_RECORD);
    fl_buf_clear(&s->done);
    s->nv = s->nseen = s->depth = 0;
    if (p->root == PB_NO_ROOT) /* the engine refuses such a record before it comes here */
        return rt_walk_malformed(w, 0, "the record holds another message than the one this side carries");
    return push(w, 0, (frame){&p->table->v[p->root], w->end, NONE, 0, 0, 0}) && walk(w) && assemble(w);
}

/* ---- message indexes ---- */

rt_code rt_proto_enter(const rt_program *prog, const uint8_t *in, size_t n, size_t *used, const rt_program **out,
                       rt_error *err)
{
    const pb_program *p = (const pb_program *)prog;
    const char *subject = prog->rules->subject;
    size_t len = rt_frame_indexes(in, n);
    if (!len)
        return rt_fail(err, RT_BAD_INPUT, "subject %s: the record does not say which message of its schema it holds",
                       subject);
    *used = len;
    if (p->base.nlead == len && memcmp(p->base.lead, in, len) == 0) {
        *out = prog;
        return RT_OK;
    }
    for (uint32_t i = 0; i < p->table->nroots; i++) {
        const pb_program *r = p->table->roots[i];
        if (r && r->base.nlead == len && memcmp(r->base.lead, in, len) == 0) {
            *out = &r->base;
            return RT_OK;
        }
    }
    return rt_fail(err, RT_BAD_INPUT, "subject %s: the record's message indexes name no message of its schema",
                   subject);
}

const rt_encoding rt_proto = {.format = SCH_PROTOBUF,
                              .state = sizeof(state),
                              .compile = rt_proto_compile,
                              .print = rt_proto_print,
                              .run = run,
                              .drop = drop,
                              .enter = rt_proto_enter};
