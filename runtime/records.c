/* records.c: streams of records in their forms, through codecs. */
#include "runtime/records.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/records_run.h"
#include "schema/avro_resolve.h"

const char *const records_part_names[] = {"key", "value"};
const char *const records_headers[] = {RT_HEADER_KEY, RT_HEADER_VALUE};
static const char *const format_names[] = {"json", "hex", "raw", "envelope"};

bool rt_format_parse(const char *name, rt_format *out)
{
    for (size_t i = 0; i < sizeof format_names / sizeof *format_names; i++)
        if (strcmp(name, format_names[i]) == 0) {
            *out = (rt_format)i;
            return true;
        }
    return false;
}

/* ---- the codecs ---- */

/* What a client with use.latest.version hands out. */
static rt_code as_latest(records_run *r, rt_part which)
{
    records_part *p = &r->parts[which];
    const sch_schema *latest = rt_codec_schema(r->t->sides[which].codec);
    sch_value_error e;
    char text[448];
    if (p->schema == latest || latest->format != SCH_AVRO)
        return RT_OK;
    fl_buf_clear(&p->latest);
    if (!sch_avro_resolve(p->schema, latest, p->p, p->n, &p->latest, &e)) {
        sch_value_error_text(&e, text, sizeof text);
        return rt_fail(r->err, RT_BAD_INPUT, "%s: %s", records_part_names[which], text);
    }
    p->p = (const uint8_t *)p->latest.p;
    p->n = p->latest.len;
    p->schema = latest;
    return RT_OK;
}

static rt_code transform(records_run *r, rt_part which)
{
    records_part *p = &r->parts[which];
    rt_codec *c = r->t->sides[which].codec;
    if (!p->there || p->null || !c)
        return RT_OK;
    p->was = p->p;
    p->nwas = p->n;
    rt_wire wire = {.p = p->p, .n = p->n, .skip_rule = r->skip_rule};
    if (p->headed) {
        wire.header = (const uint8_t *)p->header.p;
        wire.nheader = p->header.len;
    }
    fl_buf *header = r->t->to == RT_ENVELOPE ? &p->header : NULL;
    int id = 0;
    rt_code code = r->t->decrypt ? rt_decrypt_framed(c, &wire, &p->out, &id, r->err)
                                 : rt_encrypt_framed(c, p->p, p->n, &p->out, header, r->err);
    r->failed_part = code ? (int)which : -1;
    p->p = (const uint8_t *)p->out.p;
    p->n = p->out.len;
    p->schema = r->t->decrypt && !code ? rt_codec_schema_for(c, id) : NULL;
    return code || !p->schema || !r->t->latest ? code : as_latest(r, which);
}

/* ---- the run ---- */

static rt_code one(records_run *r, bool *end)
{
    for (int i = 0; i < 2; i++) {
        records_part *p = &r->parts[i];
        p->there = p->null = p->headed = false;
        p->was = NULL;
        fl_buf_clear(&p->header);
    }
    r->headers = NULL;
    r->skip_rule = NULL;
    r->failed_part = -1;
    rt_code code = records_read(r, end);
    if (code || *end)
        return code;
    code = transform(r, RT_KEY);
    if (!code)
        code = transform(r, RT_VALUE);
    return code ? code : records_write(r);
}

static bool may_skip(const records_run *r, rt_code code)
{
    return r->t->skip && !r->fatal && code != RT_IO;
}

/* A record failed: it goes where its rule says; one that may be skipped is counted and reported. */
static __attribute__((noinline)) rt_code failed(records_run *r, rt_transcoded *count, rt_code code)
{
    rt_error what = *r->err;
    if (r->failed_part >= 0 && (code = records_bury(r, what.message)) == RT_OK)
        code = what.code;
    else
        what = *r->err;
    uint64_t number = count->done + count->failed + 1;
    if (!may_skip(r, code))
        return rt_fail(r->err, code, "record %" PRIu64 ": %.480s", number, what.message);
    count->failed++;
    fl_log(FL_LOG_ERROR, "record %" PRIu64 ": %s", number, what.message);
    return RT_OK;
}

/* Reads, transforms and writes one record. */
static rt_code next(records_run *r, rt_transcoded *count, bool *end)
{
    rt_code code = one(r, end);
    if (code)
        code = failed(r, count, code);
    else if (!*end) {
        count->done++;
        code = rt_sink_check(&r->sink, r->err);
    }
    fl_arena_free(r->a);
    r->a = NULL;
    return code;
}

static void open_run(records_run *r)
{
    rt_sink_init(&r->sink, r->t->out, 3 * RECORDS_MAX_TEXT);
    rt_source_init(&r->source, r->t->in, RECORDS_MAX_TEXT, &r->sink);
    r->source.stop = r->t->stop;
    fl_buf_init(&r->json, 3 * RECORDS_MAX_TEXT);
    for (int i = 0; i < 2; i++) {
        fl_buf_init(&r->parts[i].in, RT_MAX_RECORD);
        fl_buf_init(&r->parts[i].out, RT_MAX_RECORD);
        fl_buf_init(&r->parts[i].header, RT_MAX_RECORD);
        fl_buf_init(&r->parts[i].latest, RT_MAX_RECORD);
    }
}

static void close_run(records_run *r)
{
    for (int i = 0; i < 2; i++) {
        fl_buf_wipe(&r->parts[i].in);
        fl_buf_wipe(&r->parts[i].out);
        fl_buf_wipe(&r->parts[i].latest);
        fl_buf_free(&r->parts[i].header);
    }
    fl_buf_wipe(&r->json);
    rt_source_free(&r->source);
    rt_sink_free(&r->sink);
}

rt_code rt_transcode_run(const rt_transcode *t, rt_transcoded *count, rt_error *err)
{
    rt_error own = {0};
    records_run r = {.t = t, .err = err ? err : &own};
    bool end = false;
    rt_code code = RT_OK;
    *count = (rt_transcoded){0};
    open_run(&r);
    while (!code && !end && !(t->stop && t->stop->signal))
        code = next(&r, count, &end);
    if (r.source.stopped) /* inside a record, which is then as good as not there */
        code = RT_OK;
    rt_error flush; /* what went before the record that stopped the run is written */
    rt_code last = rt_sink_flush(&r.sink, code ? &flush : r.err);
    close_run(&r);
    return code ? code : last;
}
