/* compat_proto.c: can a reader's Protobuf schema read what a writer's wrote? Not answered yet: undecided, which is
 * never compatible. */
#include "schema/compat.h"

void sch_proto_compare(sch_compare *c)
{
    sch_compare_undecided(c);
}
