/* sides.c: a topic's codecs from a plan or a registry, and records through them. */
#include "cli/sides.h"

#include "cli/crypto.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/dead_letters.h"
#include "cli/stop.h"
#include "runtime/link.h"
#include "runtime/http.h"
#include "runtime/seals.h"

const char *const cli_bytes_modes[] = {"text", "base64", NULL}, *const cli_error_modes[] = {"stop", "skip", NULL},
                  *const cli_framings[] = {"id", "guid", NULL};

typedef struct work {
    const cli_command *cmd;
    const cli_sides_options *o;
    fl_arena *a;
    rt_plan *plan; /* or NULL */
    const rt_plan_topic *topic;
    rt_config *config;
    rt_param_source source;
    rt_link link;
    rt_keys *keys;
    cli_dead_letters *dead;
    rt_codec *codecs[2]; /* by rt_part; NULL: a primitive format, or not needed */
    const char *formats[2];
} work;

/* What keeps the command from starting at all: status 4, whatever it is. */
static fl_status cannot(const rt_error *e)
{
    fl_log(FL_LOG_ERROR, "%s", e->message);
    return FL_COULD_NOT_RUN;
}

/* ---- plan and topic ---- */

static fl_status no_topic(const work *w)
{
    const char **names = FL_NEW_N(w->a, const char *, w->plan->ntopics);
    for (size_t i = 0; i < w->plan->ntopics; i++)
        names[i] = w->plan->topics[i].name;
    const char *near = fl_nearest(w->o->topic, names, w->plan->ntopics);
    return (fl_status)cli_usage(w->cmd, "the plan has no topic `%s`%s%s%s", w->o->topic, near ? "; did you mean `" : "",
                                near ? near : "", near ? "`?" : "");
}

static fl_status load_plan(work *w)
{
    rt_error e;
    if (!w->o->plan)
        return FL_OK;
    if (rt_plan_load(w->a, w->o->plan, &w->plan, &e))
        return cannot(&e);
    w->topic = rt_plan_topic_find(w->plan, w->o->topic);
    return w->topic ? FL_OK : no_topic(w);
}

/* ---- registry and keys ---- */

/* Over HTTP nothing is registered: that is for whoever may do it. */
static rt_code meet_plan(work *w, rt_error *e)
{
    if (!w->plan)
        return RT_OK;
    return w->link.remote ? rt_plan_look_up(w->plan, w->o->topic, w->link.registry, w->a, e)
                          : rt_plan_register(w->plan, w->link.registry, w->a, e);
}

static rt_code count_seals(const work *w, rt_error *e)
{
    const char *file = rt_link_seals_file(w->a, w->config, &w->link);
    return !file || w->o->decrypt ? RT_OK : rt_seals_keep(file, e);
}

static rt_code open_keys(work *w, rt_error *e)
{
    w->source = (rt_param_source){.config = w->config, .plan = w->plan};
    rt_keys_options opt = {
        .registry = w->link.registry, .params = rt_param_source_params(&w->source), .makes_no_keks = w->link.remote};
    rt_code code = rt_link_expiry(w->config, &opt.expiry_s, e);
    if (!code)
        w->keys = rt_keys_new(&opt);
    return code;
}

static fl_status open_registry(work *w)
{
    rt_error e;
    const char *text = rt_link_registry(w->o->registry, w->config, w->plan);
    if (!text || !*text)
        return (fl_status)cli_usage(w->cmd, "no registry is named: --registry file://DIR");
    rt_code code = rt_link_open(text, w->config, w->plan, NULL, &w->link, &e);
    if (w->link.passing)
        return (fl_status)cli_usage(w->cmd, "%s", e.message);
    if (!code)
        code = meet_plan(w, &e);
    if (!code)
        code = count_seals(w, &e);
    if (!code)
        code = open_keys(w, &e);
    return code ? cannot(&e) : FL_OK;
}

/* ---- codecs ---- */

static fl_status open_codec(work *w, const rt_subject *s, const rt_plan_side *side, rt_codec **out)
{
    rt_error e;
    rt_codec_options opt = {.read_only = w->o->decrypt,
                            .read_writer_rules = !side,
                            .guid_framing = w->o->framing == CLI_GUID,
                            .dead_letters = w->dead != NULL,
                            .dlq_topic = rt_link_setting(w->config, "dlq.topic")};
    if (rt_codec_open(w->link.registry, w->keys, s, &opt, out, &e))
        return cannot(&e);
    return side && rt_codec_check_plan(*out, side, &e) ? cannot(&e) : FL_OK;
}

