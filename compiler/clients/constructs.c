/* constructs.c: what the three formats share in finding constructs. */
#include "compiler/clients/constructs.h"

const sch_type *cl_open(const sch_type *t)
{
    const sch_type *other = NULL;
    if (t->kind != SCH_UNION)
        return t;
    for (size_t i = 0; i < t->nbranches; i++) {
        if (t->branches[i]->kind == SCH_NULL)
            continue;
        if (other)
            return t;
        other = t->branches[i];
    }
    return other ? other : t;
}

/* ---- which use of a record type is the first ---- */

/* `slot` is the field, array or map through which `t` is reached: it tells one use of a type from another. Depth is
 * bounded by SCH_MAX_DEPTH, since each record is entered once. */
static void mark_first(cl_shape *shape, const sch_type *t, const void *slot)
{
    if (shape->first[t->id])
        return;
    shape->first[t->id] = slot;
    for (size_t i = 0; i < t->nfields; i++)
        mark_first(shape, t->fields[i].type, &t->fields[i]);
    if (t->item)
        mark_first(shape, t->item, t);
    for (size_t i = 0; i < t->nbranches; i++)
        mark_first(shape, t->branches[i], slot);
}

cl_shape *cl_shape_of(fl_arena *a, const sch_schema *s)
{
    cl_shape *shape = FL_NEW(a, cl_shape);
    shape->schema = s;
    shape->first = FL_NEW_N(a, const void *, s->ntypes + 1);
    mark_first(shape, s->root, s);
    return shape;
}

/* ---- by format ---- */

void cl_slot(const sch_schema *s, const sch_type *in, const sch_field *field, const sch_type *to, cl_set *out)
{
    if (s->format == SCH_AVRO)
        cl_avro_slot(in, to, out);
    else if (s->format == SCH_JSON)
        cl_json_slot(s, in, field, to, out);
    else
        cl_proto_slot(s, in, field, to, out);
}

void cl_way_constructs(const cl_shape *shape, const sch_step *steps, size_t n, const sch_type *leaf, cl_set *out)
{
    const sch_schema *s = shape->schema;
    cl_slot(s, NULL, NULL, s->root, out);
    for (size_t i = 0; i < n; i++)
        cl_slot(s, steps[i].in, steps[i].field, steps[i].to, out);
    if (s->format == SCH_AVRO)
        cl_avro_way(shape, steps, n, leaf, out);
    else if (s->format == SCH_JSON)
        cl_json_way(shape, steps, n, leaf, out);
    else
        cl_proto_way(shape, steps, n, leaf, out);
    cl_keep(out, CL_TAG, CL_RECORD);
}

/* Each type is looked at where it is first used; the slots that lead to it each time. */
static void scan(const cl_shape *shape, const sch_type *t, const void *slot, cl_set *out)
{
    const sch_schema *s = shape->schema;
    if (shape->first[t->id] != slot)
        return;
    for (size_t i = 0; i < t->nfields; i++) {
        cl_slot(s, t, &t->fields[i], t->fields[i].type, out);
        scan(shape, t->fields[i].type, &t->fields[i], out);
    }
    if (t->item) {
        cl_slot(s, t, NULL, t->item, out);
        scan(shape, t->item, t, out);
    }
    for (size_t i = 0; i < t->nbranches; i++)
        scan(shape, t->branches[i], slot, out);
}

void cl_record_constructs(const cl_shape *shape, cl_set *out)
{
    cl_set all = {{0, 0}};
    cl_slot(shape->schema, NULL, NULL, shape->schema->root, &all);
    scan(shape, shape->schema->root, shape->schema, &all);
    cl_keep(&all, CL_RECORD, CL_VALUE);
    cl_join(out, &all);
}
