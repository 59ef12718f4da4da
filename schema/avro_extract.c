/* avro_extract.c: what stands at a path in an encoded Avro datum. */
#include "schema/avro_walk.h"

#include <string.h>

#include "schema/path.h"

#define NO_ENTRY SIZE_MAX

/* One container that is open. */
typedef struct frame {
    const sch_type *type;
    path_states at;
    const sch_field *field; /* innermost record field around it */
    size_t entry;           /* of out, to be completed when it closes; NO_ENTRY */
} frame;

typedef struct finder {
    fl_arena *a;
    parsed_path path;
    FL_VEC(sch_at) found;
    frame open[SCH_VALUE_MAX_DEPTH];
    unsigned depth;
    /* of the part that comes next */
    path_states at;
    const sch_field *field;
} finder;

static sch_at_kind kind_of(const sch_type *t)
{
    switch (t->kind) {
    case SCH_NULL:
        return SCH_AT_NULL;
    case SCH_STRING:
        return SCH_AT_STRING;
    case SCH_BYTES:
        return SCH_AT_BYTES;
    default:
        return SCH_AT_OTHER;
    }
}

static bool add(avro_walk *w, const spot *s)
{
    finder *f = w->ctx;
    if (f->found.n == SCH_MAX_HITS)
        return sch_value_fail(w->err, &w->way, w->at, "the path reaches more than %d places of the record",
                              SCH_MAX_HITS);
    sch_at at = {.kind = kind_of(s->type),
                 .offset = s->at,
                 .len = s->len,
                 .whole = s->whole,
                 .whole_len = w->at - s->whole,
                 .branch = s->branch,
                 .branch_len = s->branch_len,
                 .type = s->type,
                 .field = f->field};
    if (at.kind == SCH_AT_OTHER) {
        at.offset = at.whole;
        at.len = at.whole_len;
    }
    FL_PUSH(f->a, &f->found, at);
    return true;
}

static bool on_leaf(avro_walk *w, const spot *s)
{
    finder *f = w->ctx;
    return !sch_path_ends(&f->path, f->at) || add(w, s);
}

static bool on_open(avro_walk *w, const spot *s)
{
    finder *f = w->ctx;
    frame *fr = &f->open[f->depth++];
    *fr = (frame){s->type, f->at, f->field, NO_ENTRY};
    if (!sch_path_ends(&f->path, f->at) || f->path.leaves_only)
        return true;
    fr->entry = f->found.n;
    return add(w, s);
}

static bool on_close(avro_walk *w, const sch_type *t)
{
    finder *f = w->ctx;
    const frame *fr = &f->open[--f->depth];
    if (fr->entry != NO_ENTRY) {
        sch_at *at = &f->found.v[fr->entry];
        at->len = at->whole_len = w->at - at->whole;
    }
    return true;
}

static bool on_field(avro_walk *w, const sch_field *field, size_t index)
{
    finder *f = w->ctx;
    f->at = sch_path_field(&f->path, f->open[f->depth - 1].at, field->name);
    f->field = field;
    return true;
}

static bool on_item(avro_walk *w, size_t index)
{
    finder *f = w->ctx;
    const frame *fr = &f->open[f->depth - 1];
    f->at = sch_path_items(&f->path, fr->at);
    f->field = fr->field;
    return true;
}

static bool on_entry(avro_walk *w, size_t key, size_t len, size_t index)
{
    finder *f = w->ctx;
    const frame *fr = &f->open[f->depth - 1];
    f->at = sch_path_values(&f->path, fr->at);
    f->field = fr->field;
    return true;
}

bool sch_avro_extract(const sch_schema *s, const uint8_t *body, size_t len, const char *path, fl_arena *a, sch_ats *out,
                      sch_value_error *err)
{
    static const walk_ops ops = {on_leaf, on_open, on_close, on_field, on_item, on_entry};
    finder f = {.a = a};
    avro_walk w = {.ops = &ops, .ctx = &f, .err = err};
    char message[160];
    *out = (sch_ats){0};
    if (!sch_path_parse(a, path, &f.path, message))
        return sch_value_fail(err, &w.way, 0, "not a path: %s", message);
    f.at = sch_path_start(&f.path);
    if (!sch_walk(&w, s->root, body, len, false))
        return false;
    *out = (sch_ats){f.found.v, f.found.n};
    return true;
}
