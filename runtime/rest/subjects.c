/* subjects.c: subjects and their versions: registering, looking up, reading, deleting, compatibility. */
#include <string.h>

#include "runtime/rest/call.h"
#include "runtime/store_proto.h"

/* ---- reading ---- */

typedef struct naming {
    rest_call *c;
    const char *prefix;
    bool any_context, deleted, only;
    rest_strings list;
} naming;

static bool add_subject(const char *key, void *value, void *ctx)
{
    naming *n = ctx;
    bool alive = rt_store_subject(n->c->st, key, false) != NULL, there = ((const rt_versions *)value)->list.n != 0;
    if (there && rest_visible(n->c, key) && (n->only ? !alive : alive || n->deleted) &&
        rest_prefixed(key, n->prefix, n->any_context))
        FL_PUSH(n->c->a, &n->list, ((const rt_versions *)value)->subject);
    return true;
}

rt_code rest_subjects(rest_call *c)
{
    naming n = {.c = c, .deleted = rest_flag(c, "deleted"), .only = rest_flag(c, "deletedOnly")};
    n.prefix = rest_prefix(c, &n.any_context);
    fl_map_each(c->st->subjects, add_subject, &n);
    rest_sort(&n.list);
    rest_list(c, &n.list);
    return RT_OK;
}

rt_code rest_versions(rest_call *c)
{
    const char *subject;
    bool only = rest_flag(c, "deletedOnly"), deleted = only || rest_flag(c, "deleted");
    rt_numbers list = {0};
    rt_code code = rest_subject(c, c->arg[0], &subject);
    if (code != RT_OK)
        return code;
    const rt_versions *v = rt_store_subject(c->st, subject, deleted);
    if (!v)
        return rt_fail_as(&c->err, RT_NOT_FOUND, 40401, "subject %s is not in the registry %s", subject, c->st->url);
    for (size_t i = 0; i < v->list.n; i++)
        if (only ? v->list.v[i].deleted : deleted || !v->list.v[i].deleted)
            FL_PUSH(c->a, &list, v->list.v[i].number);
    rest_page page = rest_paging(c, list.n);
    fl_jw_array(&c->w);
    for (size_t i = page.from; i < page.to; i++)
        fl_jw_int(&c->w, list.v[i]);
    fl_jw_end_array(&c->w);
    return RT_OK;
}

rt_code rest_find_version(rest_call *c, bool deleted, rt_subject *out, const rt_version **found)
{
    const char *subject;
    int number;
    rt_code code = rest_subject(c, c->arg[0], &subject);
    if (code == RT_OK)
        code = rest_version(c, c->arg[1], &number);
    if (code == RT_OK)
        code = rt_store_need(c->st, subject, number, deleted, found, &c->err);
    if (code == RT_OK) {
        *out = (*found)->content->is;
        out->subject = subject;
        out->version = (*found)->number;
    }
    return code;
}

static rt_code print_whole(rest_call *c, const rt_subject *s, const rt_version *v)
{
    fl_jw_object(&c->w);
    rt_code code = rest_print_version(c, s, v, REST_NUMBERS | REST_STATE);
    fl_jw_end_object(&c->w);
    return code;
}

rt_code rest_get_version(rest_call *c)
{
    rt_subject s;
    const rt_version *v;
    rt_code code = rest_find_version(c, rest_flag(c, "deleted"), &s, &v);
    return code == RT_OK ? print_whole(c, &s, v) : code;
}

rt_code rest_get_text(rest_call *c)
{
    rt_subject s;
    const rt_version *v;
    const char *text;
    rt_code code = rest_find_version(c, rest_flag(c, "deleted"), &s, &v);
    if (code == RT_OK)
        code = rest_in_format(c, &s, &text);
    if (code == RT_OK)
        rest_plain(c, text);
    return code;
}

static bool print_id(const rt_versions *of, const rt_version *v, void *ctx)
{
    fl_jw_int(&((rest_call *)ctx)->w, v->content->id);
    return true;
}

rt_code rest_referenced_by(rest_call *c)
{
    rt_subject s;
    const rt_version *v;
    rt_code code = rest_find_version(c, true, &s, &v);
    if (code != RT_OK)
        return code;
    fl_jw_array(&c->w);
    rt_store_referrers(c->st, s.subject, s.version, print_id, c);
    fl_jw_end_array(&c->w);
    return RT_OK;
}

/* Has its metadata all the properties that key=…&value=… name? */
static bool has_properties(rest_call *c, const rt_subject *s)
{
    const fl_json *m =
        s->metadata ? fl_json_parse(c->a, s->metadata, strlen(s->metadata), 0, &(fl_json_error){0}) : NULL;
    size_t value = 0;
    for (size_t i = 0; i < c->nparams; i++) {
        if (strcmp(c->param[i].name, "key") != 0)
            continue;
        while (value < c->nparams && strcmp(c->param[value].name, "value") != 0)
            value++;
        const char *has = m ? fl_json_str(fl_json_get(m, "properties"), c->param[i].value) : NULL;
        if (value == c->nparams || !has || strcmp(has, c->param[value++].value) != 0)
            return false;
    }
    return true;
}

