/* names.h: names of leaves per format, for match.c, and of members. Not for other folders. */
#ifndef FLEC_SCHEMA_NAMES_H
#define FLEC_SCHEMA_NAMES_H

#include "schema/path.h"

/* sch_match_keys and sch_client_names for JSON Schema. */
size_t sch_json_keys(const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS]);
size_t sch_json_names(const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS]);

/* "R has no field of the name at byte 12; did you mean "email"?" A name that a record has and its schema has not is
 * data, as a map's key is: it is never shown. */
void sch_unknown_name(char *out, size_t n, const char *of, const char *name, uint32_t at, const char *const *known,
                      size_t nknown);

#endif
