/* lib_codec.c: codecs of the C library: one side of one topic for one worker, and records through it. */
#include <stdlib.h>
#include <string.h>

#include "runtime/codec.h"
#include "runtime/lib/lib.h"

#define USAGE      ((rt_code)FLEC_USAGE)
#define MAX_HEADER 4096 /* bytes of a header that matters; one that names a schema has some 20 */
#define KNOWN      (FLEC_KEY | FLEC_ENCRYPT | FLEC_GUID | FLEC_DEAD_LETTERS)

struct flec_codec {
    flec_engine *engine;
    rt_keys *keys;
    rt_codec *codec; /* NULL: the side has no schema, its bytes pass as they are */
    bool key, write;
    fl_buf out, head;      /* what was made last; head: for the header that names the schema */
    fl_buf schema, rule;   /* headers for the next record; empty: none */
    const rt_reader *read; /* the schema of the record decrypted last */
    rt_error err;
    int busy; /* atomic */
};

/* ---- opening ---- */

static rt_code no_topic(flec_engine *e, const char *topic, rt_error *err)
{
    fl_arena *a = fl_arena_new();
    const char **names = FL_NEW_N(a, const char *, e->plan->ntopics);
    for (size_t i = 0; i < e->plan->ntopics; i++)
        names[i] = e->plan->topics[i].name;
    const char *near = fl_nearest(topic, names, e->plan->ntopics);
    rt_code code = rt_fail(err, RT_NOT_FOUND, "the plan has no topic %s%s%s", topic, near ? "; did you mean " : "",
                           near ? near : "");
    fl_arena_free(a);
    return code;
}

/* With the engine's lock. Over HTTP nothing is registered: what the plan has must be there. */
static rt_code know(flec_engine *e, const rt_plan_topic *t, bool key, rt_error *err)
{
    bool *known = &e->known[t - e->plan->topics];
    const char *beyond = rt_plan_beyond(e->a, t, key);
    if (beyond)
        return rt_fail(err, RT_REFUSED, "topic %s: %s", t->name, beyond);
    if (*known)
        return RT_OK;
    rt_code code = rt_plan_look_up(e->plan, t->name, e->link.registry, e->a, err);
    *known = !code;
    return code;
}

static rt_code count(flec_engine *e, rt_error *err)
{
    const char *file = rt_link_seals_file(e->a, e->config, &e->link);
    rt_code code = e->counts || !file ? RT_OK : rt_lib_count(file, err);
    e->counts |= !code && file;
    return code;
}

static rt_code open_side(flec_codec *c, const rt_subject *s, const rt_plan_side *side, unsigned flags, rt_error *err)
{
    rt_codec_options opt = {.read_only = !c->write,
                            .read_writer_rules = !side,
                            .guid_framing = flags & FLEC_GUID,
                            .dead_letters = flags & FLEC_DEAD_LETTERS,
                            .dlq_topic = rt_link_setting(c->engine->config, "dlq.topic")};
    rt_code code = rt_codec_open(c->engine->link.registry, c->keys, s, &opt, &c->codec, err);
    return code || !side ? code : rt_codec_check_plan(c->codec, side, err);
}

static rt_code open_planned(flec_codec *c, const char *topic, unsigned flags, rt_error *err)
{
    flec_engine *e = c->engine;
    const rt_plan_topic *t = rt_plan_topic_find(e->plan, topic);
    if (!t)
        return no_topic(e, topic, err);
    pthread_mutex_lock(&e->lock);
    rt_code code = know(e, t, c->key, err);
    if (!code && c->write)
        code = count(e, err);
    pthread_mutex_unlock(&e->lock);
    const rt_plan_side *side = c->key ? &t->key : &t->value;
    if (code || !side->subject.subject)
        return code || side->format ? code : rt_fail(err, RT_REFUSED, "topic %s: the plan says nothing of it", topic);
    if (c->write && rt_plan_undecided(t, c->key))
        return rt_fail(err, RT_REFUSED, "topic %s: nothing in the plan says whether its %s is encrypted or in clear",
                       topic, c->key ? "key" : "value");
    return open_side(c, &side->subject, side, flags, err);
}

/* Without a plan: the latest version of the subject that the topic's name gives, and the rules that the registry has.
 */
