/* serve.c: `flec serve`: the embedded registry over HTTP, for tests of any client. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/io.h"
#include "cli/opt.h"
#include "cli/serve_kms.h"
#include "cli/serve_safety.h"
#include "cli/stop.h"
#include "cli/verbs.h"
#include "runtime/rest/load.h"

typedef struct options {
    const char *listen, *store, *build, *config, *hash;
    cli_safety_options safety;
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
static bool say_ready(const rt_server *s, bool tls)
{
    printf("%s://%s\n", tls ? "https" : "http", rt_server_address(s));
    return fflush(stdout) == 0;
}

static fl_status serve(rt_store *st, const options *o, const cli_safety *safe)
{
    rt_error e = {0};
    rt_server_options how = {.listen = o->listen,
                             .store = st,
                             .tls = safe->tls,
                             .users = safe->users,
                             .roles = safe->roles,
                             .anybody = o->safety.anybody};
    rt_server *server;
    const rt_stop *stop = cli_stop_watch();
    fl_status status = load_build(st, o->build);
    if (status != FL_OK)
        return status;
    if (rt_server_start(&how, &server, &e) != RT_OK)
        return cannot(&e);
    if (!say_ready(server, safe->tls))
        rt_fail(&e, RT_IO, "standard output cannot be written");
    else if (rt_server_run(server, stop, &e) == RT_OK)
        e.code = RT_OK;
    if (e.code != RT_OK)
        status = cannot(&e);
    rt_server_close(server);
    return status;
}

static fl_status run(const options *o)
{
    rt_error e = {0};
    rt_registry *r;
    cli_serve_kms kms;
    cli_safety safe;
    fl_status status = FL_COULD_NOT_RUN;
    rt_code code = cli_safety_open(&safe, &o->safety, &e);
    if (code == RT_OK) {
        code = cli_serve_kms_open(&kms, o->config, o->build, &e);
        rt_registry_options opt = cli_serve_kms_options(&kms);
        if (code == RT_OK)
            code = rt_registry_open(o->store, &opt, &r, &e);
        if (code == RT_OK) {
            cli_serve_kms_say(&kms);
            status = serve((rt_store *)r, o, &safe);
            rt_registry_close(r);
        }
        cli_serve_kms_close(&kms);
    }
    cli_safety_close(&safe);
    return code == RT_OK ? status : cannot(&e);
}

/* Large bodies and answers go back to the system when they are done with. Left alone, the C library takes them from its
 * heap once it has seen one, and the heap then keeps what lies between small things that stay. */
static void give_memory_back(void)
{
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
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
        {"tls-cert", 0, CLI_TEXT, NULL, "FILE", "serves HTTPS with this certificate (PEM, with its chain)",
         &o.safety.cert},
        {"tls-key", 0, CLI_TEXT, NULL, "FILE", "the key of the certificate, PEM without a password", &o.safety.key},
        {"client-ca", 0, CLI_TEXT, NULL, "FILE", "each client must show a certificate that one of these CAs has signed",
         &o.safety.client_ca},
        {"users", 0, CLI_TEXT, NULL, "FILE", "who may log in, with hashed passwords (docs/serve.md)", &o.safety.users},
        {"bindings", 0, CLI_TEXT, NULL, "FILE",
         "what users may do: role bindings (those of --build, access/role-bindings.json, without it)",
         &o.safety.bindings},
        {"allow-anybody", 0, CLI_FLAG, NULL, NULL, "may listen beyond this machine without TLS and users",
         &o.safety.anybody},
        {"hash-password", 0, CLI_TEXT, NULL, "NAME", "reads a password, prints the user's line for --users, and ends",
         &o.hash},
        {0},
    };
    const cli_command cmd = {"serve", "", "serves the embedded registry over HTTP: schemas and data keys", opts, 0, 0};
    cli_args args;
    int rc = cli_parse(&cmd, argc, argv, &args);
    if (rc >= 0)
        return rc;
    signal(SIGPIPE, SIG_IGN);
    give_memory_back();
    o.safety.build = o.build;
    if (o.hash)
        return (int)cli_finish(cli_hash_password(o.hash));
    const char *wrong = cli_safety_wrong(&o.safety);
    if (wrong)
        return cli_usage(&cmd, "%s", wrong);
    fl_status status = run(&o);
    cli_stop_die();
    return (int)cli_finish(status);
}
