/* proto_wire.c: the fields of an encoded Protobuf message, one after the other. */
#include "schema/proto.h"

#include <string.h>

/* Groups inside groups. Descriptors have none; options may, as unknown fields. */
#define MAX_GROUPS 64

bool proto_varint(proto_wire *w, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70 && w->p < w->end; shift += 7) {
        uint8_t b = *w->p++;
        if (shift == 63 && b > 1)
            return false;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *out = v;
            return true;
        }
    }
    return false;
}

static bool fixed(proto_wire *w, size_t n, uint64_t *out)
{
    if ((size_t)(w->end - w->p) < n)
        return false;
    *out = 0;
    for (size_t i = n; i-- > 0;)
        *out = *out << 8 | w->p[i];
    w->p += n;
    return true;
}

static bool bytes(proto_wire *w, proto_item *out)
{
    uint64_t n;
    if (!proto_varint(w, &n) || n > (size_t)(w->end - w->p))
        return false;
    out->p = w->p;
    out->n = (size_t)n;
    w->p += n;
    return true;
}

enum { START = 3, STOP = 4 };

static bool tag(proto_wire *w, uint32_t *number, unsigned *kind)
{
    uint64_t t;
    if (!proto_varint(w, &t) || t >> 3 == 0 || t >> 3 > 0x1fffffff)
        return false;
    *number = (uint32_t)(t >> 3);
    *kind = t & 7;
    return true;
}

/* One value that is no group. */
static bool value(proto_wire *w, unsigned kind, proto_item *out)
{
    switch (kind) {
    case PROTO_VARINT:
        return proto_varint(w, &out->value);
    case PROTO_FIXED64:
        return fixed(w, 8, &out->value);
    case PROTO_FIXED32:
        return fixed(w, 4, &out->value);
    case PROTO_BYTES:
        return bytes(w, out);
    default:
        return false;
    }
}

/* From behind the start of a group to behind its end; groups inside must close in order. */
static bool group(proto_wire *w, uint32_t number, proto_item *out)
{
    uint32_t open[MAX_GROUPS] = {number};
    size_t depth = 1;
    out->p = w->p;
    while (depth) {
        uint32_t inner;
        unsigned kind;
        proto_item ignored;
        const uint8_t *before = w->p;
        if (!tag(w, &inner, &kind))
            return false;
        if (kind == STOP) {
            if (open[--depth] != inner)
                return false;
            out->n = (size_t)(before - out->p);
        } else if (kind == START) {
            if (depth == MAX_GROUPS)
                return false;
            open[depth++] = inner;
        } else if (!value(w, kind, &ignored)) {
            return false;
        }
    }
    return true;
}

int proto_next(proto_wire *w, proto_item *out)
{
    unsigned kind;
    if (w->p == w->end)
        return 0;
    *out = (proto_item){0};
    if (!tag(w, &out->number, &kind))
        return -1;
    out->kind = kind;
    bool ok = kind == START ? group(w, out->number, out) : value(w, kind, out);
    return ok ? 1 : -1;
}
