/* schemas.c: what is asked of the registry as a whole, and schemas by id and GUID. */
#include <stdlib.h>
#include <string.h>

#include "runtime/rest/call.h"

/* ---- the registry ---- */

rt_code rest_root(rest_call *c)
{
    fl_jw_object(&c->w);
    fl_jw_end_object(&c->w);
    return RT_OK;
}

typedef struct context_names {
    fl_arena *a;
    rest_strings list;
} context_names;

static bool add_context(const char *key, void *value, void *ctx)
{
    context_names *names = ctx;
    if (strcmp(key, ".") != 0 && !((const rt_context *)value)->gone)
        FL_PUSH(names->a, &names->list, ((const rt_context *)value)->name);
    return true;
}

rt_code rest_contexts(rest_call *c)
{
    context_names names = {.a = c->a};
    FL_PUSH(c->a, &names.list, ".");
    fl_map_each(c->st->contexts, add_context, &names);
    rest_sort(&names.list);
    rest_list(c, &names.list);
    return RT_OK;
}

rt_code rest_delete_context(rest_call *c)
{
    const char *name = c->arg[0];
    if (name[0] == ':' && name[strlen(name) - 1] == ':' && strlen(name) > 2) /* as it stands before subjects */
        name = fl_strndup(c->a, name + 1, strlen(name) - 2);
    rt_code code = rt_store_writable(c->st, c->a, rt_context_scope(c->a, name), &c->err);
    if (code == RT_OK)
        code = rt_store_delete_context(c->st, name, &c->err);
    if (code == RT_OK)
        rest_nothing(c);
    return code;
}

rt_code rest_id(rest_call *c)
{
    fl_jw_object(&c->w);
    fl_jw_kstring(&c->w, "id", "");
    fl_jw_key(&c->w, "scope");
    fl_jw_object(&c->w);
    fl_jw_key(&c->w, "path");
    fl_jw_array(&c->w);
    fl_jw_end_array(&c->w);
    fl_jw_key(&c->w, "clusters");
    fl_jw_object(&c->w);
    fl_jw_kstring(&c->w, "kafka-cluster", "flec");
    fl_jw_kstring(&c->w, "schema-registry-cluster", "flec");
    fl_jw_end_object(&c->w);
    fl_jw_end_object(&c->w);
    fl_jw_end_object(&c->w);
    return RT_OK;
}

rt_code rest_release(rest_call *c)
{
    fl_jw_object(&c->w);
    fl_jw_kstring(&c->w, "version", "flec " FLEC_VERSION);
    fl_jw_kstring(&c->w, "commitId", "");
    fl_jw_end_object(&c->w);
    return RT_OK;
}

rt_code rest_types(rest_call *c)
{
    fl_jw_array(&c->w);
    fl_jw_string(&c->w, "JSON");
    fl_jw_string(&c->w, "PROTOBUF");
    fl_jw_string(&c->w, "AVRO");
    fl_jw_end_array(&c->w);
    return RT_OK;
}

rt_code rest_no_association(rest_call *c)
{
    return rt_fail_as(&c->err, RT_NOT_FOUND, 40401, "no subject is associated with a resource in this registry");
}

/* ---- all schemas ---- */

typedef struct listed {
    const rt_versions *of;
    const rt_version *version;
} listed;

typedef struct listing {
    rest_call *c;
    const char *prefix, *rule_type;
    bool any_context, deleted, latest;
    fl_map *aliases; /* subject -> rest_strings: who is an alias of it; NULL: not asked for */
    FL_VEC(listed) list;
} listing;

bool rest_prefixed(const char *subject, const char *prefix, bool any_context)
{
    if (any_context)
        return !strncmp(rt_subject_bare(subject), prefix, strlen(prefix));
    return !strncmp(subject, prefix, strlen(prefix)) && (prefix[0] == ':' || rt_subject_bare(subject) == subject);
}

const char *rest_prefix(rest_call *c, bool *any_context)
{
    const char *prefix = rest_text(c, "subjectPrefix");
    *any_context = strcmp(c->context, ".") == 0 && (!prefix || !strncmp(prefix, ":*:", 3));
    if (*any_context)
        return prefix ? prefix + 3 : "";
    if (strcmp(c->context, ".") != 0)
        return fl_printf(c->a, ":%s:%s", c->context, prefix && prefix[0] != ':' ? prefix : "");
    return rt_subject_normal(c->a, prefix);
}