rt_code rest_with_metadata(rest_call *c)
{
    const char *subject;
    bool deleted = rest_flag(c, "deleted");
    rt_code code = rest_subject(c, c->arg[0], &subject);
    const rt_versions *v = code == RT_OK ? rt_store_subject(c->st, subject, deleted) : NULL;
    if (code == RT_OK && !v)
        return rt_fail_as(&c->err, RT_NOT_FOUND, 40401, "subject %s is not in the registry %s", subject, c->st->url);
    for (size_t i = v ? v->list.n : 0; i-- > 0;) {
        rt_subject s = v->list.v[i].content->is;
        s.subject = v->subject;
        s.version = v->list.v[i].number;
        if ((deleted || !v->list.v[i].deleted) && has_properties(c, &s))
            return print_whole(c, &s, &v->list.v[i]);
    }
    return code != RT_OK
               ? code
               : rt_fail_as(&c->err, RT_NOT_FOUND, 40402, "subject %s has no version with these properties", subject);
}

/* ---- what a request says of a schema ---- */

/* Who may not read a subject is not told of it by what refers to it. */
static rt_code read_refs(rest_call *c, rt_subject *s)
{
    const fl_json *list = fl_json_get(c->json, "references");
    if (!list || list->kind == FL_JNULL)
        return RT_OK;
    if (list->kind != FL_JARRAY)
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "references must be an array");
    c->wide = list->count;
    s->refs = FL_NEW_N(c->a, rt_schema_ref, list->count + 1);
    for (const fl_json *e = list->child; e; e = e->next) {
        int64_t version = -1;
        fl_json_int(e, "version", &version);
        if (version < -1 || version > INT32_MAX || !fl_json_str(e, "name") || !fl_json_str(e, "subject"))
            return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "a reference has name, subject and version");
        s->refs[s->nrefs++] = (rt_schema_ref){fl_json_str(e, "name"), fl_json_str(e, "subject"), (int)version};
        rt_code code = rest_may_read(c, rt_store_ref_subject(c->a, s->subject, fl_json_str(e, "subject")));
        if (code != RT_OK)
            return code;
    }
    return RT_OK;
}

static rt_code read_schema(rest_call *c, rt_subject *s)
{
    if (!c->json)
        return rest_no_body(c);
    rt_code code = rest_subject(c, c->arg[0], &s->subject);
    if (code == RT_OK)
        code = rest_string(c, "schema", 42201, &s->schema);
    if (code == RT_OK)
        code = rest_string(c, "schemaType", 42201, &s->type);
    c->subject = s->subject;
    c->descriptor = code == RT_OK && s->schema && s->type && !strcmp(s->type, "PROTOBUF") &&
                    rt_store_is_descriptor(c->a, s->schema);
    s->metadata = rest_raw(c, "metadata");
    s->ruleset = rest_raw(c, "ruleSet");
    return code == RT_OK ? read_refs(c, s) : code;
}

rt_code rest_number(rest_call *c, const char *member, int *out)
{
    const fl_json *v = fl_json_get(c->json, member);
    int64_t n = 0;
    *out = 0;
    if (!v || v->kind == FL_JNULL)
        return RT_OK;
    if (!fl_json_to_int(v, &n) || n < -1 || n > INT32_MAX)
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42202, "%s must be a positive number", member);
    *out = (int)n;
    return RT_OK;
}

rt_code rest_register_it(rest_call *c, rt_subject *s, const rt_register *how)
{
    rt_code code = rt_store_register_as(c->st, c->a, s, how, &c->err);
    if (code != RT_OK)
        return code;
    fl_jw_object(&c->w);
    fl_jw_kint(&c->w, "id", s->id);
    fl_jw_kint(&c->w, "version", s->version);
    code = rest_print_version(c, s, rt_store_find(c->st, s->subject, s->version, false), REST_STATE);
    fl_jw_end_object(&c->w);
    return code;
}

/* Without a schema the one that is there is meant, and is the answer. */
static rt_code may_take_over(rest_call *c, const rt_subject *s)
{
    bool none = !s->schema || !s->schema[strspn(s->schema, " \t\r\n")];
    return none ? rest_may_read(c, s->subject) : RT_OK;
}

rt_code rest_register(rest_call *c)
{
    rt_subject s = {0};
    rt_register how = {.judge = true, .normalize = rest_flag(c, "normalize")};
    rt_code code = read_schema(c, &s);
    if (code == RT_OK)
        code = may_take_over(c, &s);
    if (code == RT_OK)
        code = rest_number(c, "id", &how.id);
    how.id = how.id > 0 ? how.id : 0; /* -1: none */
    if (code == RT_OK)
        code = rest_number(c, "version", &how.version);
    if (code == RT_OK)
        code = rest_tag_request(c, &s, &how);
    return code == RT_OK ? rest_register_it(c, &s, &how) : code;
}

