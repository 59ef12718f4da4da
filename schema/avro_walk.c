/* avro_walk.c: the walk over an encoded Avro datum (Avro 1.11, "Binary encoding"). */
#include "schema/avro_walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- errors ---- */

/* Writes the way into out, its end kept if it is too long. */
static void trail_text(const trail *way, char *out, size_t room)
{
    fl_buf b;
    fl_buf_init(&b, (size_t)64 << 10);
    for (unsigned i = 0; i < way->n; i++) {
        const trail_step *s = &way->v[i];
        if (!s->field && s->index >= 0) {
            fl_buf_addf(&b, "[%" PRId64 "]", s->index);
            continue;
        }
        if (b.len)
            fl_buf_addc(&b, '.');
        fl_buf_adds(&b, s->field ? s->field->name : "*");
    }
    if (b.len < room)
        memcpy(out, b.p, b.len + 1);
    else
        snprintf(out, room, "…%s", b.p + b.len - (room - sizeof "…"));
    fl_buf_free(&b);
}

bool sch_value_fail(sch_value_error *err, const trail *way, uint64_t offset, const char *fmt, ...)
{
    if (!err)
        return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    err->offset = offset > UINT32_MAX ? UINT32_MAX : (uint32_t)offset;
    trail_text(way, err->path, sizeof err->path);
    return false;
}

void sch_value_error_text(const sch_value_error *err, char *out, size_t n)
{
    snprintf(out, n, "%s%s%s", err->path, *err->path ? ": " : "", err->message);
}

static bool fail(avro_walk *w, const char *why)
{
    return sch_value_fail(w->err, &w->way, w->at, "%s", why);
}

/* ---- numbers ---- */

static bool get_long(avro_walk *w, int64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (w->at == w->n)
            return fail(w, "the record ends inside a number");
        uint8_t b = w->p[w->at++];
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
            return true;
        }
    }
    return fail(w, "a number is longer than 64 bits");
}

/* The length of what follows, which must be there. */
static bool get_len(avro_walk *w, const char *what, size_t *out)
{
    int64_t len;
    if (!get_long(w, &len))
        return false;
    if (len < 0)
        return sch_value_fail(w->err, &w->way, w->at, "%s has a negative length", what);
    if ((uint64_t)len > w->n - w->at)
        return sch_value_fail(w->err, &w->way, w->at, "%s is longer than what is left of the record", what);
    *out = (size_t)len;
    return true;
}

/* ---- leaves ---- */

static bool spend(avro_walk *w)
{
    if (!w->free_left)
        return fail(w, "too many values that take no byte");
    w->free_left--;
    return true;
}

static bool get_fixed(avro_walk *w, spot *s, size_t len, const char *what)
{
    if (len > w->n - w->at)
        return sch_value_fail(w->err, &w->way, w->at, "the record ends inside a %s", what);
    s->at = w->at;
    s->len = len;
    w->at += len;
    return len || spend(w);
}

static bool get_ranged(avro_walk *w, spot *s, int64_t low, int64_t high, const char *why)
{
    if (!get_long(w, &s->number))
        return false;
    if (s->number < low || s->number > high)
        return fail(w, why);
    s->len = w->at - s->at;
    return true;
}

static bool get_boolean(avro_walk *w, spot *s)
{
    if (!get_fixed(w, s, 1, "boolean"))
        return false;
    s->number = w->p[s->at];
    return s->number < 2 || fail(w, "a boolean is neither 0 nor 1");
}

static bool get_counted(avro_walk *w, spot *s)
{
    if (!get_len(w, s->type->kind == SCH_STRING ? "a string" : "a bytes value", &s->len))
        return false;
    s->at = w->at;
    w->at += s->len;
    return true;
}

static bool get_leaf(avro_walk *w, spot *s)
{
    s->at = w->at;
    switch (s->type->kind) {
    case SCH_BOOLEAN:
        return get_boolean(w, s);
    case SCH_INT:
        return get_ranged(w, s, INT32_MIN, INT32_MAX, "an int is out of range");
    case SCH_LONG:
        return get_ranged(w, s, INT64_MIN, INT64_MAX, "");
    case SCH_FLOAT:
        return get_fixed(w, s, 4, "float");
    case SCH_DOUBLE:
        return get_fixed(w, s, 8, "double");
    case SCH_BYTES:
    case SCH_STRING:
        return get_counted(w, s);
    case SCH_ENUM:
        return get_ranged(w, s, 0, (int64_t)s->type->nsymbols - 1, "the number of an enum's symbol is out of range");
    case SCH_FIXED:
        return get_fixed(w, s, s->type->size, "fixed");
    default: /* null */
        return spend(w);
    }
}

/* ---- containers ---- */

static bool walk_value(avro_walk *w, const sch_type *t);

