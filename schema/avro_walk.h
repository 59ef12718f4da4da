/* avro_walk.h: one walk over an encoded Avro datum, for printing, checking and finding places. Not for other folders.
 *
 * The walk owns all that makes hostile bytes harmless: lengths, ranges, depth, the budget for values without bytes.
 * What is done with the parts is the caller's, by the functions of walk_ops. */
#ifndef FLEC_SCHEMA_AVRO_WALK_H
#define FLEC_SCHEMA_AVRO_WALK_H

#include "schema/avro_value.h"

/* The way from the root to a place, for error messages. */
typedef struct trail_step {
    const sch_field *field; /* of a record; NULL: array or map */
    int64_t index;          /* of an array; -1: a map's value */
} trail_step;

typedef struct trail {
    trail_step v[SCH_VALUE_MAX_DEPTH];
    unsigned n; /* containers entered */
} trail;

/* Fills err (NULL is allowed) and returns false. */
bool sch_value_fail(sch_value_error *err, const trail *way, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Values that take no byte, before a datum is refused. */
#define SCH_FREE_VALUES 1000000

/* A value at hand. `type` is never a union. */
typedef struct spot {
    const sch_type *type;
    size_t branch, branch_len; /* the union's branch number; len 0: the type is no union */
    size_t whole;              /* where the encoded value starts */
    size_t at, len;            /* string, bytes, fixed: content; other leaves: the encoded value */
    int64_t number;            /* boolean, int, long, enum */
} spot;

typedef struct avro_walk avro_walk;

/* Each may be NULL, and returns false to stop (it then calls sch_value_fail). */
typedef struct walk_ops {
    bool (*leaf)(avro_walk *w, const spot *s);
    bool (*open)(avro_walk *w, const spot *s);      /* record, array, map: before its parts */
    bool (*close)(avro_walk *w, const sch_type *t); /* w->at is behind it */
    /* Before each part of the container that is open; its trail_step is set. */
    bool (*field)(avro_walk *w, const sch_field *f, size_t index);
    bool (*item)(avro_walk *w, size_t index);
    bool (*entry)(avro_walk *w, size_t key, size_t key_len, size_t index);
} walk_ops;

struct avro_walk {
    const uint8_t *p;
    size_t n, at;
    size_t free_left;
    trail way;
    const walk_ops *ops;
    void *ctx;
    sch_value_error *err;
};

/* Walks one datum of type t from the start of p. */
bool sch_walk(avro_walk *w, const sch_type *t, const uint8_t *p, size_t n, bool allow_trailing);

#endif