rt_code rest_lookup(rest_call *c)
{
    rt_subject s = {0};
    rt_version v = {0};
    rt_code code = read_schema(c, &s);
    if (code == RT_OK)
        code = rt_store_lookup(c->st, c->a, &s, rest_flag(c, "normalize"), rest_flag(c, "deleted"), &v, &c->err);
    if (code != RT_OK)
        return code;
    const char *subject = s.subject;
    s = v.content->is;
    s.subject = subject;
    s.version = v.number;
    return print_whole(c, &s, &v);
}

/* ---- deleting ---- */

static rt_code delete_some(rest_call *c, int version, rt_numbers *out)
{
    const char *subject;
    rt_code code = rest_subject(c, c->arg[0], &subject);
    return code == RT_OK ? rt_store_delete(c->st, c->a, subject, version, rest_flag(c, "permanent"), out, &c->err)
                         : code;
}

rt_code rest_delete_subject(rest_call *c)
{
    rt_numbers gone = {0};
    rt_code code = delete_some(c, 0, &gone);
    if (code != RT_OK)
        return code;
    fl_jw_array(&c->w);
    for (size_t i = 0; i < gone.n; i++)
        fl_jw_int(&c->w, gone.v[i]);
    fl_jw_end_array(&c->w);
    return RT_OK;
}

rt_code rest_delete_version(rest_call *c)
{
    rt_numbers gone = {0};
    int version;
    rt_code code = rest_version(c, c->arg[1], &version);
    if (code == RT_OK)
        code = delete_some(c, version, &gone);
    if (code == RT_OK)
        fl_jw_int(&c->w, gone.v[0]);
    return code;
}

/* ---- compatibility ---- */

static void print_reasons(rest_call *c, const rt_strings *reserved, const sch_compatibility *why,
                          const rt_subject *const *history, size_t n, sch_level level)
{
    fl_jw_key(&c->w, "messages");
    fl_jw_array(&c->w);
    for (size_t i = 0; i < reserved->n; i++)
        fl_jw_string(&c->w, fl_printf(c->a, "{errorType:'RESERVED_FIELD', description:'%s'}", reserved->v[i]));
    for (size_t i = 0; i < why->list.n; i++) {
        const sch_incompatibility *e = &why->list.v[i];
        const rt_subject *old = history[e->version < n ? e->version : n - 1];
        fl_jw_string(&c->w, fl_printf(c->a, "{errorType:'%s', description:'%s', additionalInfo:'%s', version:%d}",
                                      e->type, e->message, e->path ? e->path : "", old->version));
    }
    if (why->undecided)
        fl_jw_string(&c->w, "{errorType:'UNDECIDED', description:'the schemas are too large to be compared'}");
    if (why->list.n)
        fl_jw_string(&c->w, fl_printf(c->a, "{compatibility: '%s'}", sch_level_name(level)));
    fl_jw_end_array(&c->w);
}

/* With a version: that one; without: those that the level asks for. */
static rt_code against(rest_call *c, const rt_subject *s, const rt_subject *const **out, size_t *n, sch_level level)
{
    int number;
    const rt_version *v;
    if (!c->arg[1]) {
        *n = rt_store_history(c->st, c->a, s, out);
        return RT_OK;
    }
    rt_code code = rest_version(c, c->arg[1], &number);
    if (code == RT_OK)
        code = rt_store_need(c->st, s->subject, number, false, &v, &c->err);
    if (code != RT_OK)
        return code;
    rt_subject *one = FL_NEW(c->a, rt_subject);
    const rt_subject **list = FL_NEW_N(c->a, const rt_subject *, 1);
    *one = v->content->is;
    one->subject = s->subject;
    one->version = v->number;
    list[0] = one;
    *out = list;
    *n = 1;
    return RT_OK;
}

rt_code rest_compatible(rest_call *c)
{
    rt_subject s = {0};
    const rt_subject *const *history = NULL;
    size_t n = 0;
    sch_compatibility why = {0};
    rt_strings reserved = {0};
    rt_settings set;
    bool ok = true;
    rt_code code = read_schema(c, &s);
    if (code != RT_OK)
        return code;
    s.type = s.type && *s.type ? s.type : "AVRO";
    rt_store_settings(c->st, c->a, s.subject, &set);
    if (!s.schema)
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "subject %s: the schema is empty", s.subject);
    code = rt_store_settle_refs(c->st, c->a, &s, &c->err);
    if (code == RT_OK)
        code = rt_store_judge(c->st, c->a, &s, rest_flag(c, "normalize"), NULL, &c->err);
    if (code == RT_OK)
        code = against(c, &s, &history, &n, set.level);
    if (code == RT_OK)
        code = rt_store_compatible(c->st, c->a, set.level, &s, history, n, &why, &ok, &c->err);
    if (code == RT_OK && set.validate_fields)
        code = rt_store_reserved(c->st, c->a, &s, n ? history[n - 1] : NULL, &reserved, &c->err);
    if (code != RT_OK)
        return code;
    fl_jw_object(&c->w);
    fl_jw_kbool(&c->w, "is_compatible", ok && !reserved.n);
    if (rest_flag(c, "verbose"))
        print_reasons(c, &reserved, &why, history, n, set.level);
    fl_jw_end_object(&c->w);
    return RT_OK;
}
