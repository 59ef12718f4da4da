/* proto_parse.c: one Protobuf schema alone. */
#include "schema/proto.h"

#include <string.h>

sch_schema *sch_proto_parse(fl_arena *a, const char *name, const char *text, size_t len, const char *message,
                            const sch_ref *refs, size_t nrefs, sch_error *err)
{
    const sch_proto_file file = {name, text, len, refs, nrefs};
    *err = (sch_error){0};
    const sch_proto_set *set = sch_proto_prepare(a, &file, 1, err->message);
    return set ? sch_proto_from_set(a, set, name, text, len, message, refs, nrefs, err) : NULL;
}
