/* serve.c: `flec serve`: the embedded registry over HTTP, for tests of any client. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/io.h"
#include "cli/opt.h"
#include "cli/serve_kms.h"
#include "cli/stop.h"
#include "cli/verbs.h"
#include "runtime/rest/load.h"
#include "runtime/rest/server.h"

typedef struct options {
    const char *listen, *store, *build, *config;
} options;

static fl_status cannot(const rt_error *e)
{
    fl_log(FL_LOG_ERROR, "%s", e->message);
    return FL_COULD_NOT_RUN;
}

static fl_status load_build(rt_store *st, const char *dir)
{
    rt_error e = {0};
    rt_loaded loaded = {0};
    if (!dir)
        return FL_OK;
    if (rt_rest_load(st, dir, &loaded, &e) != RT_OK)
        return cannot(&e);
    fl_log(FL_LOG_INFO, "%s: %zu KEKs and %zu subjects", dir, loaded.keks, loaded.subjects);
    return FL_OK;
}

/* The line that scripts wait for: everything is ready, and the port is known. */
static bool say_ready(const rt_server *s)
{
    printf("http://%s\n", rt_server_address(s));
    return fflush(stdout) == 0;
}

static fl_status serve(rt_store *st, const options *o)
{
    rt_error e = {0};
    rt_server *server;
    const rt_stop *stop = cli_stop_watch();
    fl_status status = load_build(st, o->build);
    if (status != FL_OK)
        return status;
    if (rt_server_open(o->listen, st, &server, &e) != RT_OK)
        return cannot(&e);
    if (!say_ready(server))
        rt_fail(&e, RT_IO, "standard output cannot be written");
    else if (rt_server_run(server, stop, &e) == RT_OK)
        e.code = RT_OK;
    if (e.code != RT_OK)
        status = cannot(&e);
    rt_server_close(server);
    return status;
}

int cli_serve(int argc, char **argv)
{
    options o = {.listen = "127.0.0.1:8081", .store = "mem:"};
    const cli_opt opts[] = {
        {"listen", 0, CLI_TEXT, NULL, "ADDRESS:PORT", "where to listen (127.0.0.1:8081); port 0: any that is free",
         &o.listen},
        {"store", 0, CLI_TEXT, NULL, "URL", "mem:, gone with the process (the default), or file://DIR", &o.store},
        {"build", 0, CLI_TEXT, NULL, "DIR", "a build whose schemas, rules and keys it holds from the start", &o.build},
        {"config", 0, CLI_TEXT, NULL, "FILE",
         "client settings, key=value: all shared KEKs then use their own KMS (docs/serve.md)", &o.config},
        {0},
    };
    const cli_command cmd = {"serve", "", "serves the embedded registry over HTTP: schemas and data keys", opts, 0, 0};
    cli_args args;
    rt_error e;
    rt_registry *r;
    cli_serve_kms kms;
    int rc = cli_parse(&cmd, argc, argv, &args);
    if (rc >= 0)
        return rc;
    signal(SIGPIPE, SIG_IGN);
    rt_code code = cli_serve_kms_open(&kms, o.config, o.build, &e);
    rt_registry_options opt = cli_serve_kms_options(&kms);
    if (code != RT_OK || rt_registry_open(o.store, &opt, &r, &e) != RT_OK) {
        cli_serve_kms_close(&kms);
        return (int)cannot(&e);
    }
    cli_serve_kms_say(&kms);
    fl_status status = serve((rt_store *)r, &o);
    rt_registry_close(r);
    cli_serve_kms_close(&kms);
    cli_stop_die();
    return (int)cli_finish(status);
}
