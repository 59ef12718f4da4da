/* frame.c: schema ids and GUIDs in front of records and in their headers. */
#include "runtime/frame.h"

#include <stdio.h>
#include <string.h>

void rt_frame_put_id(uint8_t out[RT_FRAME_ID], int id)
{
    out[0] = 0;
    for (int i = 0; i < 4; i++)
        out[1 + i] = (uint8_t)((unsigned)id >> (24 - 8 * i));
}

bool rt_frame_put_guid(uint8_t out[RT_FRAME_GUID], const char *guid)
{
    char digits[33];
    size_t n = 0;
    if (strlen(guid) != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (guid[i] == '-'))
            return false;
        if (!dash)
            digits[n++] = guid[i];
    }
    out[0] = 1;
    return fl_unhex(out + 1, digits, n);
}

void rt_frame_guid_text(const uint8_t guid[16], char out[37])
{
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        at += (size_t)sprintf(out + at, "%02x", guid[i]);
    }
}

static rt_code read_header(const char *subject, const rt_wire *w, rt_frame *out, rt_error *err)
{
    if (w->nheader < RT_FRAME_GUID || w->header[0] != 1)
        return rt_fail(err, RT_BAD_INPUT,
                       "subject %s: the header that names the schema does not hold the byte 1 and a GUID", subject);
    memcpy(out->guid, w->header + 1, 16);
    out->lead = w->header + RT_FRAME_GUID;
    out->nlead = w->nheader - RT_FRAME_GUID;
    out->in_header = true;
    out->body = w->p;
    out->n = w->n;
    return RT_OK;
}

static rt_code too_short(const char *subject, size_t n, const char *what, rt_error *err)
{
    return rt_fail(err, RT_BAD_INPUT, "subject %s: a record of %zu bytes is too short for the byte %s", subject, n,
                   what);
}

static rt_code read_prefix_guid(const char *subject, const rt_wire *w, rt_frame *out, rt_error *err)
{
    if (w->n < RT_FRAME_GUID)
        return too_short(subject, w->n, "1 and a schema's GUID", err);
    memcpy(out->guid, w->p + 1, 16);
    out->body = w->p + RT_FRAME_GUID;
    out->n = w->n - RT_FRAME_GUID;
    return RT_OK;
}

rt_code rt_frame_read(const char *subject, const rt_wire *w, rt_frame *out, rt_error *err)
{
    *out = (rt_frame){0};
    if (w->header)
        return read_header(subject, w, out, err);
    if (w->n && w->p[0] == 1)
        return read_prefix_guid(subject, w, out, err);
    if (w->n < RT_FRAME_ID)
        return too_short(subject, w->n, "0 and a schema id", err);
    if (w->p[0] != 0)
        return rt_fail(err, RT_BAD_INPUT,
                       "subject %s: the record does not begin with the byte 0 and a schema id: no serializer of a "
                       "registry wrote it, or the header that names its schema was lost",
                       subject);
    uint32_t id = 0;
    for (int i = 1; i < RT_FRAME_ID; i++)
        id = id << 8 | w->p[i];
    if (id == 0 || id > INT32_MAX)
        return rt_fail(err, RT_BAD_INPUT, "subject %s: the record carries no real schema id", subject);
    out->id = (int)id;
    out->body = w->p + RT_FRAME_ID;
    out->n = w->n - RT_FRAME_ID;
    return RT_OK;
}

/* ---- message indexes ---- */

#define MAX_INDEXES 64 /* messages inside messages */

static bool index_at(const uint8_t *in, size_t n, size_t *at, int64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 35 && *at < n; shift += 7) {
        uint8_t b = in[(*at)++];
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
            return true;
        }
    }
    return false;
}

size_t rt_frame_indexes(const uint8_t *in, size_t n)
{
    size_t len = 0;
    int64_t count, ignored;
    if (!index_at(in, n, &len, &count) || count < 0 || count > MAX_INDEXES)
        return 0;
    for (int64_t i = 0; i < count; i++)
        if (!index_at(in, n, &len, &ignored))
            return 0;
    return len;
}
