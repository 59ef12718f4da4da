/* settings.c: config and mode of everything, a context, a subject. */
#include <string.h>

#include "runtime/rest/call.h"

static rt_code no_setting(rest_call *c, const char *scope, int number, const char *what)
{
    return rt_fail_as(&c->err, RT_NOT_FOUND, number, "subject %s has no %s of its own", *scope ? scope : "(all)", what);
}

/* ---- config ---- */

static void print_default(rest_call *c, sch_level level)
{
    fl_jw_object(&c->w);
    fl_jw_kstring(&c->w, "compatibilityLevel", sch_level_name(level));
    fl_jw_end_object(&c->w);
}

/* The nearest config, and the level that holds where it names none. */
static rt_code print_in_force(rest_call *c, const char *scope)
{
    const char *scopes[] = {scope, rt_context_scope(c->a, rt_subject_context(c->a, scope)), ""};
    rt_settings set;
    rt_store_settings(c->st, c->a, scope, &set);
    for (size_t i = 0; i < 3; i++) {
        const rt_scope *s = rt_store_scope(c->st, scopes[i]);
        const fl_json *json =
            s && s->config ? fl_json_parse(c->a, s->config, strlen(s->config), 0, &(fl_json_error){0}) : NULL;
        if (!json)
            continue;
        fl_jw_object(&c->w);
        if (!fl_json_get(json, "compatibilityLevel"))
            fl_jw_kstring(&c->w, "compatibilityLevel", sch_level_name(set.level));
        for (const fl_json *m = json->child; m; m = m->next) {
            fl_jw_key(&c->w, m->key);
            fl_jw_node(&c->w, m);
        }
        fl_jw_end_object(&c->w);
        return RT_OK;
    }
    print_default(c, set.level);
    return RT_OK;
}

rt_code rest_get_config(rest_call *c)
{
    const char *scope;
    rt_code code = rest_scope(c, c->arg[0], &scope);
    if (code != RT_OK)
        return code;
    const rt_scope *s = rt_store_scope(c->st, scope);
    if (!*scope || rest_flag(c, "defaultToGlobal"))
        return print_in_force(c, scope);
    if (!s || !s->config)
        return no_setting(c, scope, 40408, "config");
    rest_plain(c, s->config);
    return RT_OK;
}

/* The answer is what was asked for. */
rt_code rest_set_config(rest_call *c)
{
    const char *scope;
    if (!c->json)
        return rest_no_body(c);
    rt_code code = rest_scope(c, c->arg[0], &scope);
    if (code == RT_OK)
        code = rt_store_writable(c->st, c->a, scope, &c->err);
    if (code == RT_OK)
        code = rt_store_set_config(c->st, c->a, scope, c->json, &c->err);
    if (code == RT_OK)
        fl_jw_node(&c->w, c->json);
    return code;
}

/* ---- mode ---- */

static void print_mode(rest_call *c, const char *mode)
{
    fl_jw_object(&c->w);
    fl_jw_kstring(&c->w, "mode", mode);
    fl_jw_end_object(&c->w);
}

rt_code rest_get_mode(rest_call *c)
{
    const char *scope;
    rt_settings set;
    rt_code code = rest_scope(c, c->arg[0], &scope);
    if (code != RT_OK)
        return code;
    const rt_scope *s = rt_store_scope(c->st, scope);
    if (*scope && !rest_flag(c, "defaultToGlobal") && (!s || !s->mode))
        return no_setting(c, scope, 40409, "mode");
    rt_store_settings(c->st, c->a, scope, &set);
    print_mode(c, *scope && s && s->mode && !rest_flag(c, "defaultToGlobal") ? s->mode : set.mode);
    return RT_OK;
}

rt_code rest_set_mode(rest_call *c)
{
    const char *scope, *mode;
    if (!c->json)
        return rest_no_body(c);
    rt_code code = rest_scope(c, c->arg[0], &scope);
    if (code == RT_OK)
        code = rest_string(c, "mode", 42204, &mode);
    if (code == RT_OK)
        code = rt_store_set_mode(c->st, c->a, scope, mode, rest_flag(c, "force"), &c->err);
    if (code == RT_OK)
        print_mode(c, mode);
    return code;
}

/* ---- taking away ---- */

/* The answer is what was set. */
static rt_code delete_setting(rest_call *c, bool config)
{
    const char *scope, *what = config ? "config" : "mode";
    rt_code code = rest_scope(c, c->arg[0], &scope);
    if (code != RT_OK)
        return code;
    const rt_scope *s = rt_store_scope(c->st, scope);
    const char *had = s ? config ? s->config : s->mode : NULL;
    if (*scope && !had)
        return no_setting(c, scope, 40401, what);
    if (config) /* the mode itself can be taken away in any mode */
        code = rt_store_writable(c->st, c->a, scope, &c->err);
    if (code == RT_OK && had)
        code = rt_store_unset(c->st, scope, config, &c->err);
    if (code != RT_OK)
        return code;
    if (!config)
        print_mode(c, had ? had : "READWRITE");
    else if (had)
        rest_plain(c, had);
    else
        print_default(c, SCH_BACKWARD);
    return RT_OK;
}

rt_code rest_delete_config(rest_call *c)
{
    return delete_setting(c, true);
}

rt_code rest_delete_mode(rest_call *c)
{
    return delete_setting(c, false);
}
