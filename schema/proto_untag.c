/* proto_untag.c: a descriptor without some tags of one field. */
#include <string.h>

#include "schema/proto_options.h"

typedef struct untag {
    fl_arena *a;
    const char *const *tags;
    size_t ntags;
    bool bad;
} untag;

typedef enum { FILE_, MESSAGE, FIELD, OPTIONS, META } shape;

static bool is_tag(const untag *u, const proto_item *item)
{
    for (size_t i = 0; i < u->ntags; i++)
        if (item->kind == PROTO_BYTES && item->n == strlen(u->tags[i]) && !memcmp(item->p, u->tags[i], item->n))
            return true;
    return false;
}

static const char *name_of(fl_arena *a, const proto_item *declaration)
{
    proto_wire w = proto_inside(declaration);
    proto_item item;
    while (proto_next(&w, &item) == 1)
        if (item.number == 1 && item.kind == PROTO_BYTES)
            return fl_strndup(a, (const char *)item.p, item.n);
    return "";
}

/* Is the item on the way to the field? *is: what it is; *rest: what of the name is left inside it. */
static bool on_the_way(untag *u, shape of, const char *left, const proto_item *item, shape *is, const char **rest)
{
    static const struct {
        shape of;
        uint32_t number;
        shape is;
    } ways[] = {{FILE_, 4, MESSAGE},
                {MESSAGE, 3, MESSAGE},
                {MESSAGE, 2, FIELD},
                {FIELD, 8, OPTIONS},
                {OPTIONS, PROTO_META_NUMBER, META}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (ways[i].of != of || ways[i].number != item->number || item->kind != PROTO_BYTES)
            continue;
        *is = ways[i].is;
        *rest = left;
        if (of != FILE_ && of != MESSAGE)
            return true;
        const char *name = name_of(u->a, item);
        size_t n = strlen(name);
        if (!n || strncmp(left, name, n) != 0 || left[n] != (*is == FIELD ? 0 : '.'))
            return false;
        *rest = left + n + (*is != FIELD);
        return true;
    }
    return false;
}

static void put(fl_buf *out, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        fl_buf_addc(out, (char)(v | 0x80));
    fl_buf_addc(out, (char)v);
}

/* Metadata and options that get empty are left out. */
static void rewrite(untag *u, shape of, proto_wire w, const char *left, unsigned depth, fl_buf *out)
{
    proto_item item;
    int more;
    u->bad |= depth > PROTO_MAX_NEST + 4;
    for (const uint8_t *from = w.p; !u->bad && (more = proto_next(&w, &item)) != 0; from = w.p) {
        shape is;
        const char *rest;
        fl_buf b;
        u->bad |= more < 0;
        if (u->bad || (of == META && item.number == 3 && is_tag(u, &item)))
            continue;
        if (!on_the_way(u, of, left, &item, &is, &rest)) {
            fl_buf_add(out, from, (size_t)(w.p - from));
            continue;
        }
        fl_buf_init(&b, PROTO_MAX_SET);
        rewrite(u, is, proto_inside(&item), rest, depth + 1, &b);
        if (b.len || is == MESSAGE || is == FIELD) {
            put(out, (uint64_t)item.number << 3 | PROTO_BYTES);
            put(out, b.len);
            fl_buf_add(out, b.p ? b.p : "", b.len);
        }
        fl_buf_free(&b);
    }
}

bool sch_proto_untag(fl_arena *a, const void *bytes, size_t n, const char *field, const char *const *tags, size_t ntags,
                     fl_buf *out)
{
    proto_wire file = {bytes, (const uint8_t *)bytes + n}, w = file;
    proto_item item;
    const char *left = field;
    untag u = {.a = a, .tags = tags, .ntags = ntags};
    while (proto_next(&w, &item) == 1)
        if (item.number == 2 && item.kind == PROTO_BYTES && item.n) {
            if (strncmp(field, (const char *)item.p, item.n) != 0 || field[item.n] != '.')
                return false;
            left = field + item.n + 1;
        }
    rewrite(&u, FILE_, file, left, 0, out);
    return !u.bad && !out->full;
}
