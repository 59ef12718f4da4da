/* serve_safety.c: who `flec serve` lets in. */
#include "cli/serve_safety.h"

#include <string.h>

const char *cli_safety_wrong(const cli_safety_options *o)
{
    if (!o->cert != !o->key)
        return "--tls-cert and --tls-key go together";
    if (o->client_ca && !o->cert)
        return "--client-ca needs --tls-cert and --tls-key: a client shows its certificate over TLS";
    if (o->bindings && !o->users && !o->client_ca)
        return "--bindings needs --users or --client-ca: without either nobody has a name";
    return NULL;
}

static rt_code read_roles(cli_safety *s, const cli_safety_options *o, rt_error *err)
{
    fl_arena *a = fl_arena_new();
    const char *path = o->bindings;
    rt_code code = RT_OK;
    if (!path && o->build) {
        path = fl_printf(a, "%s/access/role-bindings.json", o->build);
        path = fl_exists(path) ? path : NULL; /* a build of a part has none */
    }
    if (path)
        code = rt_roles_load(path, &s->roles, err);
    else if (!rt_users_admin(s->users))
        code = rt_fail(err, RT_REFUSED,
                       "nobody could do anything: there are no role bindings (--bindings, or a --build "
                       "that has them), and no user is an admin");
    fl_arena_free(a);
    return code;
}

rt_code cli_safety_open(cli_safety *s, const cli_safety_options *o, rt_error *err)
{
    *s = (cli_safety){0};
    rt_code code = o->cert ? rt_tls_load(o->cert, o->key, o->client_ca, &s->tls, err) : RT_OK;
    if (code == RT_OK && o->users)
        code = rt_users_load(o->users, &s->users, err);
    if (code == RT_OK && (o->users || o->client_ca))
        code = read_roles(s, o, err);
    return code;
}

void cli_safety_close(cli_safety *s)
{
    rt_roles_free(s->roles);
    rt_users_free(s->users);
    rt_tls_free(s->tls);
}
