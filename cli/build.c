/* build.c: `flec build`: a policy becomes a build directory. */
#include <stdio.h>
#include <string.h>

#include "cli/io.h"
#include "cli/opt.h"
#include "cli/verbs.h"
#include "compiler/compiler.h"

typedef struct options {
    const char *output, *only, *today, *environment, *previous, *words;
    int format;
} options;

/* ---- what was built, at a glance ---- */

static const char *s(size_t n)
{
    return n == 1 ? "" : "s";
}

static size_t encrypted_fields(const est_estate *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->topics.n; i++) {
        const est_side *sides[2] = {&e->topics.v[i]->key, &e->topics.v[i]->value};
        for (int k = 0; k < 2; k++)
            for (size_t j = 0; j < sides[k]->leaves.n; j++)
                n += sides[k]->leaves.v[j].encrypt != NULL;
    }
    return n;
}

static size_t files_below(const fc_build *b, const char *prefix, const char *suffix)
{
    size_t n = 0, m = strlen(suffix);
    for (size_t i = 0; i < b->files.n; i++) {
        size_t len = strlen(b->files.v[i].path);
        n += !strncmp(b->files.v[i].path, prefix, strlen(prefix)) && len >= m &&
             !strcmp(b->files.v[i].path + len - m, suffix);
    }
    return n;
}

static void line(const fc_build *b, const char *dir, const char *part, const char *prefix, const char *what)
{
    if (files_below(b, prefix, ""))
        printf("  %s/%-12s %s\n", dir, part, what);
}

static void summary(const est_estate *e, const fc_build *b, const char *dir)
{
    size_t shared = 0, sources = 0, fields = encrypted_fields(e),
           subjects = files_below(b, "registry/subjects/", ".json");
    char what[128];
    for (size_t i = 0; i < e->keks.n; i++)
        shared += e->keks.v[i]->shared;
    for (size_t i = 0; i < e->connectors.n; i++)
        sources += est_is_source(e->connectors.v[i]);
    printf("compiled %zu policy file%s\n\n", e->files.n, s(e->files.n));
    printf("  %4zu topic%s, %zu encrypted field%s\n", e->topics.n, s(e->topics.n), fields, s(fields));
    printf("  %4zu KEK%s, %zu of them shared\n", e->keks.n, s(e->keks.n), shared);
    printf("  %4zu connector%s: %zu source%s, %zu sink%s\n", e->connectors.n, s(e->connectors.n), sources, s(sources),
           e->connectors.n - sources, s(e->connectors.n - sources));
    printf("  %4zu test%s\n\n", e->tests.n, s(e->tests.n));
    snprintf(what, sizeof what, "%zu KEK%s and %zu subject%s, as the registry takes them", e->keks.n, s(e->keks.n),
             subjects, s(subjects));
    line(b, dir, "registry/", "registry/", what);
    line(b, dir, "connect/", "connect/", "a configuration for each connector, as JSON and as properties");
    line(b, dir, "access/", "access/", "role bindings of principals and connectors");
    line(b, dir, "plan.json", "plan.json", "what `flec encrypt`, `flec decrypt` and `flec test` execute");
    line(b, dir, "MANIFEST", "MANIFEST", "what is here, with digests");
}

/* ---- the command ---- */

static bool is_part(const char *name, size_t n)
{
    for (size_t i = 0; fc_part(i); i++)
        if (strlen(fc_part(i)) == n && !strncmp(fc_part(i), name, n))
            return true;
    return false;
}

static int check_options(const cli_command *cmd, const options *o)
{
    if (!o->output || !*o->output)
        return cli_usage(cmd, "where to? -o DIR is missing");
    for (const char *p = o->only; p && *p;) {
        size_t n = strcspn(p, ",");
        if (!is_part(p, n))
            return cli_usage(cmd, "`%.*s` is no part of a build: registry, connect, access, plan, tests", (int)n, p);
        p += n + (p[n] == ',');
    }
    if (o->only && !*o->only)
        return cli_usage(cmd, "--only names no part");
    return FL_OK;
}

static fl_status build(fl_arena *a, const char *const *paths, size_t n, const options *o, int64_t today)
{
    fl_diags diags;
    fl_status status = FL_OK;
    fc_options opt = {.today = today, .environment = o->environment, .previous = o->previous};
    if (!cli_personal_words(a, o->words, &opt.personal_words, &status))
        return status;
    fl_diags_init(&diags, a);
    est_estate *e = fc_compile(a, paths, n, &opt, &diags, &status);
    if (status == FL_USAGE || status == FL_COULD_NOT_RUN)
        return status;
    fc_build *b = e && !diags.errors ? fc_emit(e, o->only, &diags) : NULL;
    if (diags.errors || diags.warnings || o->format == CLI_JSON_FORMAT)
        status = fl_status_worse(status, cli_report(&diags, o->format));
    if (!b)
        return fl_status_worse(status, FL_FINDINGS);
    status = fl_status_worse(status, fc_write(b, o->output));
    if (!status && o->format == CLI_TEXT_FORMAT)
        summary(e, b, o->output);
    return status;
}

int cli_build(int argc, char **argv)
{
    options o = {.format = CLI_TEXT_FORMAT};
    const cli_opt opts[] = {
        {"output", 'o', CLI_TEXT, NULL, "DIR", "where the build goes; a folder that is there is replaced as a whole",
         &o.output},
        {"only", 0, CLI_TEXT, NULL, "PART,...", "some parts of it: registry, connect, access, plan, tests", &o.only},
        {"env", 0, CLI_TEXT, NULL, "NAME", "the environment", &o.environment},
        {"previous", 0, CLI_TEXT, NULL, "DIR", "the build that is in use: what would break its records is reported",
         &o.previous},
        {"today", 0, CLI_TEXT, NULL, "DATE", "the day on which `until` is judged; today in UTC", &o.today},
        CLI_PERSONAL_WORDS(&o.words),
        {"format", 0, CLI_ENUM, cli_formats, NULL, "how to report", &o.format},
        {0},
    };
    const cli_command cmd = {"build", "PATH... -o DIR", "checks a policy, then writes its artefacts", opts,
                             1,       SIZE_MAX};
    cli_args args;
    const char **paths;
    size_t n;
    int64_t today;
    fl_status status = FL_OK;
    int rc = cli_parse(&cmd, argc, argv, &args);
    if (rc >= 0)
        return rc;
    rc = check_options(&cmd, &o);
    if (rc)
        return rc;
    if (!cli_today(o.today, &today))
        return FL_USAGE;
    fl_arena *a = fl_arena_new();
    if (cli_policy_paths(a, args.v, args.n, &paths, &n, &status))
        status = build(a, paths, n, &o, today);
    fl_arena_free(a);
    return cli_finish(status);
}
