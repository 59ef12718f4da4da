/* records.h: streams of records through codecs: what `flec encrypt` and `flec decrypt` do between standard input and
 * standard output.
 *
 * Forms of a record (docs: the command's manual):
 *   json      one a line, plain side only: the value as schema/value.h says, or of a primitive format
 *   hex       one a line; plain side: the encoded body without prefix; encrypted side: the wire record
 *   raw       the same bytes, behind their length as 4 bytes big-endian
 *   envelope  one JSON object a line: {"key":…,"value":…,"headers":{NAME:TEXT}}; key and headers may be absent; the
 * headers __key_schema_id and __value_schema_id are hex in text. On the
 * plain side key and value are JSON as above, on the wire side hex in text A null record (tombstone) is `null` in json,
 * hex and envelope, the length 0xFFFFFFFF in raw; it passes as it is. Records keep their order. Memory is bounded by
 * the largest record. */
#ifndef FLEC_RUNTIME_RECORDS_H
#define FLEC_RUNTIME_RECORDS_H

#include "runtime/engine.h"
#include "runtime/stream.h"
#include "runtime/topic.h"
#include "schema/value.h"

typedef enum { RT_JSON, RT_HEX, RT_RAW, RT_ENVELOPE } rt_format;
bool rt_format_parse(const char *name, rt_format *out);

typedef enum { RT_KEY, RT_VALUE } rt_part;

/* What encodes one part of a record: a codec, or (codec NULL) a primitive format, which passes as it is. Neither: the
 * part may not occur. */
typedef struct rt_side {
    rt_codec *codec;
    const char *format;
} rt_side;

/* Takes a record whose rule failed and sends such records to a topic (onFailure DLQ). It has written it when it returns
 * RT_OK; anything else ends the run. */
typedef rt_code rt_dead_letter(void *ctx, const char *topic, const rt_message *m, rt_error *err);

typedef struct rt_transcode {
    bool decrypt;
    rt_part part; /* which one json, hex and raw carry */
    rt_side sides[2];
    rt_format from, to;
    sch_bytes_mode bytes;
    bool latest; /* decrypt: Avro values as the codec's own schema has them, not as the record's */
    bool skip;   /* a record that fails is reported and left out, the rest goes on */
    int in, out;
    const char *topic; /* its name, for dead letters */
    rt_dead_letter *bury;
    void *bury_ctx;
    const rt_stop *stop; /* a signal ends the run between two records; or NULL */
} rt_transcode;

typedef struct rt_transcoded {
    uint64_t done, failed;
} rt_transcoded;

/* RT_OK: the input was read to its end, or until a signal came (failed counts what was skipped). Otherwise the message
 * begins with the record's number, and all before it is written. */
rt_code rt_transcode_run(const rt_transcode *t, rt_transcoded *count, rt_error *err);

#endif
