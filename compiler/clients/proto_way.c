/* proto_way.c: the constructs of a Protobuf schema. */
#include <string.h>

#include "compiler/clients/constructs.h"
#include "schema/proto.h"

/* Maps and messages that a record may lack count for the root message only: the client that breaks on them (Go) never
 * reaches nested fields. */
static void root_slot(const sch_field *field, const sch_type *to, cl_set *out)
{
    if (to->kind == SCH_MAP)
        cl_add(out, CL_PROTO_MAP_UNSET);
    if (to->kind == SCH_RECORD && field->optional && !field->oneof)
        cl_add(out, CL_PROTO_MESSAGE_UNSET);
}

void cl_proto_slot(const sch_schema *s, const sch_type *in, const sch_field *field, const sch_type *to, cl_set *out)
{
    if (in && in->kind == SCH_ARRAY && to->kind == SCH_RECORD)
        cl_add(out, CL_PROTO_REPEATED_MESSAGE);
    if (to->kind == SCH_RECORD && to->recursive)
        cl_add(out, CL_PROTO_RECURSIVE_TYPE);
    if (in == s->root && field)
        root_slot(field, to, out);
}

static bool is_inside(const sch_step *steps, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (steps[k].in == steps[i].in)
            return true;
    return false;
}

/* The i-th step enters a message below the root. */
static void entered(const sch_step *steps, size_t i, cl_set *out)
{
    const sch_step *before = &steps[i - 1];
    cl_add(out, is_inside(steps, i) ? CL_PROTO_RECURSIVE : CL_PROTO_MESSAGE);
    if (steps[i].in->foreign)
        cl_add(out, CL_PROTO_IMPORTED);
    if (before->in->kind == SCH_MAP)
        cl_add(out, CL_PROTO_MAP_MESSAGE);
    if (before->field && before->field->oneof)
        cl_add(out, CL_PROTO_MESSAGE_ONEOF);
}

static void leaf_of(const sch_step *last, cl_set *out)
{
    cl_add(out, CL_PROTO_LEAF);
    if (last->in->kind == SCH_ARRAY)
        cl_add(out, CL_PROTO_REPEATED);
    else if (last->in->kind == SCH_MAP)
        cl_add(out, CL_PROTO_MAP);
    else if (last->field->oneof)
        cl_add(out, CL_PROTO_ONEOF);
    else if (last->field->optional)
        cl_add(out, CL_PROTO_OPTIONAL);
}

void cl_proto_way(const cl_shape *shape, const sch_step *steps, size_t n, const sch_type *leaf, cl_set *out)
{
    const struct sch_proto *proto = shape->schema->proto;
    for (size_t i = 1; i < n; i++)
        if (steps[i].in->kind == SCH_RECORD)
            entered(steps, i, out);
    if (n)
        leaf_of(&steps[n - 1], out);
    if (proto && proto->root && proto->root->outer)
        cl_add(out, CL_PROTO_ROOT_NESTED);
}
