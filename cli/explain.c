/* explain.c: flec explain: the page of a check, the list of checks, or why a field of a topic is or is not encrypted.
 */
#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "cli/io.h"
#include "cli/opt.h"
#include "cli/pages.h"
#include "cli/verbs.h"
#include "compiler/check/check.h"
#include "compiler/compiler.h"

typedef struct options {
    cli_args policies;
    const char *environment, *today;
    bool key;
    int format;
} options;

/* ---- checks ---- */

static fl_status list_checks(void)
{
    size_t n;
    const chk_row *rows = chk_rows(&n);
    for (size_t i = 0; i < n; i++)
        printf("%-24s %-8s %s\n", rows[i].name, rows[i].severity == FL_ERROR ? "error" : "warning", rows[i].doc);
    return FL_OK;
}

static int unknown(const cli_command *cmd, const char *name)
{
    const char *names[128];
    size_t n;
    const chk_row *rows = chk_rows(&n);
    for (size_t i = 0; i < n && i < 128; i++)
        names[i] = rows[i].name;
    const char *near = fl_nearest(name, names, n);
    if (near)
        return cli_usage(cmd, "there is no check `%s`; did you mean `%s`?", name, near);
    return cli_usage(cmd, "there is no check `%s`; `flec explain` lists them, and a topic needs --policy PATH", name);
}

static int explain_check(const cli_command *cmd, const char *name)
{
    for (size_t i = 0; i < cli_npages; i++)
        if (!strcmp(cli_pages[i].name, name)) {
            fputs(cli_pages[i].text, stdout);
            return cli_finish(FL_OK);
        }
    return unknown(cmd, name);
}

/* ---- topics ---- */

static fl_status no_such_topic(const est_estate *e, const char *name)
{
    const char **names = FL_NEW_N(e->arena, const char *, e->topics.n + 1);
    for (size_t i = 0; i < e->topics.n; i++)
        names[i] = e->topics.v[i]->name.s;
    const char *near = fl_nearest(name, names, e->topics.n);
    fl_log(FL_LOG_ERROR, "the policy has no topic `%s`%s%s%s", name, near ? "; did you mean `" : "", near ? near : "",
           near ? "`?" : "");
    return FL_USAGE;
}

/* Below a record, an array, a map: `home` reaches `home.street`, `emails` reaches `emails[]`. */
static bool is_at_or_below(const char *path, const char *top)
{
    size_t n = strlen(top);
    return !strncmp(path, top, n) && (!path[n] || path[n] == '.' || path[n] == '[');
}

static void add_leaves(const est_estate *e, const est_side *s, const sch_hits *hits, cli_whys *all)
{
    for (size_t i = 0; i < s->leaves.n; i++) {
        bool wanted = !hits;
        for (size_t k = 0; hits && !wanted && k < hits->n; k++)
            wanted = is_at_or_below(s->leaves.v[i].hit.path, hits->v[k].path);
        if (wanted)
            FL_PUSH(e->arena, &all->list, cli_why_leaf(e, s, &s->leaves.v[i]));
    }
}

static void add_side(const est_estate *e, const est_side *s, cli_whys *all)
{
    if (s->leaves.n)
        add_leaves(e, s, NULL, all);
    else
        FL_PUSH(e->arena, &all->list, cli_why_side(e, s));
}

static fl_status no_such_path(const est_estate *e, const est_side *s, const char *path, const char *message)
{
    const char *near = NULL;
    if (!*message && s->schema)
        sch_nearest(s->schema, e->arena, path, &near, 1);
    if (*message)
        fl_log(FL_LOG_ERROR, "`%s` is no path: %s", path, message);
    else
        fl_log(FL_LOG_ERROR, "the %s of %s has no field `%s`%s%s%s", est_side_name(s), s->topic->name.s, path,
               near ? "; the nearest: " : "", near ? near : "",
               s->schema ? "" : ": it has no schema, or one that could not be read");
    return FL_USAGE;
}

static fl_status collect(const est_estate *e, const est_topic *t, const char *path, bool key, cli_whys *all)
{
    sch_hits hits = {0};
    char message[160] = "";
    const est_side *s = key ? &t->key : &t->value;
    all->one = path != NULL;
    if (!path) {
        add_side(e, &t->key, all);
        if (!key)
            add_side(e, &t->value, all);
        return FL_OK;
    }
    if (s->schema && sch_select(s->schema, e->arena, path, &hits, message) == SCH_PATH_OK)
        add_leaves(e, s, &hits, all);
    return all->list.n ? FL_OK : no_such_path(e, s, path, message);
}

static fl_status explain_topic(fl_arena *a, const options *o, const cli_args *args, const fc_options *opt)
{
    fl_diags diags;
    fl_status status = FL_OK;
    const char **paths;
    size_t n;
    cli_whys all = {0};
    fl_diags_init(&diags, a);
    if (!cli_policy_paths(a, o->policies.v, o->policies.n, &paths, &n, &status))
        return status;
    const est_estate *e = fc_compile(a, paths, n, opt, &diags, &status);
    if (!e) {
        if (diags.errors)
            status = fl_status_worse(status, cli_report(&diags, o->format));
        return status ? status : FL_COULD_NOT_RUN;
    }
    const est_topic *t = est_find_topic(e, args->v[0]);
    status = t ? collect(e, t, args->n > 1 ? args->v[1] : NULL, o->key, &all) : no_such_topic(e, args->v[0]);
    if (status != FL_OK)
        return status;
    (o->format == CLI_JSON_FORMAT ? cli_explain_json : cli_explain_text)(e, t, &all);
    if (!diags.errors)
        return FL_OK;
    fl_log(FL_LOG_ERROR, "the policy has errors, so nothing of this holds yet: flec check shows them");
    return FL_FINDINGS;
}

/* ---- the command ---- */

int cli_explain(int argc, char **argv)
{
    options o = {.format = CLI_TEXT_FORMAT};
    fc_options opt = {0};
    const cli_opt opts[] = {
        {"policy", 'p', CLI_LIST, NULL, "PATH", "the policy of the topic: a file or folder; may be given again",
         &o.policies},
        {"key", 0, CLI_FLAG, NULL, NULL, "the path is one of the topic's key", &o.key},
        {"env", 0, CLI_TEXT, NULL, "NAME", "the environment", &opt.environment},
        {"today", 0, CLI_TEXT, NULL, "DATE", "the day on which `until` is judged; today in UTC", &o.today},
        {"format", 0, CLI_ENUM, cli_formats, NULL, "how to report on a topic", &o.format},
        {0},
    };
    const cli_command cmd = {"explain",
                             "[CHECK | TOPIC [PATH] --policy PATH]",
                             "prints what a check means and what to do, or why a field of a topic is or is not "
                             "encrypted, and who reads it; without operands, lists the checks",
                             opts,
                             0,
                             2};
    cli_args args;
    int done = cli_parse(&cmd, argc, argv, &args);
    if (done >= 0)
        return done;
    if (!args.n)
        return o.policies.n ? cli_usage(&cmd, "which topic?") : (int)cli_finish(list_checks());
    if (!o.policies.n)
        return args.n == 1 ? explain_check(&cmd, args.v[0])
                           : cli_usage(&cmd, "a topic needs its policy: --policy PATH");
    if (!cli_today(o.today, &opt.today))
        return FL_USAGE;
    fl_arena *a = fl_arena_new();
    fl_status status = explain_topic(a, &o, &args, &opt);
    fl_arena_free(a);
    return cli_finish(status);
}
