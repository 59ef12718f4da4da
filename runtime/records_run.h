/* records_run.h: the record at hand, between the files that read it, transform it and write it; not for the rest of
 * runtime/. */
#ifndef FLEC_RUNTIME_RECORDS_RUN_H
#define FLEC_RUNTIME_RECORDS_RUN_H

#include <string.h>

#include "runtime/format/format.h"
#include "runtime/primitive.h"
#include "runtime/records.h"

#define RECORDS_MAX_TEXT    (2 * (size_t)RT_MAX_RECORD + 4096) /* a line: hex doubles a record */
#define RECORDS_NULL_LENGTH 0xFFFFFFFFu

typedef struct records_part { /* of the record at hand */
    bool there, null;
    const uint8_t *p; /* what was read: body or wire; then what the codec made of it */
    size_t n;
    const uint8_t *was; /* what was read, still */
    size_t nwas;
    const sch_schema *schema; /* of what was decrypted */
    fl_buf in, out, latest;   /* decoded input, transformed output, that as the latest schema has it; used again */
    fl_buf header;            /* that names the schema: of the record that came, or for the one that goes */
    bool headed;              /* it came with one */
} records_part;

typedef struct records_run {
    const rt_transcode *t;
    rt_source source;
    rt_sink sink;
    records_part parts[2];
    fl_arena *a;            /* of the record at hand, NULL where its form needs none */
    const fl_json *headers; /* of the record at hand, or NULL */
    const char *line;       /* the text that it was read from */
    fl_buf json;
    const char *skip_rule; /* header __rule.name of a record that came, or NULL */
    int failed_part;       /* whose codec failed, -1: none */
    bool fatal;            /* the input itself is broken: nothing can be skipped */
    rt_error *err;
} records_run;

extern const char *const records_part_names[]; /* by rt_part */
extern const char *const records_headers[];    /* that name a part's schema, by rt_part */

/* records_read.c: *end: the input has ended, there is no record. */
rt_code records_read(records_run *r, bool *end);
/* records_write.c: into the sink. No half record on the way out. */
rt_code records_write(records_run *r);
/* A value as JSON, into r->json. */
rt_code records_to_json(records_run *r, rt_part which, const uint8_t *p, size_t n, const sch_schema *schema);
/* dead_letters.c: a record whose rule failed goes where the rule says; otherwise nothing is done. why: of the failure.
 */
rt_code records_bury(records_run *r, const char *why);

#endif
