/* produce.c: steps that make records: produce, connector … receives, replay, tamper. */
#include <string.h>

#include "runtime/primitive.h"
#include "runtime/testing/build_dir.h"
#include "runtime/testing/converter.h"

#define FIXTURE_MAX (256u << 20)

/* ---- a writer with every key: what an application does ---- */

typedef struct writer {
    rt_world *w;
    const rt_plan_topic *topic;
    rt_codec *codec[2]; /* NULL on a primitive side */
} writer;

static rt_code open_writer(writer *x, rt_world *w, const rt_plan_topic *topic, rt_error *err)
{
    *x = (writer){.w = w, .topic = topic};
    for (int side = 0; side < 2; side++) {
        const rt_subject *s = &rt_side_of(topic, side)->subject;
        rt_code code =
            s->subject ? rt_codec_open(w->registry, w->everybody.keys, s, NULL, &x->codec[side], err) : RT_OK;
        /* a plan edited so that rules no longer reach what it lists is no plan to write by */
        if (!code && x->codec[side])
            code = rt_codec_check_plan(x->codec[side], rt_side_of(topic, side), err);
        if (code)
            return code;
    }
    return RT_OK;
}

static void close_writer(writer *x)
{
    for (int side = 0; side < 2; side++)
        if (x->codec[side])
            rt_codec_close(x->codec[side]);
}

static rt_bytes keep(rt_world *w, const fl_buf *b)
{
    return (rt_bytes){(const uint8_t *)fl_strndup(w->a, b->p ? b->p : "", b->len), b->len};
}

static rt_code encode(writer *x, int side, const fl_json *j, rt_bytes *out, rt_error *err)
{
    fl_buf b;
    sch_value_error e;
    char why[400];
    rt_code code = RT_OK;
    *out = (rt_bytes){NULL, 0};
    if (!j || j->kind == FL_JNULL)
        return RT_OK;
    fl_buf_init(&b, RT_TEST_RECORD_MAX);
    if (!x->codec[side]) {
        code = rt_primitive_from_json(rt_side_of(x->topic, side)->format, j, SCH_BYTES_TEXT, &b, err);
    } else if (!sch_value_from_json(rt_codec_schema(x->codec[side]), j, SCH_BYTES_TEXT, &b, &e)) {
        sch_value_error_text(&e, why, sizeof why);
        code = rt_fail(err, RT_BAD_INPUT, "%s: %s", side == RT_KEY_SIDE ? "key" : "value", why);
    }
    if (!code)
        *out = keep(x->w, &b);
    fl_buf_free(&b);
    return code;
}

static rt_code encrypt(writer *x, int side, rt_bytes plain, rt_bytes *wire, rt_error *err)
{
    fl_buf b;
    *wire = plain;
    if (!plain.p || !x->codec[side])
        return RT_OK;
    fl_buf_init(&b, RT_TEST_RECORD_MAX);
    rt_code code = rt_encrypt(x->codec[side], plain.p, plain.n, &b, err);
    if (!code)
        *wire = keep(x->w, &b);
    fl_buf_free(&b);
    return code;
}

/* ---- the records of a step ---- */

typedef struct step_run {
    rt_world *w;
    writer writer;
    rt_connector *connector; /* NULL for produce */
    rt_test_topic *topic;
    rt_error *err;
} step_run;

/* What a failure of one record means: a record that was refused. What could not even be asked (no registry) ends the
 * test. */
static rt_code refused(step_run *x, rt_test_record *r, rt_code code)
{
    if (code == RT_IO)
        return code;
    r->refused = fl_strdup(x->w->a, x->err->message);
    return RT_OK;
}

static rt_code through_writer(step_run *x, rt_test_record *r)
{
    for (int side = 0; side < 2; side++) {
        rt_code code = encrypt(&x->writer, side, r->plain[side], &r->wire[side], x->err);
        if (code)
            return refused(x, r, code);
    }
    return rt_world_append(x->w, x->topic, r, x->err);
}

/* A source: the converter of the generated file decides. A failed record stops the task, unless errors are tolerated.
 */
static rt_code through_source(step_run *x, rt_test_record *r)
{
    rt_connector *c = x->connector;
    if (x->w->stopped) {
        r->refused = x->w->stopped;
        return RT_OK;
    }
    for (int side = 0; side < 2; side++) {
        rt_code code = rt_convert_write(c, x->w, side, r->plain[side], &r->wire[side], x->err);
        if (code) {
            rt_code end = refused(x, r, code);
            if (!c->tolerant)
                x->w->stopped = r->refused;
            return end;
        }
    }
    return rt_world_append(x->w, x->topic, r, x->err);
}

