/* parse.c: one schema of any format. */
#include "schema/schema.h"

#include <string.h>

const char *sch_format_name(sch_format f)
{
    static const char *const names[] = {"AVRO", "JSON", "PROTOBUF"};
    return names[f];
}

static sch_schema *parse(sch_format format, fl_arena *a, const char *name, const char *text, size_t len,
                         const char *message, const sch_ref *refs, size_t nrefs, sch_error *err)
{
    switch (format) {
    case SCH_AVRO:
        return sch_avro_parse(a, name, text, len, refs, nrefs, err);
    case SCH_JSON:
        return sch_json_parse(a, name, text, len, refs, nrefs, err);
    default:
        return sch_proto_parse(a, name, text, len, message, refs, nrefs, err);
    }
}

sch_schema *sch_parse(sch_format format, fl_arena *a, const char *name, const char *text, size_t len,
                      const char *message, const sch_ref *refs, size_t nrefs, sch_error *err)
{
    sch_schema *s = parse(format, a, name, text, len, message, refs, nrefs, err);
    if (s && nrefs) {
        sch_ref *kept = FL_NEW_N(a, sch_ref, nrefs);
        memcpy(kept, refs, nrefs * sizeof *refs);
        s->refs = kept;
        s->nrefs = nrefs;
    }
    return s;
}
