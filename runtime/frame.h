/* frame.h: what names the schema of a record: 00 and its id, or 01 and its GUID, in front of the body or in a Kafka
 * header of the record (docs/wire.md 1). */
#ifndef FLEC_RUNTIME_FRAME_H
#define FLEC_RUNTIME_FRAME_H

#include "runtime/engine.h"

#define RT_FRAME_ID   5  /* bytes: 00, schema id int32 big-endian */
#define RT_FRAME_GUID 17 /* 01, GUID */

typedef struct rt_frame {
    int id; /* 0: the GUID names it */
    uint8_t guid[16];
    const uint8_t *lead; /* what stood in the header behind the GUID (Protobuf's message indexes) */
    size_t nlead;
    bool in_header;
    const uint8_t *body;
    size_t n;
} rt_frame;

/* The header counts first, then the bytes in front of the body, as in all clients. subject: for messages. */
rt_code rt_frame_read(const char *subject, const rt_wire *w, rt_frame *out, rt_error *err);

void rt_frame_put_id(uint8_t out[RT_FRAME_ID], int id);
/* guid: 36 characters. false: they are none. */
bool rt_frame_put_guid(uint8_t out[RT_FRAME_GUID], const char *guid);
void rt_frame_guid_text(const uint8_t guid[16], char out[37]);

/* How many bytes Protobuf's message indexes take: zigzag varints, a count and as many places. 0: they are malformed. */
size_t rt_frame_indexes(const uint8_t *in, size_t n);

#endif
