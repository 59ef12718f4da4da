/* codec.h: the inside of a codec, for engine.c and readers.c. */
#ifndef FLEC_RUNTIME_CODEC_H
#define FLEC_RUNTIME_CODEC_H

#include "runtime/format/format.h"
#include "runtime/frame.h"
#include "runtime/payload.h"

typedef struct rt_reader { /* a schema as records name it */
    int id;                /* below 0: by GUID, numbered as they came */
    uint8_t guid[16];      /* then */
    fl_arena *a;
    rt_subject subject;
    sch_schema *schema; /* Protobuf: rooted in the message that the last record held */
    sch_schema **roots; /* by message, as they came */
    size_t nroots;
    sch_proto_set *set; /* descriptors for them, once another message than the first is met */
    rt_rules *rules;
    rt_program *prog;
} rt_reader;

struct rt_codec {
    fl_arena *a;
    rt_registry *registry;
    rt_keys *keys; /* not owned */
    rt_codec_options opt;
    rt_subject subject;
    uint8_t head[RT_FRAME_ID], guid_head[RT_FRAME_GUID]; /* of what it writes; guid_head[0] 0: it has none */
    sch_schema *schema;
    rt_rules *rules;
    rt_program *write; /* NULL if read_only */
    const rt_encoding *encoding;
    rt_walk *walk;
    rt_payload *payload;
    fl_buf plain;          /* between payload rules and the walk */
    const rt_rule *failed; /* by the record at hand, or NULL */
    bool failed_reading;
    rt_reader **readers; /* sorted by id */
    size_t nreaders, nguids;
    rt_reader *last; /* the one used last, or NULL */
};

/* encoding: what records of the codec are in; NULL there: what s says. */
rt_code rt_schema_parse(fl_arena *a, rt_registry *registry, const rt_subject *s, const rt_encoding **encoding,
                        sch_schema **out, rt_error *err);

/* The reader of a record's schema: found, or asked for at the registry and opened. */
rt_code rt_reader_find(rt_codec *c, const rt_frame *f, rt_reader **out, rt_error *err);
rt_code rt_reader_open(rt_codec *c, int id, rt_error *err);
const rt_reader *rt_reader_known(const rt_codec *c, int id); /* NULL: no record of it was seen */
/* Protobuf: the message that the record at hand holds, its full name. Refused where the codec is for another one. */
rt_code rt_reader_hold(rt_codec *c, rt_reader *r, const char *message, rt_error *err);
void rt_readers_free(rt_codec *c);

#endif