static bool walk_record(avro_walk *w, const sch_type *t, trail_step *step)
{
    for (size_t i = 0; i < t->nfields; i++) {
        step->field = &t->fields[i];
        if (w->ops->field && !w->ops->field(w, step->field, i))
            return false;
        if (!walk_value(w, step->field->type))
            return false;
    }
    return true;
}

/* The head of a block: how many items; 0 ends. A negative count is followed by the block's length. */
static bool get_block(avro_walk *w, int64_t *count, size_t *end)
{
    *end = 0;
    if (!get_long(w, count))
        return false;
    if (*count >= 0)
        return true;
    size_t len;
    if (*count == INT64_MIN)
        return fail(w, "the count of a block is out of range");
    *count = -*count;
    if (!get_len(w, "a block of an array or map", &len))
        return false;
    *end = w->at + len;
    return true;
}

static bool walk_item(avro_walk *w, const sch_type *t, trail_step *step, int64_t index)
{
    if (t->kind == SCH_ARRAY) {
        step->index = index;
        if (w->ops->item && !w->ops->item(w, (size_t)index))
            return false;
    } else {
        size_t len;
        step->index = -1;
        if (!get_len(w, "a key of a map", &len))
            return false;
        size_t key = w->at;
        w->at += len;
        if (w->ops->entry && !w->ops->entry(w, key, len, (size_t)index))
            return false;
    }
    return walk_value(w, t->item);
}

/* A block's head and length belong to the container itself, not to one of its items. */
static bool block_head(avro_walk *w, int64_t *count, size_t *end)
{
    w->way.n--;
    if (!get_block(w, count, end))
        return false;
    w->way.n++;
    return true;
}

static bool block_end(avro_walk *w, size_t end)
{
    if (!end || end == w->at)
        return true;
    w->way.n--;
    return fail(w, "the length of a block is not that of its items");
}

static bool walk_blocks(avro_walk *w, const sch_type *t, trail_step *step)
{
    int64_t count, index = 0;
    for (;;) {
        size_t end;
        if (!block_head(w, &count, &end))
            return false;
        if (!count)
            return true;
        for (int64_t i = 0; i < count; i++) {
            if (!walk_item(w, t, step, index++))
                return false;
        }
        if (!block_end(w, end))
            return false;
    }
}

static bool walk_container(avro_walk *w, const spot *s)
{
    if (w->way.n == SCH_VALUE_MAX_DEPTH)
        return fail(w, "records, arrays and maps are nested too deeply");
    if (s->type->kind == SCH_RECORD && !spend(w))
        return false;
    if (w->ops->open && !w->ops->open(w, s))
        return false;
    trail_step *step = &w->way.v[w->way.n++];
    *step = (trail_step){.index = -1};
    bool ok = s->type->kind == SCH_RECORD ? walk_record(w, s->type, step) : walk_blocks(w, s->type, step);
    if (!ok)
        return false;
    w->way.n--;
    return !w->ops->close || w->ops->close(w, s->type);
}

static bool open_union(avro_walk *w, spot *s)
{
    const sch_type *t = s->type;
    int64_t i;
    s->branch = w->at;
    if (!get_long(w, &i))
        return false;
    if (i < 0 || (uint64_t)i >= t->nbranches)
        return fail(w, "the number of a union's branch is out of range");
    s->branch_len = w->at - s->branch;
    s->type = t->branches[i];
    return true;
}

static bool walk_value(avro_walk *w, const sch_type *t)
{
    spot s = {.type = t};
    if (t->kind == SCH_UNION && !open_union(w, &s))
        return false;
    s.whole = w->at;
    if (s.type->kind == SCH_RECORD || s.type->kind == SCH_ARRAY || s.type->kind == SCH_MAP)
        return walk_container(w, &s);
    return get_leaf(w, &s) && (!w->ops->leaf || w->ops->leaf(w, &s));
}

bool sch_walk(avro_walk *w, const sch_type *t, const uint8_t *p, size_t n, bool allow_trailing)
{
    w->p = p;
    w->n = n;
    w->at = 0;
    w->way.n = 0;
    /* a null or record may well stand on each byte */
    w->free_left = n < SIZE_MAX / 32 ? SCH_FREE_VALUES + 16 * n : SIZE_MAX;
    if (!walk_value(w, t))
        return false;
    if (w->at < n && !allow_trailing)
        return sch_value_fail(w->err, &w->way, w->at, "%zu bytes are left behind the record", n - w->at);
    return true;
}

bool sch_avro_check(const sch_schema *s, const uint8_t *body, size_t len, sch_value_error *err)
{
    static const walk_ops nothing = {0};
    avro_walk w = {.ops = &nothing, .err = err};
    return sch_walk(&w, s->root, body, len, false);
}