static rt_code open_registered(flec_codec *c, const char *topic, unsigned flags, rt_error *err)
{
    rt_registry *r = c->engine->link.registry;
    rt_subject s;
    if (c->write)
        return rt_fail(err, USAGE, "what shall be encrypted how? An engine without a plan only decrypts");
    fl_arena *a = fl_arena_new();
    const char *subject = fl_printf(a, "%s-%s", topic, c->key ? "key" : "value");
    rt_code code = r->ops->subject_version(r, a, subject, -1, &s, err);
    if (!code)
        code = open_side(c, &s, NULL, flags, err);
    fl_arena_free(a);
    return code;
}

static flec_codec *new_codec(flec_engine *e, unsigned flags)
{
    flec_codec *c = fl_xcalloc(1, sizeof *c);
    rt_lib_hold(e);
    c->engine = e;
    c->key = flags & FLEC_KEY;
    c->write = flags & FLEC_ENCRYPT;
    fl_buf_init(&c->out, RT_MAX_RECORD);
    fl_buf_init(&c->head, RT_MAX_RECORD);
    fl_buf_init(&c->schema, MAX_HEADER);
    fl_buf_init(&c->rule, MAX_HEADER);
    rt_keys_options opt = {.registry = e->link.registry,
                           .params = rt_param_source_params(&e->source),
                           .now_ms = e->clock.now_ms,
                           .now_ctx = e->clock.ctx,
                           .makes_no_keks = e->link.remote,
                           .expiry_s = e->expiry_s,
                           .share = e->share};
    c->keys = rt_keys_new(&opt);
    return c;
}

flec_code flec_codec_open(flec_codec **codec, flec_engine *engine, const char *topic, unsigned flags, char *message,
                          size_t size)
{
    rt_error err = {0};
    if (message && size)
        *message = 0;
    if (codec)
        *codec = NULL;
    const char *wrong = !codec || !engine || !topic || !*topic ? "codec, engine or topic is missing"
                        : flags & ~KNOWN                       ? "there is no such flag"
                        : rt_lib_inherited(engine) ? "the engine is of the process before fork(): open another"
                                                   : NULL;
    if (wrong)
        return rt_lib_fail(rt_fail(&err, USAGE, "%s", wrong), &err, message, size);
    flec_codec *c = new_codec(engine, flags);
    rt_code code = engine->plan ? open_planned(c, topic, flags, &err) : open_registered(c, topic, flags, &err);
    if (code) {
        flec_codec_close(c);
        return rt_lib_fail(code, &err, message, size);
    }
    *codec = c;
    return FLEC_OK;
}

void flec_codec_close(flec_codec *codec)
{
    if (!codec || rt_lib_inherited(codec->engine))
        return;
    rt_codec_close(codec->codec);
    rt_keys_free(codec->keys);
    fl_buf_wipe(&codec->out);
    fl_buf_free(&codec->head);
    fl_buf_free(&codec->schema);
    fl_buf_free(&codec->rule);
    rt_lib_release(codec->engine);
    free(codec);
}

/* ---- records ---- */

