/* random_avro.h: schemas, rules and encoded values drawn from a seed, for tests and the fuzzer: every kind of type,
 * blocks in all their forms. */
#ifndef FLEC_RUNTIME_RANDOM_AVRO_H
#define FLEC_RUNTIME_RANDOM_AVRO_H

#include "schema/schema.h"

typedef struct rnd {
    uint64_t state;
    unsigned names; /* of named types, so that each is its own */
} rnd;

static inline uint32_t rnd_below(rnd *r, uint32_t n)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (uint32_t)((r->state >> 20) % n);
}

/* ---- schemas ---- */

static inline void rnd_type(rnd *r, fl_buf *b, unsigned depth, bool sealable, bool in_union);

static inline void rnd_text_type(rnd *r, fl_buf *b)
{
    fl_buf_adds(b, rnd_below(r, 2) ? "\"string\"" : "\"bytes\"");
}

/* What a tag may stand on: text, and lists, maps and options of it. */
static inline void rnd_sealable(rnd *r, fl_buf *b, unsigned depth, bool in_union)
{
    switch (depth > 3 ? 0 : rnd_below(r, in_union ? 4 : 6)) {
    case 2:
    case 3:
        fl_buf_addf(b, "{\"type\":\"%s", rnd_below(r, 2) ? "array\",\"items\":" : "map\",\"values\":");
        rnd_sealable(r, b, depth + 1, false);
        fl_buf_adds(b, "}");
        break;
    case 4:
        fl_buf_adds(b, "[\"null\",");
        rnd_sealable(r, b, depth + 1, true);
        fl_buf_adds(b, "]");
        break;
    case 5:
        fl_buf_adds(b, "[");
        rnd_sealable(r, b, depth + 1, true);
        fl_buf_adds(b, ",\"null\"]");
        break;
    default:
        rnd_text_type(r, b);
    }
}

static inline void rnd_record(rnd *r, fl_buf *b, unsigned depth)
{
    unsigned name = r->names++, n = rnd_below(r, 6);
    fl_buf_addf(b, "{\"type\":\"record\",\"name\":\"R%u\",\"namespace\":\"n\",\"fields\":[", name);
    for (unsigned i = 0; i < n; i++) {
        bool sealable = rnd_below(r, 3) == 0;
        fl_buf_addf(b, "%s{\"name\":\"f%u\",", i ? "," : "", i);
        if (sealable)
            fl_buf_addf(b, "\"confluent:tags\":[\"%s\"],", rnd_below(r, 4) ? "PII" : "PCI");
        fl_buf_adds(b, "\"type\":");
        if (!sealable && rnd_below(r, 12) == 0)
            fl_buf_addf(b, rnd_below(r, 2) ? "[\"null\",\"n.R%u\"]" : "{\"type\":\"array\",\"items\":\"n.R%u\"}", name);
        else
            rnd_type(r, b, depth + 1, sealable, false);
        fl_buf_adds(b, "}");
    }
    fl_buf_adds(b, "]}");
}

static inline void rnd_union(rnd *r, fl_buf *b, unsigned depth)
{
    static const char *const some[] = {"\"null\"",  "\"boolean\"", "\"int\"",   "\"long\"",
                                       "\"float\"", "\"double\"",  "\"bytes\"", "\"string\""};
    unsigned first = rnd_below(r, 8), n = 1 + rnd_below(r, 3);
    fl_buf_adds(b, "[");
    for (unsigned i = 0; i < n; i++)
        fl_buf_addf(b, "%s%s", i ? "," : "", some[(first + i) % 8]);
    if (rnd_below(r, 2)) {
        fl_buf_adds(b, ",");
        rnd_record(r, b, depth + 1);
    }
    fl_buf_adds(b, "]");
}

