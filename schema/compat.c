/* compat.c: the registry's compatibility levels over the comparisons of the three formats. */
#include "schema/compat.h"

#include <string.h>

static const char *const levels[] = {
    [SCH_NONE] = "NONE",
    [SCH_BACKWARD] = "BACKWARD",
    [SCH_BACKWARD_TRANSITIVE] = "BACKWARD_TRANSITIVE",
    [SCH_FORWARD] = "FORWARD",
    [SCH_FORWARD_TRANSITIVE] = "FORWARD_TRANSITIVE",
    [SCH_FULL] = "FULL",
    [SCH_FULL_TRANSITIVE] = "FULL_TRANSITIVE",
};

const char *sch_level_name(sch_level l)
{
    return levels[l];
}

bool sch_level_find(const char *name, sch_level *level)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (!strcmp(levels[i], name)) {
            *level = (sch_level)i;
            return true;
        }
    return false;
}

static bool is_backward(sch_level l)
{
    return l == SCH_BACKWARD || l == SCH_BACKWARD_TRANSITIVE || l == SCH_FULL || l == SCH_FULL_TRANSITIVE;
}

static bool is_forward(sch_level l)
{
    return l == SCH_FORWARD || l == SCH_FORWARD_TRANSITIVE || l == SCH_FULL || l == SCH_FULL_TRANSITIVE;
}

static bool is_transitive(sch_level l)
{
    return l == SCH_BACKWARD_TRANSITIVE || l == SCH_FORWARD_TRANSITIVE || l == SCH_FULL_TRANSITIVE;
}

static void compare_formats(sch_compare *c)
{
    if (c->reader->format != c->writer->format) {
        sch_compare_report(c, "SCHEMA_TYPE_CHANGED", "/", (sch_place){0}, (sch_place){0},
                           "the schema type is %s here and %s there: a subject keeps its type",
                           sch_format_name(c->reader->format), sch_format_name(c->writer->format));
        return;
    }
    switch (c->reader->format) {
    case SCH_AVRO:
        sch_avro_compare(c);
        return;
    case SCH_JSON:
        sch_json_compare(c);
        return;
    case SCH_PROTOBUF:
        sch_proto_compare(c);
        return;
    }
}

bool sch_compatible(fl_arena *a, sch_level level, const sch_schema *newer, const sch_schema *const *history, size_t n,
                    sch_compatibility *out)
{
    *out = (sch_compatibility){0};
    size_t first = level == SCH_NONE ? n : is_transitive(level) || !n ? 0 : n - 1;
    sch_compare c = {.arena = a, .out = out, .work = SCH_COMPAT_WORK};
    for (size_t i = n; i-- > first;) {
        c.version = i;
        for (int forward = 0; forward < 2; forward++) {
            if (!(forward ? is_forward(level) : is_backward(level)))
                continue;
            c.forward = forward;
            c.reader = forward ? history[i] : newer;
            c.writer = forward ? newer : history[i];
            compare_formats(&c);
        }
    }
    return !out->list.n && !out->undecided;
}

/* ---- for the comparisons ---- */

bool sch_compare_spend(sch_compare *c, size_t n)
{
    if (c->out->undecided)
        return false;
    if (n > c->work) {
        sch_compare_undecided(c);
        return false;
    }
    c->work -= (uint32_t)n;
    return true;
}

void sch_compare_undecided(sch_compare *c)
{
    c->out->undecided = true;
}

void sch_compare_report(sch_compare *c, const char *type, const char *path, sch_place in_reader, sch_place in_writer,
                        const char *fmt, ...)
{
    if (c->out->undecided) /* what is "wrong" past a bound may only be unseen */
        return;
    if (c->out->list.n == SCH_MAX_INCOMPATIBLE) {
        c->out->truncated = true;
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    sch_incompatibility i = {
        .type = type,
        .path = fl_strdup(c->arena, path),
        .message = fl_vprintf(c->arena, fmt, ap),
        .version = c->version,
        .forward = c->forward,
        .newer = c->forward ? in_writer : in_reader,
        .older = c->forward ? in_reader : in_writer,
    };
    va_end(ap);
    FL_PUSH(c->arena, &c->out->list, i);
}

sch_place sch_place_of(const fl_json *node)
{
    sch_place p = {0};
    if (node)
        p = (sch_place){node->from, node->to};
    return p;
}

/* ---- pairs: open addressing, at most half full ---- */

static sch_pair *slot(sch_pair *v, size_t cap, const void *reader, const void *writer)
{
    uint64_t h = ((uintptr_t)reader >> 3) * 0x9e3779b97f4a7c15u ^ ((uintptr_t)writer >> 3) * 0xc2b2ae3d27d4eb4fu;
    for (size_t i = (h ^ h >> 29) & (cap - 1);; i = (i + 1) & (cap - 1))
        if (v[i].state == SCH_PAIR_NEW || (v[i].reader == reader && v[i].writer == writer))
            return &v[i];
}

static void grow(sch_pairs *p, fl_arena *a)
{
    size_t cap = p->cap ? p->cap * 2 : 64;
    sch_pair *v = FL_NEW_N(a, sch_pair, cap);
    for (size_t i = 0; i < p->cap; i++)
        if (p->v[i].state != SCH_PAIR_NEW)
            *slot(v, cap, p->v[i].reader, p->v[i].writer) = p->v[i];
    p->v = v;
    p->cap = cap;
}

sch_pair *sch_pair_at(sch_pairs *p, fl_arena *a, const void *reader, const void *writer)
{
    if (p->n * 2 >= p->cap)
        grow(p, a);
    sch_pair *e = slot(p->v, p->cap, reader, writer);
    if (e->state == SCH_PAIR_NEW) {
        *e = (sch_pair){.reader = reader, .writer = writer, .state = SCH_PAIR_NEW};
        p->n++;
    }
    return e;
}

/* ---- paths ---- */

static void add_trail(fl_buf *b, const sch_trail *t)
{
    if (t->up) {
        add_trail(b, t->up);
        fl_buf_addc(b, '/');
    }
    if (t->step)
        fl_buf_adds(b, t->step);
    else
        fl_buf_addf(b, "%zu", t->index);
}

const char *sch_trail_text(const sch_trail *t, fl_arena *a, const char *prefix)
{
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    fl_buf_adds(&b, prefix);
    if (t)
        add_trail(&b, t);
    const char *text = fl_strndup(a, b.p ? b.p : "", b.len);
    fl_buf_free(&b);
    return text;
}
