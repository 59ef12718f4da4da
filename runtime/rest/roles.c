/* roles.c: role bindings, by principal.
 *
 * What a role may do on a subject: DeveloperRead Read and ReadCompatibility, DeveloperWrite Write alone, as the
 * vendor's metadata service describes them (confluentinc/cli, test/test-server/mds_routes_and_roles.go, and the columns
 * Read, Write, Manage of docs.confluent.io/platform/current/security/authorization/rbac/rbac-predefined-roles.html).
 * That the other operations, Delete and WriteCompatibility, are DeveloperManage's was not found written down. Which
 * call is which operation:
 * docs.confluent.io/platform/7.4/confluent-security-plugins/schema-registry/authorization/index.html. On a KEK:
 * docs.confluent.io/platform/current/security/protect-data/csfle/manage-keys.html says that bindings stand on Kek:NAME
 * and judge its DEKs, too, and the vendor gives clients that write DeveloperWrite alone, though they read the KEK
 * first; so it includes reading. That DeveloperManage deletes and changes was not found written down. */
#include "runtime/rest/roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/store.h"

#define ALL (RT_MAY_READ | RT_MAY_WRITE | RT_MAY_DELETE | RT_MAY_SEE_CONFIG | RT_MAY_CONFIG)

static const struct role {
    const char *name;
    unsigned rights[2]; /* by rt_resource */
} roles[] = {
    {"DeveloperRead", {RT_MAY_READ | RT_MAY_SEE_CONFIG, RT_MAY_READ}},
    {"DeveloperWrite", {RT_MAY_WRITE, RT_MAY_READ | RT_MAY_WRITE}},
    {"DeveloperManage", {RT_MAY_DELETE | RT_MAY_SEE_CONFIG | RT_MAY_CONFIG, RT_MAY_DELETE | RT_MAY_CONFIG}},
    {"ResourceOwner", {ALL, ALL}},
};

static const char *const types[] = {[RT_ON_SUBJECT] = "Subject", [RT_ON_KEK] = "Kek"};

typedef struct prefix {
    rt_resource on;
    const char *text;
    unsigned rights;
} prefix;

typedef struct grants { /* of one principal */
    fl_map *exact[2];   /* name to unsigned * */
    FL_VEC(prefix) prefixes;
} grants;

struct rt_roles {
    fl_arena *arena;
    fl_map *principals; /* "User:…" to grants */
};

/* ---- reading ---- */

typedef struct row {
    const char *principal, *role, *type, *resource, *pattern;
} row;

static grants *grants_of(rt_roles *r, const char *principal)
{
    grants *g = fl_map_get(r->principals, principal);
    if (g)
        return g;
    g = FL_NEW(r->arena, grants);
    g->exact[RT_ON_SUBJECT] = fl_map_new();
    g->exact[RT_ON_KEK] = fl_map_new();
    fl_map_put(r->principals, principal, g);
    return g;
}

static void grant(rt_roles *r, const row *w, rt_resource on, unsigned rights)
{
    grants *g = grants_of(r, w->principal);
    const char *name = on == RT_ON_SUBJECT ? rt_subject_normal(r->arena, w->resource) : w->resource;
    if (!strcmp(w->pattern, "PREFIXED") || !strcmp(name, "*")) {
        FL_PUSH(r->arena, &g->prefixes, (prefix){on, strcmp(name, "*") ? fl_strdup(r->arena, name) : "", rights});
        return;
    }
    unsigned *has = fl_map_get(g->exact[on], name);
    if (!has) {
        has = FL_NEW(r->arena, unsigned);
        fl_map_put(g->exact[on], name, has);
    }
    *has |= rights;
}

static const struct role *role_named(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (!strcmp(roles[i].name, name))
            return &roles[i];
    return NULL;
}

static bool of_kafka(const char *type)
{
    return !strcmp(type, "Topic") || !strcmp(type, "Group");
}

static const char *row_wrong(fl_arena *a, const row *w)
{
    if (!w->principal || !w->role || !w->type || !w->resource || !w->pattern)
        return "a binding has principal, role, resourceType, resource and patternType";
    if (of_kafka(w->type))
        return NULL;
    if ((strncmp(w->principal, "User:", 5) != 0 && strncmp(w->principal, "Group:", 6) != 0) ||
        !strchr(w->principal, ':')[1])
        return fl_printf(a, "principal %s: write User:NAME or Group:NAME", w->principal);
    if (strcmp(w->type, types[RT_ON_SUBJECT]) != 0 && strcmp(w->type, types[RT_ON_KEK]) != 0)
        return fl_printf(a, "resourceType %s is none of Kek, Subject, Topic, Group", w->type);
    if (!role_named(w->role))
        return fl_printf(a, "role %s is none of DeveloperRead, DeveloperWrite, DeveloperManage, ResourceOwner",
                         w->role);
    if (strcmp(w->pattern, "LITERAL") != 0 && strcmp(w->pattern, "PREFIXED") != 0)
        return fl_printf(a, "patternType %s is neither LITERAL nor PREFIXED", w->pattern);
    return *w->resource ? NULL : "the resource's name is empty";
}