static bool has_rule_type(fl_arena *a, const rt_subject *s, const char *type)
{
    const fl_json *set = s->ruleset ? fl_json_parse(a, s->ruleset, strlen(s->ruleset), 0, &(fl_json_error){0}) : NULL;
    for (const fl_json *phase = set ? set->child : NULL; phase; phase = phase->next)
        for (const fl_json *rule = phase->kind == FL_JARRAY ? phase->child : NULL; rule; rule = rule->next) {
            const char *has = fl_json_str(rule, "type");
            if (has && !strcmp(has, type))
                return true;
        }
    return false;
}

static bool add_schema(const rt_versions *of, const rt_version *v, void *ctx)
{
    listing *l = ctx;
    bool aliased = l->aliases && fl_map_get(l->aliases, of->subject);
    if ((v->deleted && !l->deleted) || !rest_visible(l->c, of->subject) ||
        !(aliased || rest_prefixed(of->subject, l->prefix, l->any_context)))
        return true;
    if (l->latest && l->list.n && l->list.v[l->list.n - 1].of == of)
        l->list.n--; /* versions of a subject come in order */
    FL_PUSH(l->c->a, &l->list, (listed){of, v});
    return true;
}

/* Aliases with the prefix bring the subjects that they mean. */
static bool add_alias(const char *scope, void *value, void *ctx)
{
    listing *l = ctx;
    const char *subject = rt_store_unalias(l->c->st, l->c->a, scope);
    if (subject == scope || !*rt_subject_bare(scope) || !rest_prefixed(scope, l->prefix, l->any_context))
        return true;
    rest_strings *names = fl_map_get(l->aliases, subject);
    if (!names) {
        names = FL_NEW(l->c->a, rest_strings);
        fl_map_put(l->aliases, subject, names);
    }
    FL_PUSH(l->c->a, names, fl_strdup(l->c->a, scope));
    return true;
}

static void print_aliases(listing *l, const char *subject)
{
    rest_strings *names = l->aliases ? fl_map_get(l->aliases, subject) : NULL;
    if (!names)
        return;
    rest_sort(names);
    fl_jw_key(&l->c->w, "aliases");
    fl_jw_array(&l->c->w);
    for (size_t i = 0; i < names->n; i++)
        fl_jw_string(&l->c->w, names->v[i]);
    fl_jw_end_array(&l->c->w);
}

static int by_subject(const void *x, const void *y)
{
    const listed *a = x, *b = y;
    int d = strcmp(a->of->subject, b->of->subject);
    return d ? d : a->version->number - b->version->number;
}

static void keep_ruled(listing *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->list.n; i++)
        if (has_rule_type(l->c->a, &l->list.v[i].version->content->is, l->rule_type))
            l->list.v[kept++] = l->list.v[i];
    l->list.n = kept;
}

static rt_code print_listing(rest_call *c, listing *l)
{
    rt_code code = RT_OK;
    rest_page page = rest_paging(c, l->list.n);
    fl_jw_array(&c->w);
    for (size_t i = page.from; i < page.to && code == RT_OK; i++) {
        rt_subject s = l->list.v[i].version->content->is;
        s.subject = l->list.v[i].of->subject;
        s.version = l->list.v[i].version->number;
        fl_jw_object(&c->w);
        code = rest_print_version(c, &s, l->list.v[i].version, REST_NUMBERS | REST_STATE | REST_AS_IT_IS);
        print_aliases(l, s.subject);
        fl_jw_end_object(&c->w);
    }
    fl_jw_end_array(&c->w);
    return code;
}

rt_code rest_schemas(rest_call *c)
{
    listing l = {.c = c,
                 .rule_type = rest_text(c, "ruleType"),
                 .deleted = rest_flag(c, "deleted"),
                 .latest = rest_flag(c, "latestOnly")};
    l.prefix = rest_prefix(c, &l.any_context);
    if (rest_flag(c, "aliases")) {
        l.aliases = fl_map_new();
        fl_map_each(c->st->scopes, add_alias, &l);
    }
    rt_store_each(c->st, add_schema, &l);
    if (l.rule_type)
        keep_ruled(&l);
    if (l.list.n)
        qsort(l.list.v, l.list.n, sizeof *l.list.v, by_subject);
    rt_code code = print_listing(c, &l);
    if (l.aliases)
        fl_map_free(l.aliases);
    return code;
}

