/* call.c: what handlers ask of a call, and how they print. */
#include "runtime/rest/call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *rest_text(const rest_call *c, const char *param)
{
    for (size_t i = c->nparams; i-- > 0;)
        if (!strcmp(c->param[i].name, param))
            return c->param[i].value;
    return NULL;
}

bool rest_flag(const rest_call *c, const char *param)
{
    const char *s = rest_text(c, param);
    return s && !strcasecmp(s, "true");
}

rt_code rest_scope(rest_call *c, const char *name, const char **out)
{
    *out = rt_context_scope(c->a, c->context);
    if (!name)
        return RT_OK;
    const char *wrong = rt_subject_wrong(name);
    if (wrong)
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42208, "subject \"%s\" %s", name, wrong);
    if (strcmp(c->context, ".") != 0 && rt_subject_bare(name) == name)
        name = fl_printf(c->a, ":%s:%s", c->context, name);
    *out = rt_subject_normal(c->a, name);
    return RT_OK;
}

rt_code rest_subject(rest_call *c, const char *name, const char **out)
{
    rt_code code = rest_scope(c, name, out);
    if (code != RT_OK)
        return code;
    if (!*rt_subject_bare(*out))
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42208, "subject \"%s\" names a context alone", name);
    *out = rt_store_unalias(c->st, c->a, *out);
    if (rt_subject_wrong(*out) || !*rt_subject_bare(*out)) /* with its context it may have become too long */
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42208, "subject \"%s\" is an alias of none that can be", name);
    return RT_OK;
}

bool rest_positive(const char *text, int *out)
{
    char *end;
    long n = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
    if (n < 1 || n > INT32_MAX || *end)
        return false;
    *out = (int)n;
    return true;
}

rt_code rest_version(rest_call *c, const char *text, int *out)
{
    if (!strcmp(text, "latest") || !strcmp(text, "-1"))
        *out = -1;
    else if (!rest_positive(text, out))
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42202,
                          "version %s is none: a positive number, \"latest\", or -1 for the latest", text);
    return RT_OK;
}

const char *rest_raw(const rest_call *c, const char *member)
{
    const fl_json *v = c->json ? fl_json_get(c->json, member) : NULL;
    return v && v->kind != FL_JNULL ? fl_strndup(c->a, c->body + v->from, v->to - v->from) : NULL;
}

rt_code rest_string(rest_call *c, const char *member, int number, const char **out)
{
    const fl_json *v = c->json ? fl_json_get(c->json, member) : NULL;
    *out = NULL;
    if (!v || v->kind == FL_JNULL)
        return RT_OK;
    if (v->kind != FL_JSTRING)
        return rt_fail_as(&c->err, RT_BAD_INPUT, number, "%s must be a text", member);
    *out = v->str;
    return RT_OK;
}

rt_code rest_bool(rest_call *c, const char *member, int number, bool *out)
{
    const fl_json *v = c->json ? fl_json_get(c->json, member) : NULL;
    if (!v || v->kind == FL_JNULL)
        return RT_OK;
    if (v->kind != FL_JTRUE && v->kind != FL_JFALSE)
        return rt_fail_as(&c->err, RT_BAD_INPUT, number, "%s must be true or false", member);
    *out = v->kind == FL_JTRUE;
    return RT_OK;
}

rt_code rest_no_body(rest_call *c)
{
    return rt_fail(&c->err, RT_BAD_INPUT, "the request has no body");
}

void rest_plain(rest_call *c, const char *text)
{
    fl_buf_adds(&c->out->body, text);
}

void rest_nothing(rest_call *c)
{
    c->out->status = 204;
    c->out->type = NULL;
}

/* ---- lists ---- */

static size_t number(const rest_call *c, const char *param)
{
    const char *s = rest_text(c, param);
    long n = s ? strtol(s, NULL, 10) : 0;
    return n > 0 ? (size_t)n : 0;
}

rest_page rest_paging(const rest_call *c, size_t n)
{
    size_t from = number(c, "offset"), limit = number(c, "limit");
    from = from < n ? from : n;
    return (rest_page){from, limit && limit < n - from ? from + limit : n};
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

void rest_sort(rest_strings *s)
{
    if (s->n)
        qsort(s->v, s->n, sizeof *s->v, by_text);
}

void rest_list(rest_call *c, const rest_strings *s)
{
    rest_page page = rest_paging(c, s->n);
    fl_jw_array(&c->w);
    for (size_t i = page.from; i < page.to; i++)
        fl_jw_string(&c->w, s->v[i]);
    fl_jw_end_array(&c->w);
}

/* ---- versions ---- */

rt_code rest_print_version(rest_call *c, const rt_subject *s, const rt_version *v, int parts)
{
    const char *text = s->schema;
    rt_code code = parts & REST_AS_IT_IS ? RT_OK : rest_in_format(c, s, &text);
    if (code != RT_OK)
        return code;
    if (parts & REST_NUMBERS) {
        fl_jw_kstring(&c->w, "subject", s->subject);
        fl_jw_kint(&c->w, "version", s->version);
        fl_jw_kint(&c->w, "id", s->id);
    }
    fl_jw_kstring(&c->w, "guid", s->guid);
    if (strcmp(s->type, "AVRO") != 0)
        fl_jw_kstring(&c->w, "schemaType", s->type);
    if (s->nrefs)
        rt_store_print_refs(&c->w, s);
    rt_store_print_json(&c->w, "metadata", s->metadata);
    rt_store_print_json(&c->w, "ruleSet", s->ruleset);
    fl_jw_kstring(&c->w, "schema", text);
    if (v && (parts & REST_STATE) && v->ts)
        fl_jw_kint(&c->w, "ts", v->ts);
    if (v && (parts & REST_STATE) && v->deleted)
        fl_jw_kbool(&c->w, "deleted", true);
    return parts & REST_AS_IT_IS ? RT_OK : rest_print_tags(c, s);
}
