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
    uint32_t due;    /* behind fields of this number that one is looked after; NONE: at the end */
    uint32_t seen;   /* first word of its bits */
} frame;

typedef struct state {
    fl_buf done; /* worked values, each behind its tag and length */
    work *v;
    size_t nv, capv;
    int64_t growth; /* of the record */
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

/* Each step takes the place where it begins and returns the one where it ends, so that the place stays in a register;
 * NULL: the walk has failed, and w has the error. */
typedef const uint8_t *place_t;

static __attribute__((cold, noinline)) place_t bad(rt_walk *w, place_t at, uint32_t pc, const char *why)
{
    w->p = at;
    rt_walk_malformed(w, pc, why);
    return NULL;
}

/* ---- numbers ---- */

static __attribute__((noinline)) place_t long_varint(rt_walk *w, place_t p, const uint8_t *end, uint32_t pc,
                                                     uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 10; i++) {
        if (p == end)
            return bad(w, p, pc, "the record ends inside a number");
        uint8_t b = *p++;
        if (i == 9 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) {
            *out = v;
            return p;
        }
    }
    return bad(w, p, pc, "a number has more than 64 bits");
}

/* Most have one byte, some two. */
static inline place_t varint(rt_walk *w, place_t p, const uint8_t *end, uint32_t pc, uint64_t *out)
{
    uint64_t v;
    if (p != end && *p < 0x80) {
        *out = *p;
        return p + 1;
    }
    if (end - p >= 2 && p[1] < 0x80) {
        *out = (p[0] & 0x7fu) | (uint32_t)p[1] << 7;
        return p + 2;
    }
    p = long_varint(w, p, end, pc, &v);
    *out = p ? v : 0;
    return p;
}

/* Over a number, by its eight bytes at once; NULL: there are fewer, or it is longer. */
static inline place_t skip_long(place_t p, const uint8_t *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t v;
    if (end - p < 8)
        return NULL;
    memcpy(&v, p, sizeof v);
    v = ~v & 0x8080808080808080; /* a bit where a byte is the last one */
    return v ? p + __builtin_ctzll(v) / 8 + 1 : NULL;
#else
    return NULL;
#endif
}