/* ---- by id ---- */

/* Who may read one of its subjects may read a schema; the subject that is shown with it is one of those. */
static rt_code may_see(rest_call *c, const rt_content *content, const char **hint)
{
    const char *seen = NULL;
    bool hinted = false;
    if (rt_access_admin(c->access))
        return RT_OK;
    for (size_t i = 0; i < content->users.n && !hinted; i++) {
        const char *subject = content->users.v[i]->subject;
        if (!rest_visible(c, subject))
            continue;
        hinted = *hint && !strcmp(*hint, subject);
        seen = seen && !hinted ? seen : subject;
    }
    *hint = *hint ? seen : NULL;
    return seen ? RT_OK : rest_denied_schema(c);
}

typedef struct elsewhere {
    rest_call *c;
    int id;
    const char *subject;
    const rt_content *found;
} elsewhere;

static bool has_it(const char *name, void *value, void *ctx)
{
    elsewhere *e = ctx;
    const rt_content *content = rt_store_content(e->c->st, name, e->id);
    const char *there = fl_printf(e->c->a, ":%s:%s", name, e->subject), *subject;
    if (strcmp(name, ".") != 0 && content && rt_store_place(e->c->st, content, there, true, &subject) &&
        !strcmp(subject, there))
        e->found = content;
    return !e->found;
}

/* What a subject of the default context does not have under the id, a subject of that name in another context may. */
static const rt_content *in_other_context(rest_call *c, int id, const char *subject, const rt_content *here)
{
    elsewhere e = {c, id, subject, NULL};
    const char *found;
    if (here && rt_store_place(c->st, here, subject, true, &found) && !strcmp(found, subject))
        return here;
    fl_map_each(c->st->contexts, has_it, &e);
    return e.found ? e.found : here;
}

/* `subject` names a context and who is preferred; a subject of the default one is looked for in the others, too. */
static rt_code find_content(rest_call *c, const rt_content **out, const char **hint)
{
    const char *subject = rest_text(c, "subject"), *context = c->context;
    int id;
    *hint = NULL;
    if (!rest_positive(c->arg[0], &id))
        return rt_fail_as(&c->err, RT_NOT_FOUND, 40403, "schema id %s is not in the registry %s", c->arg[0],
                          c->st->url);
    if (subject && *subject) {
        rt_code code = rest_scope(c, subject, hint);
        if (code != RT_OK)
            return code;
        context = rt_subject_context(c->a, *hint);
        *hint = rt_store_unalias(c->st, c->a, *hint);
    }
    *out = rt_store_content(c->st, context, id);
    if (*hint && !strcmp(context, "."))
        *out = in_other_context(c, id, *hint, *out);
    const char *found;
    if (!*out || !rt_store_place(c->st, *out, *hint, true, &found))
        return rt_fail_as(&c->err, RT_NOT_FOUND, 40403, "schema id %d is not in the registry %s", id, c->st->url);
    return may_see(c, *out, hint);
}

static rt_code print_content(rest_call *c, const rt_content *content, const char *hint)
{
    rt_subject s = content->is;
    const rt_context *context;
    const rt_version *v = rt_store_place(c->st, content, hint, true, &s.subject);
    fl_jw_object(&c->w);
    if (v && hint) {
        fl_jw_kstring(&c->w, "subject", s.subject);
        fl_jw_kint(&c->w, "version", v->number);
    }
    s.version = v ? v->number : 0;
    rt_code code = rest_print_version(c, &s, v, 0);
    if (rest_flag(c, "fetchMaxId") && (context = fl_map_get(c->st->contexts, rt_subject_context(c->a, s.subject))))
        fl_jw_kint(&c->w, "maxId", context->last_id);
    fl_jw_end_object(&c->w);
    return code;
}

