/* route.c: from a request to its handler: targets taken apart, the table of routes, answers that are errors. */
#include <string.h>

#include "runtime/rest/answers.h"
#include "runtime/rest/may.h"

#define JSON_TYPE "application/vnd.schemaregistry.v1+json"

/* ---- the table ---- */

static const struct route {
    const char *method, *path; /* a `*` is one segment that the handler gets; a last `**` any number of them */
    rest_handler *handler;
    rest_need need; /* what a user must have, where there are users */
    unsigned right;
} routes[] = {
    {"GET", "/", rest_root, REST_ANYBODY, 0},
    {"GET", "/contexts", rest_contexts, REST_GRANTED, RT_MAY_READ},
    {"DELETE", "/contexts/*", rest_delete_context, REST_ADMINS, 0},
    {"GET", "/v1/metadata/id", rest_id, REST_ANYBODY, 0},
    {"GET", "/v1/metadata/version", rest_release, REST_ANYBODY, 0},
    {"GET", "/associations/**", rest_no_association, REST_ANYBODY, 0},
    {"GET", "/schemas", rest_schemas, REST_GRANTED, RT_MAY_READ},
    {"GET", "/schemas/types", rest_types, REST_ANYBODY, 0},
    {"GET", "/schemas/ids/*", rest_by_id, REST_GRANTED, RT_MAY_READ},
    {"GET", "/schemas/ids/*/schema", rest_by_id_text, REST_GRANTED, RT_MAY_READ},
    {"GET", "/schemas/ids/*/subjects", rest_id_subjects, REST_GRANTED, RT_MAY_READ},
    {"GET", "/schemas/ids/*/versions", rest_id_versions, REST_GRANTED, RT_MAY_READ},
    {"GET", "/schemas/guids/*", rest_by_guid, REST_GRANTED, RT_MAY_READ},
    {"GET", "/schemas/guids/*/ids", rest_guid_ids, REST_GRANTED, RT_MAY_READ},
    {"GET", "/subjects", rest_subjects, REST_GRANTED, RT_MAY_READ},
    {"POST", "/subjects/*", rest_lookup, REST_SUBJECT, RT_MAY_READ},
    {"DELETE", "/subjects/*", rest_delete_subject, REST_SUBJECT, RT_MAY_DELETE},
    {"GET", "/subjects/*/metadata", rest_with_metadata, REST_SUBJECT, RT_MAY_READ},
    {"GET", "/subjects/*/versions", rest_versions, REST_SUBJECT, RT_MAY_READ},
    {"POST", "/subjects/*/versions", rest_register, REST_SUBJECT, RT_MAY_WRITE},
    {"GET", "/subjects/*/versions/*", rest_get_version, REST_SUBJECT, RT_MAY_READ},
    {"DELETE", "/subjects/*/versions/*", rest_delete_version, REST_SUBJECT, RT_MAY_DELETE},
    {"GET", "/subjects/*/versions/*/schema", rest_get_text, REST_SUBJECT, RT_MAY_READ},
    {"GET", "/subjects/*/versions/*/referencedby", rest_referenced_by, REST_SUBJECT, RT_MAY_READ},
    {"POST", "/subjects/*/versions/*/tags", rest_tag_version, REST_SUBJECT, RT_MAY_READ | RT_MAY_WRITE},
    {"POST", "/compatibility/subjects/*/versions", rest_compatible, REST_SUBJECT, RT_MAY_WRITE},
    {"POST", "/compatibility/subjects/*/versions/*", rest_compatible, REST_SUBJECT, RT_MAY_WRITE},
    {"GET", "/config", rest_get_config, REST_SCOPE, RT_MAY_SEE_CONFIG},
    {"PUT", "/config", rest_set_config, REST_SCOPE, RT_MAY_CONFIG},
    {"DELETE", "/config", rest_delete_config, REST_SCOPE, RT_MAY_CONFIG},
    {"GET", "/config/*", rest_get_config, REST_SCOPE, RT_MAY_SEE_CONFIG},
    {"PUT", "/config/*", rest_set_config, REST_SCOPE, RT_MAY_CONFIG},
    {"DELETE", "/config/*", rest_delete_config, REST_SCOPE, RT_MAY_CONFIG},
    {"GET", "/mode", rest_get_mode, REST_SCOPE, RT_MAY_SEE_CONFIG},
    {"PUT", "/mode", rest_set_mode, REST_SCOPE, RT_MAY_CONFIG},
    {"DELETE", "/mode", rest_delete_mode, REST_SCOPE, RT_MAY_CONFIG},
    {"GET", "/mode/*", rest_get_mode, REST_SCOPE, RT_MAY_SEE_CONFIG},
    {"PUT", "/mode/*", rest_set_mode, REST_SCOPE, RT_MAY_CONFIG},
    {"DELETE", "/mode/*", rest_delete_mode, REST_SCOPE, RT_MAY_CONFIG},
    {"GET", "/dek-registry/v1/keks", rest_keks, REST_GRANTED, RT_MAY_READ},
    {"POST", "/dek-registry/v1/keks", rest_create_kek, REST_NEW_KEK, RT_MAY_WRITE},
    {"GET", "/dek-registry/v1/keks/*", rest_get_kek, REST_KEK, RT_MAY_READ},
    {"PUT", "/dek-registry/v1/keks/*", rest_update_kek, REST_KEK, RT_MAY_CONFIG},
    {"DELETE", "/dek-registry/v1/keks/*", rest_delete_kek, REST_KEK, RT_MAY_DELETE},
    {"POST", "/dek-registry/v1/keks/*/undelete", rest_undelete_kek, REST_KEK, RT_MAY_WRITE},
    {"POST", "/dek-registry/v1/keks/*/test", rest_test_kek, REST_KEK, RT_MAY_WRITE},
    {"GET", "/dek-registry/v1/keks/*/deks", rest_deks, REST_KEK, RT_MAY_READ},
    {"POST", "/dek-registry/v1/keks/*/deks", rest_create_dek, REST_KEK, RT_MAY_WRITE},
    {"POST", "/dek-registry/v1/keks/*/deks/*", rest_create_dek, REST_KEK, RT_MAY_WRITE},
    {"GET", "/dek-registry/v1/keks/*/deks/*", rest_get_dek, REST_KEK, RT_MAY_READ},
    {"DELETE", "/dek-registry/v1/keks/*/deks/*", rest_delete_dek, REST_KEK, RT_MAY_DELETE},
    {"POST", "/dek-registry/v1/keks/*/deks/*/undelete", rest_undelete_dek, REST_KEK, RT_MAY_WRITE},
    {"GET", "/dek-registry/v1/keks/*/deks/*/versions", rest_dek_versions, REST_KEK, RT_MAY_READ},
    {"GET", "/dek-registry/v1/keks/*/deks/*/versions/*", rest_get_dek, REST_KEK, RT_MAY_READ},
    {"DELETE", "/dek-registry/v1/keks/*/deks/*/versions/*", rest_delete_dek, REST_KEK, RT_MAY_DELETE},
    {"POST", "/dek-registry/v1/keks/*/deks/*/versions/*/undelete", rest_undelete_dek, REST_KEK, RT_MAY_WRITE},
};

