/* registry.c: `flec registry`: an embedded registry as a file, and back. */
#include <stdio.h>
#include <string.h>

#include "cli/io.h"
#include "cli/opt.h"
#include "cli/verbs.h"
#include "runtime/export.h"

typedef struct options {
    const char *store, *file;
} options;

static fl_status cannot(const rt_error *e)
{
    fl_log(FL_LOG_ERROR, "%s", e->message);
    return FL_COULD_NOT_RUN;
}

/* Whose data keys nobody can open who has the export alone. */
static void say_stand_ins(rt_store *st)
{
    fl_arena *a = fl_arena_new();
    rt_kek_names names = {0};
    rt_store_stand_ins(st, a, &names);
    for (size_t i = 0; i < names.n; i++)
        fl_log(
            FL_LOG_WARN,
            "KEK %s: the stand-in key of this registry wrapped its data keys. That key is a secret and is not in the "
            "export: a registry that imports it cannot open them",
            names.v[i]);
    fl_arena_free(a);
}

static fl_status write_out(const char *file, const fl_buf *b)
{
    if (!strcmp(file, "-")) {
        fwrite(b->p, 1, b->len, stdout);
        return cli_finish(FL_OK);
    }
    int e = fl_write_file(file, b->p, b->len, 0600, true);
    if (!e)
        return FL_OK;
    fl_log(FL_LOG_ERROR, "%s: %s", file, strerror(e));
    return FL_COULD_NOT_RUN;
}

static fl_status export_to(rt_store *st, const options *o)
{
    fl_buf b;
    rt_error e;
    fl_buf_init(&b, RT_EXPORT_MAX);
    rt_code code = rt_store_export(st, &b, &e);
    fl_status status = code == RT_OK ? write_out(o->file, &b) : cannot(&e);
    if (status == FL_OK)
        say_stand_ins(st);
    fl_buf_free(&b);
    return status;
}

static fl_status import_from(rt_store *st, const options *o)
{
    fl_arena *a = fl_arena_new();
    char *text;
    size_t n;
    rt_error e;
    fl_status status = FL_OK;
    const char *name = strcmp(o->file, "-") ? o->file : "<stdin>";
    int bad = fl_read_file(a, o->file, RT_EXPORT_MAX, &text, &n);
    if (bad) {
        fl_log(FL_LOG_ERROR, "%s: %s", name, fl_read_error(a, bad, RT_EXPORT_MAX));
        status = FL_COULD_NOT_RUN;
    } else if (rt_store_import(st, name, text, n, &e) != RT_OK) {
        status = cannot(&e);
    }
    fl_arena_free(a);
    return status;
}

int cli_registry(int argc, char **argv)
{
    options o = {.file = "-"};
    const cli_opt opts[] = {
        {"store", 0, CLI_TEXT, NULL, "URL", "file://DIR, as for flec serve; no server may have it open", &o.store},
        {"file", 'f', CLI_TEXT, NULL, "FILE", "the export; - is standard output or input (the default)", &o.file},
        {0},
    };
    const cli_command cmd = {"registry",
                             "export|import --store URL",
                             "writes all that an embedded registry holds as JSON, or fills an empty one with it",
                             opts,
                             1,
                             1};
    cli_args args;
    rt_error e;
    rt_registry *r;
    int rc = cli_parse(&cmd, argc, argv, &args);
    if (rc >= 0)
        return rc;
    bool exports = !strcmp(args.v[0], "export");
    if (!exports && strcmp(args.v[0], "import") != 0)
        return cli_usage(&cmd, "%s: export or import is expected", args.v[0]);
    if (!o.store || strncmp(o.store, "file://", 7) != 0)
        return cli_usage(&cmd, "--store file://DIR must name a registry on the disk");
    if (exports && !fl_exists(o.store + 7)) {
        fl_log(FL_LOG_ERROR, "%s: there is no such registry", o.store);
        return FL_COULD_NOT_RUN;
    }
    if (rt_registry_open(o.store, NULL, &r, &e) != RT_OK)
        return (int)cannot(&e);
    fl_status status = exports ? export_to((rt_store *)r, &o) : import_from((rt_store *)r, &o);
    rt_registry_close(r);
    return (int)status;
}