static inline place_t skip(rt_walk *w, place_t p, const uint8_t *end, uint32_t pc, uint64_t n)
{
    return n <= (uint64_t)(end - p) ? p + n : bad(w, p, pc, "the message ends before this value does");
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
    size_t before = s->done.len, ntag = op->ntag;
    if (!rt_walk_room(w, &s->done, sizeof op->tag, op->pc))
        return false;
    memcpy(s->done.p + before, op->tag, sizeof op->tag);
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
static bool absent(rt_walk *w, place_t at, const pb_op *op)
{
    const rt_chain *chain = &w->prog->chains[op->chain];
    w->p = at;
    if (op->code == PB_FAIL)
        return rt_walk_fail(w, op->pc, chain, RT_REFUSED, "the field's type cannot be encrypted");
    if (!w->prog->opening)
        return value(w, op, (work){.from = at, .to = at}, (const uint8_t *)"", 0);
    return rt_walk_fail(w, op->pc, chain, RT_TAMPERED, "the field is empty, so it holds no ciphertext");
}

/* Number of the implicit field that is looked after next, before one of a higher number. Writers need not keep to the
 * order (Go's come in any), so reading waits for the end. */
static inline uint32_t due(const rt_walk *w, const frame *f)
{
    const pb_message *m = f->message;
    return m && f->next < m->nimplicit && !w->prog->opening ? m->ops[m->implicit[f->next]].number : NONE;
}

/* All implicit ones below the number that were not met, at this place: writers that keep to the order of numbers then
 * get what clients write. */
static __attribute__((noinline)) bool absent_below(rt_walk *w, place_t at, frame *f, uint32_t number)
{
    state *s = w->own;
    while (f->next < f->message->nimplicit) {
        const pb_op *op = &f->message->ops[f->message->implicit[f->next]];
        if (op->number >= number)
            break;
        f->next++;
        if (!seen(s, f, op->bit) && !absent(w, at, op))
            return false;
    }
    f->due = due(w, f);
    return true;
}

/* ---- messages ---- */

/* Opens a message whose bytes begin at p. */
static place_t push(rt_walk *w, place_t p, uint32_t pc, frame f)
{
    state *s = w->own;
    if (s->depth == RT_MAX_NESTING)
        return bad(w, p, pc, "messages nest deeper than is allowed");
    uint32_t words = f.message ? f.message->words : 0;
    if (s->nseen + words > s->capseen) {
        s->capseen = 2 * (s->nseen + words) + 64;
        s->seen = fl_xrealloc(s->seen, s->capseen * sizeof *s->seen);
    }
    f.seen = (uint32_t)s->nseen;
    for (uint32_t i = 0; i < words; i++)
        s->seen[s->nseen++] = 0;
    f.due = due(w, &f);
    s->frames[s->depth++] = f;
    return p;
}

/* An entry of a map without its value holds an empty message to readers, whose fields without presence they take for
 * ciphertexts. No client writes one so. */
static bool whole_entry(const rt_walk *w, const frame *f)
{
    const pb_op *value = f->message ? f->message->value : NULL;
    const pb_table *t = ((const pb_program *)w->prog)->table;
    return !value || w->prog->opening || !t->v[value->message].nimplicit || seen(w->own, f, value->bit);
}

static place_t pop(rt_walk *w, place_t p)
{
    state *s = w->own;
    frame *f = top(s);
    if (f->message && f->next < f->message->nimplicit && !absent_below(w, p, f, NONE))
        return NULL;
    if (!whole_entry(w, f))
        return bad(w, p, f->message->value->pc, "an entry of a map has no value");
    s->nseen = f->seen;
    s->depth--;
    if (s->depth && !f->group && f->change + 1 == s->nv) /* nothing in it changed */
        s->nv--;
    return p;
}

static place_t enter(rt_walk *w, place_t p, const pb_op *op)
{
    state *s = w->own;
    const pb_program *prog = (const pb_program *)w->prog;
    frame *f = top(s);
    place_t from = p;
    uint64_t n;
    if (op->code == PB_GROUP)
        return push(w, p, op->pc, (frame){&prog->table->v[op->message], f->end, f->change, op->number, 0, 0, 0});
    p = varint(w, p, f->end, op->pc, &n);
    if (!p)
        return NULL;
    if (n > (uint64_t)(f->end - p))
        return bad(w, p, op->pc, "the message ends before this value does");
    w->p = p;
    if (!note(w, op->pc, (work){.from = from, .to = p, .length = true, .len = (size_t)n}))
        return NULL;
    return push(w, p, op->pc, (frame){&prog->table->v[op->message], p + n, (uint32_t)(s->nv - 1), 0, 0, 0, 0});
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

static place_t skip_wire(rt_walk *w, place_t p, const uint8_t *end, uint32_t pc, unsigned wire)
{
    uint64_t n;
    switch (wire) {
    case PB_VARINT:
        return varint(w, p, end, pc, &n);
    case PB_FIXED64:
        return skip(w, p, end, pc, 8);
    case PB_FIXED32:
        return skip(w, p, end, pc, 4);
    default:
        p = varint(w, p, end, pc, &n);
        return p ? skip(w, p, end, pc, n) : NULL;
    }
}

/* What the schema does not describe carries no tag, so it is not written; a reader leaves it as it is. */
static __attribute__((noinline)) place_t unknown(rt_walk *w, place_t p, uint32_t number, unsigned wire)
{
    const frame *f = top(w->own);
    if (!w->prog->opening)
        return bad(w, p, 0,
                   "a field has a number that its message does not have in the schema, so nobody knows its tags");
    if (wire == PB_START)
        return push(w, p, 0, (frame){NULL, f->end, f->change, number, 0, 0, 0});
    return skip_wire(w, p, f->end, 0, wire);
}

static place_t sealed(rt_walk *w, place_t p, const frame *f, const pb_op *op, place_t from)
{
    uint64_t n;
    place_t in = varint(w, p, f->end, op->pc, &n), to = in ? skip(w, in, f->end, op->pc, n) : NULL;
    if (!to)
        return NULL;
    w->p = to;
    return value(w, op, (work){.from = from, .to = to}, in, (size_t)n) ? to : NULL;
}

static place_t failing(rt_walk *w, place_t p, const frame *f, const pb_op *op, unsigned wire)
{
    w->p = p;
    return rt_walk_fail(w, op->pc, &w->prog->chains[op->chain], RT_REFUSED, "the field's type cannot be encrypted")
               ? skip_wire(w, p, f->end, op->pc, wire)
               : NULL;
}

static inline bool once(rt_walk *w, place_t p, frame *f, const pb_op *op)
{
    state *s = w->own;
    if (op->number == f->due) {
        f->next++;
        f->due = due(w, f);
    }
    uint64_t *word = &s->seen[f->seen + op->bit / 64], bit = 1ull << (op->bit % 64);
    s->again = *word & bit;
    *word |= bit;
    return !s->again || op->implicit ||
           bad(w, p, op->pc, "the message occurs twice: readers merge the two, which sealed values do not bear");
}

static inline place_t known(rt_walk *w, place_t p, frame *f, const pb_op *op, unsigned wire, place_t from)
{
    if (wire != op->wire && !(op->packed && wire == PB_BYTES))
        return bad(w, p, op->pc, "its wire type is not that of the field's type");
    if (op->bit != PB_NO_BIT && !once(w, p, f, op))
        return NULL;
    switch (op->code) {
    case PB_SEAL:
        return sealed(w, p, f, op, from);
    case PB_FAIL:
        return failing(w, p, f, op, wire);
    case PB_MESSAGE:
    case PB_GROUP:
        return enter(w, p, op);
    default:
        return skip_wire(w, p, f->end, op->pc, wire);
    }
}

static place_t end_group(rt_walk *w, place_t p, uint32_t number)
{
    return top(w->own)->group == number ? pop(w, p) : bad(w, p, 0, "a group ends that did not begin");
}

static inline place_t field(rt_walk *w, place_t from, frame *f)
{
    uint64_t tag;
    place_t p = varint(w, from, f->end, 0, &tag);
    if (!p)
        return NULL;
    unsigned wire = tag & 7;
    if (tag >> 3 == 0 || tag > UINT32_MAX || wire > PB_FIXED32)
        return bad(w, p, 0, "there is no field of that number or wire type");
    uint32_t number = (uint32_t)(tag >> 3);
    if (wire == PB_END)
        return end_group(w, p, number);
    if (f->due < number && !absent_below(w, from, f, number)) /* what is missing before this field goes there */
        return NULL;
    const pb_op *op = f->message ? find(f->message, number) : NULL;
    return op ? known(w, p, f, op, wire, from) : unknown(w, p, number, wire);
}

/* Over a value; NULL: it is long, or damaged, and skip_wire says what is wrong with it. */
static inline place_t skip_short(place_t p, const uint8_t *end, unsigned wire)
{
    ptrdiff_t left = end - p, n;
    if (wire == PB_FIXED64 || wire == PB_FIXED32) {
        n = wire == PB_FIXED64 ? 8 : 4;
        return left >= n ? p + n : NULL;
    }
    if (!left || *p >= 0x80)
        return wire == PB_VARINT ? skip_long(p, end) : NULL;
    n = wire == PB_VARINT ? 1 : 1 + *p;
    return left >= n ? p + n : NULL;
}

/* Over fields to which nothing is done, as long as each has a tag of one byte. */
static inline place_t skip_idle(place_t p, const frame *f)
{
    const uint8_t *quick = f->message ? f->message->quick : NULL;
    while (quick && p != f->end && *p < PB_QUICK && quick[*p] && *p >> 3 <= f->due) {
        place_t to = skip_short(p + 1, f->end, quick[*p] - 1);
        if (!to)
            break;
        p = to;
    }
    return p;
}

static bool walk(rt_walk *w, place_t p)
{
    state *s = w->own;
    while (s->depth) {
        frame *f = top(s);
        p = skip_idle(p, f);
        if (p != f->end)
            p = field(w, p, f);
        else if (f->group)
            p = bad(w, p, 0, "the message ends inside a group");
        else
            p = pop(w, p);
        if (!p)
            return false;
    }
    return true;
}

/* ---- putting together ---- */

static void sum_up(state *s)
{
    s->growth = 0;
    for (size_t i = s->nv; i-- > 0;) {
        work *c = &s->v[i];
        int64_t grows = (int64_t)c->len - (c->to - c->from);
        if (c->length) { /* all that is inside comes after it, and is added already */
            size_t was = c->len;
            c->len = (size_t)((int64_t)was + c->growth);
            grows = c->growth + (int64_t)varint_len(c->len) - (c->to - c->from);
        }
        *(c->around == NONE ? &s->growth : &s->v[c->around].growth) += grows;
    }
}

static uint8_t *put(uint8_t *out, const void *p, size_t n)
{
    if (n)
        memcpy(out, p, n);
    return out + n;
}

/* All up to the end of the last change: the rest is copied as what does not change is. */
static bool assemble(rt_walk *w)
{
    state *s = w->own;
    sum_up(s);
    if (!s->nv)
        return true;
    if (!rt_walk_room(w, w->out, (size_t)(w->end - w->in + s->growth), 0))
        return false;
    uint8_t *out = (uint8_t *)w->out->p + w->out->len;
    for (size_t i = 0; i < s->nv; i++) {
        const work *c = &s->v[i];
        out = put(out, w->copied, (size_t)(c->from - w->copied));
        out = c->length ? out + put_varint(out, c->len) : put(out, s->done.p + c->at, c->len);
        w->copied = c->to;
    }
    w->out->len = (size_t)((char *)out - w->out->p);
    return true;
}

static bool run(rt_walk *w)
{
    state *s = w->own;
    const pb_program *prog = (const pb_program *)w->prog;
    if (!s->done.max)
        fl_buf_init(&s->done, RT_MAX_RECORD);
    fl_buf_clear(&s->done);
    s->nv = s->nseen = s->depth = 0;
    if (prog->root == PB_NO_ROOT) /* the engine refuses such a record before it comes here */
        return rt_walk_malformed(w, 0, "the record holds another message than the one this side carries");
    return push(w, w->p, 0, (frame){&prog->table->v[prog->root], w->end, NONE, 0, 0, 0, 0}) && walk(w, w->p) &&
           assemble(w);
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
