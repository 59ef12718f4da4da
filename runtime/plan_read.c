/* plan_read.c: reads JSON objects into structures by tables, strictly. */
#include "runtime/plan_read.h"

#include <stdio.h>
#include <string.h>

bool rt_plan_bad(rt_plan_reader *r, const fl_json *at, const char *fmt, ...)
{
    char why[384];
    unsigned line = 0, column = 0;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    fl_source_place(r->src, at ? (at->key ? at->key_from : at->from) : 0, &line, &column);
    rt_fail(r->err, RT_BAD_INPUT, "%.100s:%u:%u: %s", r->name, line, column, why);
    return false;
}

static const char *kind_name(rt_member_kind kind)
{
    static const char *const names[] = {"a text",    "a text or null",    "true or false",   "a whole number",
                                        "an object", "a list of objects", "a list of texts", "an object of texts",
                                        "an object", "another thing"};
    return names[kind];
}

static bool wrong(rt_plan_reader *r, const fl_json *j, const rt_member *m)
{
    return rt_plan_bad(r, j, "%s must be %s", m->name, kind_name(m->kind));
}

#define AT(T, out, offset) (*(T *)(void *)((char *)(out) + (offset)))

/* ---- members that hold others ---- */

static bool read_list(rt_plan_reader *r, const fl_json *j, const rt_member *m, void *out)
{
    if (j->kind != FL_JARRAY)
        return wrong(r, j, m);
    char *v = fl_alloc_n(r->a, j->count, m->size);
    size_t n = 0;
    for (const fl_json *e = j->child; e; e = e->next)
        if (!rt_plan_object(r, e, m->name, m->table, v + m->size * n++))
            return false;
    AT(void *, out, m->at) = v;
    AT(size_t, out, m->count_at) = n;
    return true;
}

static bool read_texts(rt_plan_reader *r, const fl_json *j, const rt_member *m, void *out)
{
    if (j->kind != FL_JARRAY)
        return wrong(r, j, m);
    const char **v = FL_NEW_N(r->a, const char *, j->count);
    size_t n = 0;
    for (const fl_json *e = j->child; e; e = e->next) {
        if (e->kind != FL_JSTRING)
            return wrong(r, e, m);
        v[n++] = e->str;
    }
    AT(const char **, out, m->at) = v;
    AT(size_t, out, m->count_at) = n;
    return true;
}

static bool read_params(rt_plan_reader *r, const fl_json *j, const rt_member *m, void *out)
{
    if (j->kind != FL_JOBJECT)
        return wrong(r, j, m);
    rt_plan_param *v = FL_NEW_N(r->a, rt_plan_param, j->count);
    size_t n = 0;
    for (const fl_json *e = j->child; e; e = e->next) {
        if (e->kind != FL_JSTRING)
            return wrong(r, e, m);
        v[n++] = (rt_plan_param){e->key, e->str};
    }
    AT(rt_plan_param *, out, m->at) = v;
    AT(size_t, out, m->count_at) = n;
    return true;
}

/* ---- one member ---- */

static bool read_scalar(rt_plan_reader *r, const fl_json *j, const rt_member *m, void *out)
{
    int64_t v;
    switch (m->kind) {
    case RT_M_BOOL:
        if (j->kind != FL_JTRUE && j->kind != FL_JFALSE)
            return wrong(r, j, m);
        AT(bool, out, m->at) = j->kind == FL_JTRUE;
        return true;
    case RT_M_INT:
        if (j->kind != FL_JNUMBER || !fl_json_to_int(j, &v) || v < INT32_MIN || v > INT32_MAX)
            return wrong(r, j, m);
        AT(int, out, m->at) = (int)v;
        return true;
    case RT_M_JSON:
        if (j->kind != FL_JOBJECT)
            return wrong(r, j, m);
        AT(const char *, out, m->at) = fl_strndup(r->a, r->text + j->from, j->to - j->from);
        return true;
    default:
        if (j->kind != FL_JSTRING)
            return wrong(r, j, m);
        AT(const char *, out, m->at) = j->str;
        return true;
    }
}

static bool read_member(rt_plan_reader *r, const fl_json *j, const rt_member *m, void *out)
{
    if (j->kind == FL_JNULL && (m->kind == RT_M_TEXT_NULL || m->optional))
        return true;
    if (m->present_at)
        AT(bool, out, m->present_at) = true;
    switch (m->kind) {
    case RT_M_OBJECT:
        return rt_plan_object(r, j, m->name, m->table, (char *)out + m->at);
    case RT_M_LIST:
        return read_list(r, j, m, out);
    case RT_M_TEXTS:
        return read_texts(r, j, m, out);
    case RT_M_PARAMS:
        return read_params(r, j, m, out);
    case RT_M_CUSTOM:
        return m->custom(r, j, out);
    default:
        return read_scalar(r, j, m, out);
    }
}

static const rt_member *find(const rt_member *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

bool rt_plan_object(rt_plan_reader *r, const fl_json *j, const char *what, const rt_member *table, void *out)
{
    if (j->kind != FL_JOBJECT)
        return rt_plan_bad(r, j, "%s must be an object", what);
    for (const fl_json *e = j->child; e; e = e->next) {
        const rt_member *m = find(table, e->key);
        if (!m)
            return rt_plan_bad(r, e, "unknown member %.60s of %s", e->key, what);
        if (!read_member(r, e, m, out))
            return false;
    }
    for (const rt_member *m = table; m->name; m++)
        if (!m->optional && m->kind != RT_M_TEXT_NULL && !fl_json_get(j, m->name))
            return rt_plan_bad(r, j, "%s lacks its member %s", what, m->name);
    return true;
}

/* ---- whole documents ---- */

static bool check_version(rt_plan_reader *r, const fl_json *j, const char *format, int version, const char *what)
{
    int64_t found;
    const char *is = fl_json_str(j, "format");
    if (!is || strcmp(is, format) != 0)
        return rt_plan_bad(r, j, "no %s of flec: its format is not %s", what, format);
    if (!fl_json_int(j, "version", &found) || found < 1)
        return rt_plan_bad(r, j, "the %s does not say its version", what);
    if (found > version)
        return rt_plan_bad(r, fl_json_get(j, "version"),
                           "the %s is of version %lld, this flec reads version %d: use a newer flec", what,
                           (long long)found, version);
    return true;
}

const fl_json *rt_plan_document(rt_plan_reader *r, size_t len, int json_flags, const char *format, int version,
                                const char *what)
{
    fl_json_error e;
    unsigned line = 0, column = 0;
    r->src = fl_source_new(r->a, r->name, r->text, len);
    const fl_json *j = fl_json_parse(r->a, r->text, len, json_flags, &e);
    if (j)
        return check_version(r, j, format, version, what) ? j : NULL;
    fl_source_place(r->src, e.offset, &line, &column);
    rt_fail(r->err, RT_BAD_INPUT, "%.100s:%u:%u: %s", r->name, line, column, e.message);
    return NULL;
}