static rt_code dead_letter(step_run *x, rt_test_record *r)
{
    const char *name = x->connector->dead_letters;
    if (!name || !*name)
        return RT_OK;
    rt_test_topic *t = rt_world_topic(x->w, name);
    t->subjects_of = x->topic->name;
    if (x->w->connector->dead_letters && !strcmp(name, x->w->connector->dead_letters))
        FL_PUSH(x->w->a, &x->w->dead, r);
    return rt_world_append(x->w, t, r, x->err);
}

/* A sink reads what lies on the topic. A record that does not convert goes to the dead letters, or stops the task. */
static rt_code through_sink(step_run *x, rt_test_record *r)
{
    rt_connector *c = x->connector;
    if (x->w->stopped || !c->reads_topic || r->refused)
        return RT_OK;
    for (int side = 0; side < 2; side++)
        if (rt_convert_read(c, x->w, side, r->wire[side], &r->got[side], x->err)) {
            r->lost = fl_strdup(x->w->a, x->err->message);
            if (c->tolerant)
                return dead_letter(x, r);
            x->w->stopped = fl_printf(x->w->a, "the task stopped at record %zu: %s", r->number, x->err->message);
            return RT_OK;
        }
    r->delivered = true;
    return RT_OK;
}

/* Headers travel as they are: no client encrypts them. */
static void take_headers(step_run *x, rt_test_record *r, const fl_json *headers)
{
    rt_header *v = FL_NEW_N(x->w->a, rt_header, headers ? headers->count : 0);
    for (const fl_json *h = headers ? headers->child : NULL; h; h = h->next)
        v[r->nheaders++] = (rt_header){h->key, {(const uint8_t *)h->str, h->len}};
    r->headers = v;
}

static rt_code one_record(step_run *x, const fl_json *key, const fl_json *value, const fl_json *headers)
{
    rt_test_record *r = FL_NEW(x->w->a, rt_test_record);
    r->number = x->w->records.n + 1;
    FL_PUSH(x->w->a, &x->w->records, r);
    take_headers(x, r, headers);
    rt_code code = encode(&x->writer, RT_KEY_SIDE, key, &r->plain[RT_KEY_SIDE], x->err);
    if (!code)
        code = encode(&x->writer, RT_VALUE_SIDE, value, &r->plain[RT_VALUE_SIDE], x->err);
    if (code)
        return refused(x, r, code);
    bool source = x->connector && !strcmp(x->w->connector->kind, "source");
    code = source ? through_source(x, r) : through_writer(x, r);
    return code || !x->connector || source ? code : through_sink(x, r);
}

/* ---- records from files ---- */

static bool ends_in(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && !strcmp(s + n - m, suffix);
}

static rt_code read_fixture(rt_world *w, const char *name, char **text, size_t *n, rt_error *err)
{
    const char *path = fl_printf(w->a, "%s/%s", w->bench->dir, name);
    if (!rt_build_inside(name))
        return rt_fail(err, RT_BAD_INPUT, "%.200s is no file of the build", name);
    int e = fl_read_regular(w->a, path, FIXTURE_MAX, text, n);
    return e ? rt_fail(err, RT_IO, "%.200s: %s", name, fl_read_error(w->a, e, FIXTURE_MAX)) : RT_OK;
}

/* NULL, or what is wrong with an envelope. */
static const char *bad_envelope(step_run *x, const fl_json *j)
{
    const fl_json *headers = fl_json_get(j, "headers");
    for (const fl_json *m = j->child; j->kind == FL_JOBJECT && m; m = m->next)
        if (strcmp(m->key, "key") && strcmp(m->key, "value") && strcmp(m->key, "headers"))
            return fl_printf(x->w->a, "an envelope has key, value and headers, not what stands at byte %u",
                             m->key_from);
    if (!fl_json_get(j, "value"))
        return "an envelope is an object with a value";
    for (const fl_json *h = headers ? headers->child : NULL; h; h = h->next)
        if (headers->kind != FL_JOBJECT || h->kind != FL_JSTRING)
            return "headers are an object of texts";
    return NULL;
}

static rt_code envelope(step_run *x, const fl_json *j, const char *file, size_t line)
{
    const char *wrong = bad_envelope(x, j);
    if (wrong)
        return rt_fail(x->err, RT_BAD_INPUT, "%.200s:%zu: %s", file, line, wrong);
    return one_record(x, fl_json_get(j, "key"), fl_json_get(j, "value"), fl_json_get(j, "headers"));
}