static rt_code take_row(rt_roles *r, const char *path, size_t number, const fl_json *json, rt_error *err)
{
    row w = {fl_json_str(json, "principal"), fl_json_str(json, "role"), fl_json_str(json, "resourceType"),
             fl_json_str(json, "resource"), fl_json_str(json, "patternType")};
    const char *wrong = row_wrong(r->arena, &w);
    if (wrong)
        return rt_fail(err, RT_BAD_INPUT, "%s: binding %zu: %s", path, number, wrong);
    if (of_kafka(w.type))
        return RT_OK;
    rt_resource on = strcmp(w.type, types[RT_ON_KEK]) ? RT_ON_SUBJECT : RT_ON_KEK;
    grant(r, &w, on, role_named(w.role)->rights[on]);
    return RT_OK;
}

rt_code rt_roles_load(const char *path, rt_roles **out, rt_error *err)
{
    rt_roles *r = fl_xcalloc(1, sizeof *r);
    fl_json_error e;
    char *text;
    size_t n, number = 0;
    *r = (rt_roles){fl_arena_new(), fl_map_new()};
    rt_code code = RT_OK;
    int bad = fl_read_regular(r->arena, path, RT_ROLES_MAX, &text, &n);
    if (bad)
        code = rt_fail(err, RT_IO, "%s: %s", path, fl_read_error(r->arena, bad, RT_ROLES_MAX));
    const fl_json *list = bad ? NULL : fl_json_parse(r->arena, text, n, 0, &e);
    if (!bad && (!list || list->kind != FL_JARRAY))
        code = rt_fail(err, RT_BAD_INPUT, "%s: %s", path, list ? "role bindings are a JSON array" : e.message);
    for (const fl_json *row_at = code == RT_OK ? list->child : NULL; row_at && code == RT_OK; row_at = row_at->next)
        code = take_row(r, path, ++number, row_at, err);
    if (code == RT_OK)
        *out = r;
    else
        rt_roles_free(r);
    return code;
}

static bool free_grants(const char *key, void *value, void *ctx)
{
    grants *g = value;
    fl_map_free(g->exact[RT_ON_SUBJECT]);
    fl_map_free(g->exact[RT_ON_KEK]);
    return true;
}

void rt_roles_free(rt_roles *r)
{
    if (!r)
        return;
    fl_map_each(r->principals, free_grants, NULL);
    fl_map_free(r->principals);
    fl_arena_free(r->arena);
    free(r);
}

/* ---- asking ---- */

static const grants *find(const rt_roles *r, const char *kind, const char *name)
{
    char key[1024];
    int n = snprintf(key, sizeof key, "%s:%s", kind, name);
    return n > 0 && (size_t)n < sizeof key ? fl_map_get(r->principals, key) : NULL;
}

bool rt_roles_name(const rt_roles *r, const char *user)
{
    return r && find(r, "User", user);
}

static unsigned rights_by(const grants *g, rt_resource on, const char *name)
{
    if (!g)
        return 0;
    const unsigned *exact = fl_map_get(g->exact[on], name);
    unsigned rights = exact ? *exact : 0;
    for (size_t i = 0; i < g->prefixes.n; i++) {
        const prefix *p = &g->prefixes.v[i];
        if (p->on == on && !strncmp(name, p->text, strlen(p->text)))
            rights |= p->rights;
    }
    return rights;
}

unsigned rt_access_rights(const rt_access *a, rt_resource on, const char *name)
{
    if (rt_access_admin(a))
        return ALL;
    if (!a->roles)
        return 0;
    unsigned rights = rights_by(find(a->roles, "User", a->user->name), on, name);
    for (size_t i = 0; i < a->user->ngroups; i++)
        rights |= rights_by(find(a->roles, "Group", a->user->groups[i]), on, name);
    return rights;
}

bool rt_access_may(const rt_access *a, rt_resource on, const char *name, unsigned right)
{
    return (rt_access_rights(a, on, name) & right) == right;
}

bool rt_access_admin(const rt_access *a)
{
    return !a || a->user->admin;
}

bool rt_access_known(const rt_access *a)
{
    if (rt_access_admin(a))
        return true;
    bool known = a->roles && find(a->roles, "User", a->user->name);
    for (size_t i = 0; a->roles && i < a->user->ngroups; i++)
        known |= find(a->roles, "Group", a->user->groups[i]) != NULL;
    return known;
}