rt_code rest_by_id(rest_call *c)
{
    const rt_content *content = NULL;
    const char *hint;
    rt_code code = find_content(c, &content, &hint);
    return code == RT_OK ? print_content(c, content, hint) : code;
}

rt_code rest_by_id_text(rest_call *c)
{
    const rt_content *content = NULL;
    const char *hint, *text;
    rt_code code = find_content(c, &content, &hint);
    if (code != RT_OK)
        return code;
    rt_subject s = content->is;
    rt_store_place(c->st, content, hint, true, &s.subject);
    code = rest_in_format(c, &s, &text);
    if (code == RT_OK)
        rest_plain(c, text);
    return code;
}

static void each_use(rest_call *c, const rt_content *content, void (*fn)(rest_call *, const char *, int, void *),
                     void *ctx)
{
    bool deleted = rest_flag(c, "deleted");
    for (size_t i = 0; i < content->users.n; i++) {
        const rt_versions *v = content->users.v[i];
        for (size_t k = 0; k < v->list.n; k++)
            if (v->list.v[k].content == content && rest_visible(c, v->subject) && (deleted || !v->list.v[k].deleted))
                fn(c, v->subject, v->list.v[k].number, ctx);
    }
}

static void add_subject(rest_call *c, const char *subject, int version, void *ctx)
{
    rest_strings *list = ctx;
    if (!list->n || strcmp(list->v[list->n - 1], subject) != 0)
        FL_PUSH(c->a, list, subject);
}

rt_code rest_id_subjects(rest_call *c)
{
    const rt_content *content = NULL;
    const char *hint;
    rest_strings list = {0};
    rt_code code = find_content(c, &content, &hint);
    if (code != RT_OK)
        return code;
    each_use(c, content, add_subject, &list);
    rest_sort(&list);
    rest_list(c, &list);
    return RT_OK;
}

static void print_use(rest_call *c, const char *subject, int version, void *ctx)
{
    fl_jw_object(&c->w);
    fl_jw_kstring(&c->w, "subject", subject);
    fl_jw_kint(&c->w, "version", version);
    fl_jw_end_object(&c->w);
}

rt_code rest_id_versions(rest_call *c)
{
    const rt_content *content = NULL;
    const char *hint;
    rt_code code = find_content(c, &content, &hint);
    if (code != RT_OK)
        return code;
    fl_jw_array(&c->w);
    each_use(c, content, print_use, NULL);
    fl_jw_end_array(&c->w);
    return RT_OK;
}

/* ---- by GUID ---- */

typedef struct guid_search {
    const char *guid;
    rest_call *call;
    bool print; /* all of them; else the first is enough */
    const rt_content *found;
    bool hidden; /* there is one that the caller may not read */
} guid_search;

static bool in_context(const char *key, void *value, void *ctx)
{
    guid_search *g = ctx;
    const rt_content *c = fl_map_get(((const rt_context *)value)->by_guid, g->guid);
    const char *hint = NULL;
    if (c && may_see(g->call, c, &hint) != RT_OK) {
        g->hidden = true;
        c = NULL;
    }
    g->found = g->found ? g->found : c;
    if (c && g->print) {
        fl_jw_object(&g->call->w);
        fl_jw_kstring(&g->call->w, "context", key);
        fl_jw_kint(&g->call->w, "id", c->id);
        fl_jw_end_object(&g->call->w);
    }
    return g->print || !g->found;
}

static rt_code no_guid(rest_call *c, const guid_search *g)
{
    if (g->hidden)
        return rest_denied_schema(c);
    return rt_fail_as(&c->err, RT_NOT_FOUND, 40403, "schema %s is not in the registry %s", c->arg[0], c->st->url);
}

rt_code rest_by_guid(rest_call *c)
{
    guid_search g = {.guid = c->arg[0], .call = c};
    fl_map_each(c->st->contexts, in_context, &g);
    return g.found ? print_content(c, g.found, NULL) : no_guid(c, &g);
}

rt_code rest_guid_ids(rest_call *c)
{
    guid_search g = {.guid = c->arg[0], .call = c, .print = true};
    fl_jw_array(&c->w);
    fl_map_each(c->st->contexts, in_context, &g);
    fl_jw_end_array(&c->w);
    return g.found ? RT_OK : no_guid(c, &g);
}