/* One thread at a time. That two are in is seen nearly always; it is a help, no lock. */
static bool enter(flec_codec *c)
{
    if (!c || __atomic_load_n(&c->busy, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&c->busy, 1, __ATOMIC_RELAXED);
    *c->err.message = 0;
    return true;
}

static flec_code leave(flec_codec *c, rt_code code)
{
    __atomic_store_n(&c->busy, 0, __ATOMIC_RELAXED);
    return (flec_code)code;
}

/* RT_OK: there is a record, or none at all: *null. */
static rt_code check(flec_codec *c, const void *in, size_t n, bool *null)
{
    *null = !in;
    if (rt_lib_inherited(c->engine))
        return rt_fail(&c->err, USAGE, "the codec is of the process before fork(): open another");
    if (!in && n)
        return rt_fail(&c->err, USAGE, "a record of %zu bytes, and none are given", n);
    return RT_OK;
}

static rt_code pass(flec_codec *c, const void *in, size_t n)
{
    fl_buf_clear(&c->out);
    return fl_buf_add(&c->out, in, n) ? RT_OK
                                      : rt_fail(&c->err, RT_BAD_INPUT, "the record is larger than what is allowed");
}

static void hand_out(const flec_codec *c, const void **out, size_t *n)
{
    *out = c->out.p;
    *n = c->out.len;
}

flec_code flec_encrypt(flec_codec *codec, const void *body, size_t nbody, const void **record, size_t *nrecord)
{
    bool null;
    flec_codec *c = codec;
    if (!record || !nrecord)
        return FLEC_USAGE;
    *record = NULL;
    *nrecord = 0;
    if (!enter(c))
        return FLEC_USAGE;
    fl_buf_clear(&c->head);
    rt_code code = check(c, body, nbody, &null);
    if (code || null)
        return leave(c, code);
    if (!c->write)
        code = rt_fail(&c->err, USAGE, "the codec was opened without FLEC_ENCRYPT");
    else if (c->codec)
        code = rt_encrypt_framed(c->codec, body, nbody, &c->out, &c->head, &c->err);
    else
        code = pass(c, body, nbody);
    if (!code)
        hand_out(c, record, nrecord);
    c->read = NULL;
    return leave(c, code);
}

static rt_code decrypt(flec_codec *c, const void *record, size_t n)
{
    if (!c->codec)
        return pass(c, record, n);
    rt_wire w = {.header = c->schema.len ? (const uint8_t *)c->schema.p : NULL,
                 .nheader = c->schema.len,
                 .p = record,
                 .n = n,
                 .skip_rule = c->rule.len ? c->rule.p : NULL};
    rt_code code = rt_decrypt_framed(c->codec, &w, &c->out, NULL, &c->err);
    c->read = code ? NULL : c->codec->last;
    return code;
}

flec_code flec_decrypt(flec_codec *codec, const void *record, size_t nrecord, const void **body, size_t *nbody)
{
    bool null;
    flec_codec *c = codec;
    if (!body || !nbody)
        return FLEC_USAGE;
    *body = NULL;
    *nbody = 0;
    if (!enter(c))
        return FLEC_USAGE;
    rt_code code = check(c, record, nrecord, &null);
    if (!code && !null)
        code = decrypt(c, record, nrecord);
    if (!code && !null)
        hand_out(c, body, nbody);
    fl_buf_clear(&c->schema);
    fl_buf_clear(&c->rule);
    return leave(c, code);
}

const char *flec_error(const flec_codec *codec)
{
    return codec ? codec->err.message : "there is no codec";
}

flec_code flec_failure(const flec_codec *codec, const char **rule, const char **topic)
{
    rt_failure f = {0};
    if (!codec || !rule || !topic)
        return FLEC_USAGE;
    bool is = *codec->err.message && codec->codec && rt_codec_failure(codec->codec, &f);
    *rule = is ? f.rule : NULL;
    *topic = is ? f.dlq : NULL;
    return is ? FLEC_OK : FLEC_NOT_FOUND;
}

/* ---- headers and schemas ---- */

static const char *header_name(const flec_codec *c)
{
    return c->key ? RT_HEADER_KEY : RT_HEADER_VALUE;
}

flec_code flec_header_set(flec_codec *codec, const char *name, const void *value, size_t nvalue)
{
    flec_codec *c = codec;
    if (!name || (!value && nvalue) || !enter(c))
        return FLEC_USAGE;
    bool rule = strcmp(name, RT_HEADER_RULE) == 0;
    fl_buf *to = rule ? &c->rule : strcmp(name, header_name(c)) == 0 ? &c->schema : NULL;
    if (!to || !value)
        return leave(c, RT_OK);
    fl_buf_clear(to);
    if (nvalue > MAX_HEADER / 2 || (rule && memchr(value, 0, nvalue)))
        return leave(c, rt_fail(&c->err, RT_BAD_INPUT, "header %s is too long, or no name", name));
    fl_buf_add(to, value, nvalue);
    return leave(c, RT_OK);
}

flec_code flec_header_get(const flec_codec *codec, size_t i, const char **name, const void **value, size_t *nvalue)
{
    if (!codec || !name || !value || !nvalue)
        return FLEC_USAGE;
    bool is = i == 0 && codec->head.len;
    *name = is ? header_name(codec) : NULL;
    *value = is ? codec->head.p : NULL;
    *nvalue = is ? codec->head.len : 0;
    return is ? FLEC_OK : FLEC_NOT_FOUND;
}

const char *flec_schema(const flec_codec *codec, const char **type, int *id)
{
    const rt_subject *s = !codec || !codec->codec ? NULL : codec->read ? &codec->read->subject : &codec->codec->subject;
    int number = !s ? 0 : codec->read ? codec->read->id : s->id;
    if (type)
        *type = !s ? NULL : s->type && *s->type ? s->type : "AVRO";
    if (id)
        *id = number > 0 ? number : 0;
    return s ? s->schema : NULL;
}
