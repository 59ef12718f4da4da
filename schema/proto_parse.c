/* proto_parse.c: Protobuf schemas as a tree of fields. */
#include <stdio.h>

#include "schema/schema.h"

sch_schema *sch_proto_parse(fl_arena *a, const char *name, const char *text, size_t len, const char *message,
                            const sch_ref *refs, size_t nrefs, sch_error *err)
{
    snprintf(err->message, sizeof err->message, "Protobuf is not read yet");
    return NULL;
}
