/* avro_way.c: the constructs of an Avro schema. Which they are, and that names do not matter: docs/clients.md. */
#include <string.h>

#include "compiler/clients/constructs.h"

/* How many of a union's branches are not null, and how many of these are records. */
static size_t branches(const sch_type *u, size_t *records)
{
    size_t n = 0;
    *records = 0;
    for (size_t i = 0; i < u->nbranches; i++) {
        n += u->branches[i]->kind != SCH_NULL;
        *records += u->branches[i]->kind == SCH_RECORD;
    }
    return n;
}

static void nullable(const sch_type *in, const sch_type *other, cl_set *out)
{
    bool array = in && in->kind == SCH_ARRAY, map = in && in->kind == SCH_MAP;
    if (map)
        cl_add(out, CL_AVRO_MAP_NULLS);
    switch (other->kind) {
    case SCH_RECORD:
        cl_add(out, CL_AVRO_NULLABLE_RECORD);
        break;
    case SCH_ARRAY:
        cl_add(out, CL_AVRO_NULLABLE_ARRAY);
        break;
    case SCH_MAP:
        cl_add(out, CL_AVRO_NULLABLE_MAP);
        break;
    case SCH_ENUM:
        cl_add(out, CL_AVRO_NULLABLE_ENUM);
        break;
    default:
        cl_add(out, array ? CL_AVRO_ARRAY_NULLABLE : map ? CL_AVRO_MAP_NULLABLE : CL_AVRO_NULLABLE);
    }
}

static void union_slot(const sch_type *in, const sch_type *u, cl_set *out)
{
    size_t records, n = branches(u, &records);
    if (n == 1 && n < u->nbranches)
        nullable(in, cl_open(u), out);
    else if (n > 1 && n == records)
        cl_add(out, in ? CL_AVRO_UNION : CL_AVRO_ROOT_UNION);
    else if (n > 1)
        cl_add(out, CL_AVRO_MIXED);
}

void cl_avro_slot(const sch_type *in, const sch_type *to, cl_set *out)
{
    const sch_type *t = cl_open(to);
    if (to->kind == SCH_UNION)
        union_slot(in, to, out);
    if (in && in->kind == SCH_MAP && t->kind == SCH_RECORD)
        cl_add(out, CL_AVRO_MAP_RECORD);
    if (in && in->kind == SCH_ARRAY)
        cl_add(out, CL_AVRO_ARRAY);
    if (in && in->kind == SCH_MAP)
        cl_add(out, CL_AVRO_MAP);
    if (!in && t->kind == SCH_ARRAY)
        cl_add(out, CL_AVRO_ROOT_ARRAY);
    if (!in && t->kind == SCH_MAP)
        cl_add(out, CL_AVRO_ROOT_MAP);
}

/* The i-th step enters a record: is it one that the way is inside of already, or one that stands elsewhere first? */
static void entered(const cl_shape *shape, const sch_step *steps, size_t i, cl_set *out)
{
    const sch_type *record = steps[i].in;
    const void *slot =
        i ? (steps[i - 1].field ? (const void *)steps[i - 1].field : steps[i - 1].in) : (const void *)shape->schema;
    if (record->kind != SCH_RECORD)
        return;
    if (i)
        cl_add(out, CL_AVRO_RECORD);
    if (record->foreign)
        cl_add(out, CL_AVRO_REFERRED);
    for (size_t k = 0; k < i; k++)
        if (steps[k].in == record) {
            cl_add(out, CL_AVRO_RECURSIVE);
            return;
        }
    if (shape->first[record->id] != slot)
        cl_add(out, CL_AVRO_AGAIN);
}

/* Attributes that clients pass over (measured: avro-logical-string-type) are no logical types. */
void cl_avro_way(const cl_shape *shape, const sch_step *steps, size_t n, const sch_type *leaf, cl_set *out)
{
    for (size_t i = 0; i < n; i++)
        entered(shape, steps, i, out);
    cl_add(out, leaf->logical ? CL_AVRO_LOGICAL : CL_AVRO_LEAF);
}