static fl_status open_planned(work *w, rt_part part)
{
    const rt_plan_side *side = part == RT_KEY ? &w->topic->key : &w->topic->value;
    const char *beyond = rt_plan_beyond(w->a, w->topic, part == RT_KEY);
    if (beyond) {
        fl_log(FL_LOG_ERROR, "topic %s: %s", w->topic->name, beyond);
        return FL_COULD_NOT_RUN;
    }
    if (!w->o->decrypt && rt_plan_undecided(w->topic, part == RT_KEY)) {
        fl_log(FL_LOG_ERROR, "topic %s: nothing in the plan says whether its %s is encrypted or in clear",
               w->topic->name, part == RT_KEY ? "key" : "value");
        return FL_COULD_NOT_RUN;
    }
    if (side->subject.subject)
        return open_codec(w, &side->subject, side, &w->codecs[part]);
    w->formats[part] = side->format;
    return FL_OK;
}

/* Without a plan: the latest version of the subject that the topic's name gives. A key may be without one: then it is
 * bytes. */
static fl_status open_registered(work *w, rt_part part, bool needed)
{
    rt_error e;
    rt_subject s;
    const char *subject = fl_printf(w->a, "%s-%s", w->o->topic, part == RT_KEY ? "key" : "value");
    rt_code code = w->link.registry->ops->subject_version(w->link.registry, w->a, subject, -1, &s, &e);
    if (code == RT_NOT_FOUND && !needed) {
        w->formats[part] = "string";
        return FL_OK;
    }
    return code ? cannot(&e) : open_codec(w, &s, NULL, &w->codecs[part]);
}

static fl_status open_codecs(work *w)
{
    rt_part main_part = w->o->key ? RT_KEY : RT_VALUE;
    bool both = w->o->from == RT_ENVELOPE || w->o->to == RT_ENVELOPE;
    fl_status status = FL_OK;
    for (int part = RT_KEY; part <= RT_VALUE && !status; part++)
        if (both || part == (int)main_part)
            status =
                w->topic ? open_planned(w, (rt_part)part) : open_registered(w, (rt_part)part, part == (int)main_part);
    return status;
}

/* ---- the run ---- */

static fl_status transcode(work *w)
{
    const cli_sides_options *o = w->o;
    rt_transcode t = {.decrypt = o->decrypt,
                      .part = o->key ? RT_KEY : RT_VALUE,
                      .from = (rt_format)o->from,
                      .to = (rt_format)o->to,
                      .bytes = (sch_bytes_mode)o->bytes,
                      .latest = o->schema == CLI_LATEST,
                      .skip = o->on_error == CLI_SKIP,
                      .in = STDIN_FILENO,
                      .out = STDOUT_FILENO,
                      .topic = o->topic,
                      .bury = w->dead ? cli_bury : NULL,
                      .bury_ctx = w->dead,
                      .stop = cli_stop_watch()};
    rt_transcoded count;
    rt_error e;
    for (int i = 0; i < 2; i++)
        t.sides[i] = (rt_side){w->codecs[i], w->formats[i]};
    rt_code code = rt_transcode_run(&t, &count, &e);
    if (code) {
        fl_log(FL_LOG_ERROR, "topic %s, %s", o->topic, e.message);
        return rt_exit_status(code);
    }
    return count.failed ? FL_FINDINGS : FL_OK;
}

static void clean_up(work *w)
{
    rt_codec_close(w->codecs[RT_KEY]);
    rt_codec_close(w->codecs[RT_VALUE]);
    rt_http_end(); /* what is asked in the background is not waited for */
    rt_keys_free(w->keys);
    rt_seals_close();
    cli_dead_letters_close(w->dead);
    rt_link_close(&w->link);
    rt_config_free(w->config);
    fl_arena_free(w->a);
}

fl_status cli_transcode(const cli_command *cmd, const cli_sides_options *o)
{
    rt_error e;
    work w = {.cmd = cmd, .o = o};
    if (!o->topic || !*o->topic)
        return (fl_status)cli_usage(cmd, "which topic? --topic is missing");
    if (o->framing == CLI_GUID && o->to != RT_ENVELOPE)
        return (fl_status)cli_usage(cmd, "--framing guid puts the schema into a header, which only --to envelope has");
    w.a = fl_arena_new();
    fl_status status = o->config && rt_config_load(o->config, &w.config, &e) ? cannot(&e) : FL_OK;
    if (!status)
        status = cli_use_crypto(o->crypto);
    if (!status)
        status = load_plan(&w);
    if (!status && w.config && cli_dead_letters_open(w.config, &w.dead, &e))
        status = cannot(&e);
    if (!status)
        status = open_registry(&w);
    if (!status)
        status = open_codecs(&w);
    if (!status)
        status = transcode(&w);
    clean_up(&w);
    cli_stop_die();
    return status;
}