/* ---- errors ---- */

static void print_error(rt_rest_reply *out, int status, int number, const char *message)
{
    fl_jw w;
    out->status = status;
    out->type = JSON_TYPE;
    fl_buf_wipe(&out->body);
    fl_buf_init(&out->body, RT_REST_ANSWER_MAX);
    fl_jw_init(&w, &out->body, false);
    fl_jw_object(&w);
    fl_jw_kint(&w, "error_code", number);
    fl_jw_kstring(&w, "message", message);
    fl_jw_end_object(&w);
}

void rt_rest_refuse(rt_rest_reply *out, int status, const char *message)
{
    fl_buf_init(&out->body, RT_REST_ANSWER_MAX);
    print_error(out, status > 999 ? status / 100 : status, status, message);
}

/* The vendor's number, its first three digits the status; of what has none, the one nearest. */
static void say_error(rest_call *c, rt_code code)
{
    static const int numbers[] = {
        [RT_BAD_INPUT] = 422, [RT_TAMPERED] = 50070, [RT_NO_KEY] = 50070, [RT_NOT_FOUND] = 404,
        [RT_CONFLICT] = 409,  [RT_REFUSED] = 42205,  [RT_IO] = 50001,
    };
    int number = c->err.number ? c->err.number : numbers[code];
    print_error(c->out, number > 999 ? number / 100 : number, number, c->err.message);
}

/* ---- targets ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: not well encoded, not UTF-8, or with a zero byte. */
static const char *decode(fl_arena *a, const char *s, size_t n, bool plus)
{
    char *out = fl_alloc(a, n + 1);
    size_t len = 0, bad;
    for (size_t i = 0; i < n; i++) {
        int high, low;
        if (s[i] != '%') {
            out[len++] = plus && s[i] == '+' ? ' ' : s[i];
            continue;
        }
        if (n - i < 3 || (high = hex_digit(s[i + 1])) < 0 || (low = hex_digit(s[i + 2])) < 0 || !(high | low))
            return NULL;
        out[len++] = (char)(high * 16 + low);
        i += 2;
    }
    return fl_utf8_ok(out, len, &bad) && !memchr(out, 0, len) ? out : NULL;
}

/* One slash at the end is not counted. */
static const char *split_path(rest_call *c, const char *path, size_t n)
{
    if (!n || path[0] != '/')
        return "the path must begin with a slash";
    if (n > 1 && path[n - 1] == '/')
        n--;
    for (size_t from = 1; from < n || from == 1;) {
        const char *end = memchr(path + from, '/', n - from);
        size_t to = end ? (size_t)(end - path) : n;
        if (n == 1)
            break;
        if (c->nsegments == REST_MOST_SEGMENTS)
            return "the path has too many parts";
        c->segment[c->nsegments] = decode(c->a, path + from, to - from, false);
        if (!c->segment[c->nsegments++])
            return "the path is not well encoded";
        from = to + 1;
    }
    return NULL;
}

