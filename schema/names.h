/* names.h: names of leaves per format, for match.c. Not for other folders. */
#ifndef FLEC_SCHEMA_NAMES_H
#define FLEC_SCHEMA_NAMES_H

#include "schema/path.h"

/* sch_match_keys and sch_client_names for JSON Schema. */
size_t sch_json_keys(const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS]);
size_t sch_json_names(const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS]);

#endif