static inline void rnd_type(rnd *r, fl_buf *b, unsigned depth, bool sealable, bool in_union)
{
    static const char *const simple[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"};
    unsigned pick = rnd_below(r, depth > 4 ? 8 : 14);
    if (sealable) {
        rnd_sealable(r, b, depth, in_union);
    } else if (pick < 8) {
        fl_buf_addf(b, "\"%s\"", simple[pick]);
    } else if (pick < 10) {
        fl_buf_addf(b, "{\"type\":\"%s", rnd_below(r, 2) ? "array\",\"items\":" : "map\",\"values\":");
        rnd_type(r, b, depth + 1, false, false);
        fl_buf_adds(b, "}");
    } else if (pick == 10) {
        fl_buf_addf(b, "{\"type\":\"enum\",\"name\":\"n.E%u\",\"symbols\":[\"A\",\"B\",\"C\"]}", r->names++);
    } else if (pick == 11) {
        fl_buf_addf(b, "{\"type\":\"fixed\",\"name\":\"n.F%u\",\"size\":%u}", r->names++, rnd_below(r, 20));
    } else if (pick == 12 && !in_union) {
        rnd_union(r, b, depth);
    } else {
        rnd_record(r, b, depth + 1);
    }
}

/* ---- values ---- */

static inline void rnd_long(fl_buf *b, int64_t v)
{
    uint64_t u = ((uint64_t)v << 1) ^ -((uint64_t)v >> 63);
    for (; u >= 0x80; u >>= 7)
        fl_buf_addc(b, (char)(u | 0x80));
    fl_buf_addc(b, (char)u);
}

static inline void rnd_value(rnd *r, fl_buf *b, const sch_type *t, unsigned depth);

/* ASCII, since a string must be UTF-8 for the JSON side; bytes of all kinds. */
static inline void rnd_bytes(rnd *r, fl_buf *b, bool text)
{
    unsigned n = rnd_below(r, 4) ? rnd_below(r, 24) : rnd_below(r, 300);
    rnd_long(b, n);
    for (unsigned i = 0; i < n; i++)
        fl_buf_addc(b, (char)(text ? 'a' + (int)rnd_below(r, 26) : (int)rnd_below(r, 256)));
}

static inline void rnd_blocks(rnd *r, fl_buf *b, const sch_type *t, unsigned depth)
{
    fl_buf items;
    fl_buf_init(&items, 16 << 20);
    for (unsigned blocks = depth > 6 ? 0 : rnd_below(r, 3); blocks; blocks--) {
        unsigned n = 1 + rnd_below(r, 3);
        fl_buf_clear(&items);
        for (unsigned i = 0; i < n; i++) {
            if (t->kind == SCH_MAP)
                rnd_bytes(r, &items, true);
            rnd_value(r, &items, t->item, depth + 1);
        }
        bool sized = rnd_below(r, 2);
        rnd_long(b, sized ? -(int64_t)n : (int64_t)n);
        if (sized)
            rnd_long(b, (int64_t)items.len);
        fl_buf_add(b, items.p, items.len);
    }
    rnd_long(b, 0);
    fl_buf_free(&items);
}

/* Deep in a recursive schema the null branch, if there is one. */
static inline unsigned rnd_branch(rnd *r, const sch_type *t, unsigned depth)
{
    for (unsigned i = 0; i < t->nbranches && depth > 8; i++)
        if (t->branches[i]->kind == SCH_NULL)
            return i;
    return rnd_below(r, (uint32_t)t->nbranches);
}

static inline void rnd_value(rnd *r, fl_buf *b, const sch_type *t, unsigned depth)
{
    unsigned n;
    switch (t->kind) {
    case SCH_NULL:
        break;
    case SCH_BOOLEAN:
        fl_buf_addc(b, (char)rnd_below(r, 2));
        break;
    case SCH_INT:
        rnd_long(b, (int32_t)(rnd_below(r, UINT32_MAX) >> rnd_below(r, 32)));
        break;
    case SCH_LONG:
        rnd_long(b, (int64_t)(r->state >> rnd_below(r, 64)));
        break;
    case SCH_FLOAT:
        fl_buf_add(b, &(float){(float)rnd_below(r, 1000)}, 4);
        break;
    case SCH_DOUBLE:
        fl_buf_add(b, &(double){(double)rnd_below(r, 1000)}, 8);
        break;
    case SCH_FIXED:
        for (n = 0; n < t->size; n++)
            fl_buf_addc(b, (char)rnd_below(r, 256));
        break;
    case SCH_BYTES:
    case SCH_STRING:
        rnd_bytes(r, b, t->kind == SCH_STRING);
        break;
    case SCH_ENUM:
        rnd_long(b, rnd_below(r, (uint32_t)t->nsymbols));
        break;
    case SCH_RECORD:
        for (size_t i = 0; i < t->nfields; i++)
            rnd_value(r, b, t->fields[i].type, depth + 1);
        break;
    case SCH_UNION:
        n = rnd_branch(r, t, depth);
        rnd_long(b, n);
        rnd_value(r, b, t->branches[n], depth + 1);
        break;
    default:
        rnd_blocks(r, b, t, depth);
    }
}

#endif