static const char *split_query(rest_call *c, const char *query)
{
    while (*query) {
        size_t n = strcspn(query, "&"), name = strcspn(query, "=&");
        if (c->nparams == REST_MOST_PARAMS)
            return "there are too many parameters";
        rest_param *p = &c->param[c->nparams++];
        p->name = decode(c->a, query, name, true);
        p->value = name < n ? decode(c->a, query + name + 1, n - name - 1, true) : "";
        if (!p->name || !p->value)
            return "the query is not well encoded";
        query += n + (query[n] == '&');
    }
    return NULL;
}

/* /contexts/X/… is … in context X. */
static const char *take_context(rest_call *c)
{
    c->context = ".";
    if (c->nsegments < 3 || strcmp(c->segment[0], "contexts") != 0)
        return NULL;
    const char *name = c->segment[1];
    if (name[0] == ':') /* ":.ctx:" is how a subject says it */
        name = fl_strndup(c->a, name + 1, strlen(name) - 1 - (name[1] && name[strlen(name) - 1] == ':'));
    c->context = name[0] == '.' ? name : fl_printf(c->a, ".%s", name);
    if (strchr(c->context, ':') || rt_subject_wrong(c->context))
        return "the context's name holds what it may not";
    c->nsegments -= 2;
    memmove(c->segment, c->segment + 2, c->nsegments * sizeof c->segment[0]);
    return NULL;
}

static const char *take_target(rest_call *c, const char *target)
{
    size_t path = strcspn(target, "?#");
    if (strlen(target) > RT_REST_TARGET_MAX)
        return "the target is too long";
    const char *wrong = split_path(c, target, path);
    if (!wrong && target[path] == '?')
        wrong = split_query(c, target + path + 1);
    return wrong ? wrong : take_context(c);
}

/* ---- dispatch ---- */

static bool fits(rest_call *c, const char *path)
{
    size_t nargs = 0, i = 0;
    for (path++; *path; i++) {
        size_t n = strcspn(path, "/");
        bool open = n == 1 && path[0] == '*';
        if (n == 2 && path[0] == '*')
            return i < c->nsegments;
        if (i >= c->nsegments || (!open && (strlen(c->segment[i]) != n || memcmp(c->segment[i], path, n) != 0)))
            return false;
        if (open)
            c->arg[nargs++] = c->segment[i];
        path += n + (path[n] == '/');
    }
    for (size_t k = nargs; k < REST_MOST_SEGMENTS; k++)
        c->arg[k] = NULL;
    return i == c->nsegments;
}

static const struct route *find(rest_call *c, const char *method, bool *known)
{
    *known = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!fits(c, routes[i].path))
            continue;
        *known = true;
        if (!strcmp(routes[i].method, method))
            return &routes[i];
    }
    return NULL;
}

static const char *take_body(rest_call *c, const rt_rest_request *q)
{
    fl_json_error e;
    if (!q->n)
        return NULL;
    c->body = q->body;
    c->json = fl_json_parse(c->a, q->body, q->n, 0, &e);
    if (!c->json)
        return fl_printf(c->a, "the body is no JSON: %s (byte %u)", e.message, e.offset);
    return c->json->kind == FL_JOBJECT ? NULL : "the body must be a JSON object";
}

static rt_code call(rest_call *c, const struct route *route, const rt_rest_request *q)
{
    const rt_store *st = c->st;
    uint64_t made = st->made, changed = st->changed;
    rt_code code = rest_allow(c, route->need, route->right);
    if (code == RT_OK)
        code = route->handler(c);
    if (code == RT_OK && c->out->body.full)
        code = rt_fail(&c->err, RT_IO, "the answer is too large: ask for it in parts, with offset and limit");
    if (code == RT_OK && q->answers && c->subject && c->out->status == 200 && made == st->made &&
        changed == st->changed)
        rt_answers_keep(q->answers, st, q, c->out, c->subject, c->wide);
    return code;
}

void rt_rest_handle(rt_store *st, fl_arena *a, const rt_rest_request *q, rt_rest_reply *out)
{
    rest_call *c;
    bool known;
    if (rt_answers_find(q->answers, st, q, out))
        return;
    c = FL_NEW(a, rest_call);
    *out = (rt_rest_reply){.status = 200, .type = JSON_TYPE};
    fl_buf_init(&out->body, RT_REST_ANSWER_MAX);
    *c = (rest_call){.st = st, .access = q->access, .a = a, .out = out};
    fl_jw_init(&c->w, &out->body, false);
    const char *wrong = take_target(c, q->target);
    if (wrong) {
        print_error(out, 400, 400, wrong);
        return;
    }
    const struct route *route = find(c, !strcmp(q->method, "HEAD") ? "GET" : q->method, &known);
    if (!route) {
        print_error(out, known ? 405 : 404, known ? 405 : 404,
                    known ? "HTTP 405 Method Not Allowed" : "HTTP 404 Not Found");
        return;
    }
    wrong = take_body(c, q);
    if (wrong) {
        print_error(out, 400, 400, wrong);
        return;
    }
    rt_code code = call(c, route, q);
    if (code != RT_OK)
        say_error(c, code);
}