static rt_code from_file(step_run *x, const char *file)
{
    char *text;
    size_t n, number = 0;
    fl_json_error e;
    rt_code code = read_fixture(x->w, file, &text, &n, x->err);
    for (char *line = text; !code && line && line < text + n; line += strcspn(line, "\n") + 1) {
        size_t len = strcspn(line, "\n");
        number++;
        if (strspn(line, " \t\r") >= len)
            continue;
        const fl_json *j = fl_json_parse(x->w->a, line, len, FL_JSON_ALLOW_NUL, &e);
        if (!j)
            return rt_fail(x->err, RT_BAD_INPUT, "%.200s:%zu: %s", file, number, e.message);
        code = ends_in(file, ".envelope.jsonl") ? envelope(x, j, file, number) : one_record(x, NULL, j, NULL);
    }
    return code;
}

/* ---- steps ---- */

static rt_code make(rt_world *w, const rt_step *s, rt_connector *c, rt_error *err)
{
    step_run x = {.w = w, .connector = c, .topic = rt_world_topic(w, w->topic->name), .err = err};
    rt_code code = open_writer(&x.writer, w, w->topic, err);
    if (!code)
        code = s->from ? from_file(&x, s->from) : one_record(&x, s->key, s->value, NULL);
    close_writer(&x.writer);
    return code;
}

static rt_code do_connector(rt_world *w, const rt_step *s, rt_error *err)
{
    rt_connector c;
    w->connector = rt_plan_connector_find(w->plan, s->connector);
    if (!w->connector)
        return rt_fail(err, RT_BAD_INPUT, "there is no connector %s in the plan", s->connector);
    rt_code code = rt_connector_open(&c, w, w->connector, w->topic, err);
    if (code)
        return code;
    w->config_fault = c.not_csfle;
    w->stopped = c.no_start;
    code = make(w, s, &c, err);
    rt_connector_close(&c);
    return code;
}

static rt_code captured(rt_world *w, rt_test_topic *t, const char *line, size_t n, const char *file, size_t number,
                        rt_error *err)
{
    rt_test_record *r = FL_NEW(w->a, rt_test_record);
    r->number = w->records.n + 1;
    r->captured = true;
    if (!(n == 4 && !memcmp(line, "null", 4))) {
        uint8_t *bytes = fl_alloc(w->a, n / 2 + 1);
        if (n % 2 || !fl_unhex(bytes, line, n))
            return rt_fail(err, RT_BAD_INPUT, "%.200s:%zu: no hex", file, number);
        r->wire[RT_VALUE_SIDE] = (rt_bytes){bytes, n / 2};
    }
    FL_PUSH(w->a, &w->records, r);
    return rt_world_append(w, t, r, err);
}

static rt_code do_replay(rt_world *w, const rt_step *s, rt_error *err)
{
    char *text;
    size_t n, number = 0;
    rt_test_topic *t = rt_world_topic(w, w->topic->name);
    rt_code code = read_fixture(w, s->from, &text, &n, err);
    if (!code && s->registry)
        code = rt_world_replace_registry(w, s->registry, err);
    for (char *line = text; !code && line && line < text + n; line += strcspn(line, "\n") + 1) {
        size_t len = strcspn(line, "\r\n");
        number++;
        if (len)
            code = captured(w, t, line, len, s->from, number, err);
    }
    return code;
}

static rt_code do_step(rt_world *w, const rt_step *s, rt_error *err)
{
    switch (s->act) {
    case RT_DO_CONNECTOR:
        return do_connector(w, s, err);
    case RT_DO_REPLAY:
        return do_replay(w, s, err);
    default:
        return make(w, s, NULL, err);
    }
}

rt_code rt_test_do(rt_world *w, const rt_step *s, rt_error *err)
{
    if (s->act == RT_DO_TAMPER)
        return rt_test_tamper(w, s, err);
    w->topic = rt_plan_topic_find(w->plan, s->topic);
    w->connector = NULL;
    w->stopped = w->config_fault = NULL;
    w->records.n = w->dead.n = 0;
    w->records.v = w->dead.v = NULL;
    w->records.cap = w->dead.cap = 0;
    if (!w->topic)
        return rt_fail(err, RT_BAD_INPUT, "there is no topic %s in the plan", s->topic);
    rt_code code = do_step(w, s, err);
    /* an expectation holds for all of no records, whatever it says */
    if (!code && !w->records.n)
        code = rt_fail(err, RT_BAD_INPUT, "%.200s holds no record, so nothing was shown", s->from);
    return code;
}
