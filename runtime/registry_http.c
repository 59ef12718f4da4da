/* registry_http.c: questions to a registry over HTTP, and what its statuses mean. */
#include "runtime/registry_http.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/registry_answers.h"

#define DEKS     "/dek-registry/v1/keks"
#define CONTENT  "application/vnd.schemaregistry.v1+json"
#define URL_MAX  ((size_t)16 << 10)
#define BODY_MAX ((size_t)64 << 20)

typedef struct http_registry {
    rt_registry registry;
    rt_http *http;
    char *urls[RT_REGISTRY_URLS]; /* without a slash at the end */
    size_t nurls;
    unsigned good; /* the one that answered last */
    fl_secret authorization;
    char *cluster, *pool;
} http_registry;

/* ---- one exchange ---- */

typedef struct call {
    http_registry *r;
    fl_arena *a;
    fl_buf path, body; /* path: with its query; body: of a POST */
    const char *method;
    const fl_json *json; /* the answer */
    rt_error *err;
} call;

static void begin(call *c, rt_registry *r, fl_arena *a, const char *method, rt_error *err)
{
    *c = (call){.r = (http_registry *)r, .a = a, .method = method, .err = err};
    fl_buf_init(&c->path, URL_MAX);
    fl_buf_init(&c->body, BODY_MAX);
}

static rt_code end(call *c, rt_code code)
{
    fl_buf_free(&c->path);
    fl_buf_wipe(&c->body);
    return code;
}

static void add_name(call *c, const char *before, const char *name)
{
    fl_buf_adds(&c->path, before);
    rt_http_escape(&c->path, name, "");
}

/* By status. But 42272, what is still referred to, is a conflict with another status, and with 50070 the registry could
 * not make a DEK: its key service refuses. */
static rt_code code_of(int status, int number)
{
    if (status == 404)
        return RT_NOT_FOUND;
    if (status == 409 || number == 42272)
        return RT_CONFLICT;
    if (status == 401 || status == 403 || number == 50070)
        return RT_NO_KEY;
    return status >= 400 && status < 500 && status != 408 && status != 429 ? RT_BAD_INPUT : RT_IO;
}

/* Without the number at its end, which is put there again. */
static const char *words(call *c, const char *said, int64_t number)
{
    const char *tail = fl_printf(c->a, " (%" PRId64 ")", number);
    size_t n = said ? strlen(said) : 0, t = strlen(tail);
    if (!n)
        return "no reason given";
    return n > t && strcmp(said + n - t, tail) == 0 ? fl_strndup(c->a, said, n - t) : said;
}

/* What went wrong, with the registry's number and words where it has any. */
static rt_code refused(call *c, const char *origin, int status)
{
    int64_t number = 0;
    const char *said = c->json ? fl_json_str(c->json, "message") : NULL;
    fl_json_int(c->json, "error_code", &number);
    if (number < 10000 || number > 99999)
        number = 0;
    rt_code code = code_of(status, (int)number);
    if (code == RT_NO_KEY && status == 401)
        return rt_fail(c->err, code, "registry %s refuses the credentials (HTTP 401)", origin);
    if (number)
        return rt_fail_as(c->err, code, (int)number, "registry %s: %.300s", origin, words(c, said, number));
    return rt_fail(c->err, code, "registry %s: HTTP %d%s%.300s", origin, status, said ? ": " : "", said ? said : "");
}

static bool add_headers(const http_registry *r, rt_http_request *q)
{
    bool ok = rt_http_header(q, "Accept", CONTENT ", application/json", strlen(CONTENT ", application/json"));
    if (q->body.len)
        ok &= rt_http_header(q, "Content-Type", CONTENT, strlen(CONTENT));
    if (r->authorization.len)
        ok &= rt_http_header(q, "Authorization", (char *)r->authorization.bytes, r->authorization.len);
    if (r->cluster)
        ok &= rt_http_header(q, "target-sr-cluster", r->cluster, strlen(r->cluster));
    if (r->pool)
        ok &= rt_http_header(q, "Confluent-Identity-Pool-Id", r->pool, strlen(r->pool));
    return ok;
}

static rt_code read_answer(call *c, const char *url, rt_http_answer *answer)
{
    char origin[300];
    fl_json_error e;
    rt_http_origin(url, origin, sizeof origin);
    c->json = answer->body.len
                  ? fl_json_parse(c->a, (char *)answer->body.bytes, answer->body.len, FL_JSON_ALLOW_NUL, &e)
                  : NULL;
    if (answer->status < 200 || answer->status > 299)
        return refused(c, origin, answer->status);
    if (!c->json)
        return rt_fail(c->err, RT_IO, "registry %s: its answer is no JSON: is it a Schema Registry?", origin);
    return RT_OK;
}

/* One URL. */
static rt_code ask(call *c, const char *base)
{
    rt_http_request q = {.method = c->method};
    rt_http_answer answer;
    fl_buf url;
    fl_buf_init(&url, URL_MAX);
    bool ok = fl_buf_adds(&url, base) && fl_buf_add(&url, c->path.p, c->path.len) && !c->path.full && !c->body.full;
    if (ok && c->body.len)
        q.body = fl_secret_copy(c->body.p, c->body.len);
    q.url = url.p;
    rt_code code = ok && add_headers(c->r, &q) ? rt_http_call(c->r->http, &q, &answer, c->err)
                                               : rt_fail(c->err, RT_BAD_INPUT,
                                                         "a registry cannot be asked for this: the "
                                                         "name or schema is too long");
    if (code == RT_OK) {
        code = read_answer(c, url.p, &answer);
        rt_http_answer_free(&answer);
    }
    rt_http_request_free(&q);
    fl_buf_free(&url);
    return code;
}

/* The URL that was good before, then the others, while one cannot be reached. */
static rt_code exchange(call *c)
{
    http_registry *r = c->r;
    unsigned first = __atomic_load_n(&r->good, __ATOMIC_RELAXED);
    rt_code code = RT_IO;
    for (size_t i = 0; i < r->nurls; i++) {
        unsigned at = (unsigned)((first + i) % r->nurls);
        code = ask(c, r->urls[at]);
        if (code == RT_IO)
            continue;
        __atomic_store_n(&r->good, at, __ATOMIC_RELAXED);
        break;
    }
    return code;
}

/* ---- schemas ---- */

static void put_schema(call *c, const rt_subject *s)
{
    fl_jw w;
    fl_jw_init(&w, &c->body, false);
    fl_jw_object(&w);
    if (s->type && *s->type && strcmp(s->type, "AVRO") != 0)
        fl_jw_kstring(&w, "schemaType", s->type);
    fl_jw_kstring(&w, "schema", s->schema);
    if (s->nrefs) {
        fl_jw_key(&w, "references");
        fl_jw_array(&w);
        for (size_t i = 0; i < s->nrefs; i++) {
            fl_jw_object(&w);
            fl_jw_kstring(&w, "name", s->refs[i].name);
            fl_jw_kstring(&w, "subject", s->refs[i].subject);
            fl_jw_kint(&w, "version", s->refs[i].version);
            fl_jw_end_object(&w);
        }
        fl_jw_end_array(&w);
    }
    const char *const parts[][2] = {{"metadata", s->metadata}, {"ruleSet", s->ruleset}};
    for (size_t i = 0; i < 2; i++)
        if (parts[i][1]) {
            fl_jw_key(&w, parts[i][0]);
            fl_jw_raw(&w, parts[i][1], strlen(parts[i][1]));
        }
    fl_jw_end_object(&w);
}

static rt_code subject_version(rt_registry *r, fl_arena *a, const char *subject, int version, rt_subject *out,
                               rt_error *err)
{
    call c;
    if (version < -1 || version == 0)
        return rt_fail_as(err, RT_BAD_INPUT, 42202, "%d is no version of a subject", version);
    begin(&c, r, a, "GET", err);
    add_name(&c, "/subjects/", subject);
    if (version < 0)
        fl_buf_adds(&c.path, "/versions/latest");
    else
        fl_buf_addf(&c.path, "/versions/%d", version);
    rt_code code = exchange(&c);
    *out = (rt_subject){.subject = subject, .version = version > 0 ? version : 0};
    if (!code)
        code = rt_answer_subject(a, c.json, out, err);
    if (!code && (!out->id || !out->version))
        code = rt_fail(err, RT_IO, "the registry's answer has no version or id: it is not used");
    return end(&c, code);
}

/* Where a schema is used: the subject that is hinted at, else the first; the hint where the registry does not say. */
static rt_code used_by(rt_registry *r, fl_arena *a, const char *path, const char *hint, rt_subject *out, rt_error *err)
{
    call c;
    begin(&c, r, a, "GET", err);
    fl_buf_adds(&c.path, path);
    if (hint)
        add_name(&c, "?subject=", hint);
    rt_code code = exchange(&c);
    if (code || !rt_answer_use(c.json, hint, &out->subject, &out->version))
        out->subject = hint ? hint : "";
    return end(&c, code == RT_NOT_FOUND ? RT_OK : code);
}

static rt_code by_path(rt_registry *r, fl_arena *a, const char *path, const char *hint, rt_subject *out, rt_error *err)
{
    call c;
    begin(&c, r, a, "GET", err);
    fl_buf_adds(&c.path, path);
    if (hint)
        add_name(&c, "?subject=", hint);
    rt_code code = exchange(&c);
    if (!code)
        code = rt_answer_subject(a, c.json, out, err);
    return end(&c, code);
}

static rt_code schema_by_id(rt_registry *r, fl_arena *a, int id, const char *hint, rt_subject *out, rt_error *err)
{
    const char *path = fl_printf(a, "/schemas/ids/%d", id);
    *out = (rt_subject){.id = id};
    if (id < 1)
        return rt_fail_as(err, RT_NOT_FOUND, 40403, "%d is no schema id", id);
    rt_code code = by_path(r, a, path, hint, out, err);
    out->version = 0;
    return code ? code : used_by(r, a, fl_printf(a, "%s/versions", path), hint, out, err);
}

/* What it is called by number nobody needs. */
static rt_code schema_by_guid(rt_registry *r, fl_arena *a, const char *guid, const char *hint, rt_subject *out,
                              rt_error *err)
{
    *out = (rt_subject){0};
    rt_code code = by_path(r, a, fl_printf(a, "/schemas/guids/%s", guid), hint, out, err);
    if (!code && !out->subject)
        out->subject = hint ? hint : "";
    return code;
}

/* A writer of JSON replaces what is no UTF-8: another schema than this one would be registered. */
static rt_code sendable(const rt_subject *s, rt_error *err)
{
    const char *const texts[] = {s->subject, s->schema, s->metadata, s->ruleset};
    if (!s->subject || !*s->subject)
        return rt_fail_as(err, RT_BAD_INPUT, 42208, "a subject without a name");
    for (size_t i = 0; i < 4; i++)
        if (texts[i] && !fl_utf8_ok(texts[i], strlen(texts[i]), NULL))
            return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: its schema, metadata or rules are no UTF-8",
                              s->subject);
    fl_json_error e;
    fl_arena *a = fl_arena_new();
    bool json = true;
    for (size_t i = 2; i < 4; i++)
        json &= !texts[i] || fl_json_parse(a, texts[i], strlen(texts[i]), 0, &e);
    fl_arena_free(a);
    return json ? RT_OK
                : rt_fail_as(err, RT_BAD_INPUT, 42210, "subject %s: its metadata or rules are no JSON", s->subject);
}

/* The answer of a registration is as long as the registry likes: at least the id. */
static rt_code register_subject(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err)
{
    call c;
    rt_subject got = {.subject = s->subject}, use = {0};
    rt_code code = sendable(s, err);
    if (code)
        return code;
    begin(&c, r, a, "POST", err);
    add_name(&c, "/subjects/", s->subject);
    fl_buf_adds(&c.path, "/versions");
    put_schema(&c, s);
    code = exchange(&c);
    int64_t id = 0, version = 0;
    if (!code && (!fl_json_int(c.json, "id", &id) || id < 1 || id > INT32_MAX))
        code = rt_fail(err, RT_IO, "the registry's answer has no schema id: it is not used");
    if (!code && !fl_json_int(c.json, "version", &version))
        code = used_by(r, a, fl_printf(a, "/schemas/ids/%d/versions", (int)id), s->subject, &use, err);
    if (!code)
        code = subject_version(r, a, s->subject, version ? (int)version : use.version, &got, err);
    if (!code)
        *s = got;
    return end(&c, code);
}

static rt_code find_subject(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err)
{
    call c;
    rt_subject got = {.subject = s->subject};
    rt_code code = sendable(s, err);
    if (code)
        return code;
    begin(&c, r, a, "POST", err);
    add_name(&c, "/subjects/", s->subject);
    put_schema(&c, s);
    code = exchange(&c);
    if (!code)
        code = rt_answer_subject(a, c.json, &got, err);
    if (!code && (!got.id || !got.version))
        code = rt_fail(err, RT_IO, "the registry's answer has no version or id: it is not used");
    if (!code) {
        s->version = got.version;
        s->id = got.id;
        memcpy(s->guid, got.guid, sizeof s->guid);
    }
    return end(&c, code);
}

/* ---- keys ---- */

/* The context of ":.ctx:subject", as newer registries take it beside a KEK's name; of others, none. */
static void add_context(call *c, const char *before, const char *subject)
{
    const char *end = subject && !strncmp(subject, ":.", 2) ? strchr(subject + 1, ':') : NULL;
    if (end && end > subject + 2)
        add_name(c, before, fl_strndup(c->a, subject + 1, (size_t)(end - subject - 1)));
}

static rt_code get_kek_of(rt_registry *r, fl_arena *a, const char *name, const char *subject, bool deleted, rt_kek *out,
                          rt_error *err)
{
    call c;
    begin(&c, r, a, "GET", err);
    add_name(&c, DEKS "/", name);
    fl_buf_adds(&c.path, deleted ? "?deleted=true" : "?deleted=false");
    add_context(&c, "&context=", subject);
    rt_code code = exchange(&c);
    if (!code)
        code = rt_answer_kek(a, c.json, name, out, err);
    return end(&c, code);
}

static rt_code get_kek(rt_registry *r, fl_arena *a, const char *name, bool deleted, rt_kek *out, rt_error *err)
{
    return get_kek_of(r, a, name, NULL, deleted, out, err);
}

static rt_code create_kek_of(rt_registry *r, const rt_kek *k, const char *subject, rt_error *err)
{
    call c;
    fl_jw w;
    const char *const raw[] = {k->name, k->kms_type, k->kms_key_id, k->doc, k->props};
    for (size_t i = 0; i < 5; i++)
        if (raw[i] && !fl_utf8_ok(raw[i], strlen(raw[i]), NULL))
            return rt_fail_as(err, RT_BAD_INPUT, 42271, "a KEK whose texts are no UTF-8");
    fl_arena *a = fl_arena_new();
    begin(&c, r, a, "POST", err);
    fl_buf_adds(&c.path, DEKS);
    add_context(&c, "?context=", subject);
    fl_jw_init(&w, &c.body, false);
    fl_jw_object(&w);
    const char *const texts[][2] = {
        {"name", k->name}, {"kmsType", k->kms_type}, {"kmsKeyId", k->kms_key_id}, {"doc", k->doc}};
    for (size_t i = 0; i < 4; i++)
        if (texts[i][1])
            fl_jw_kstring(&w, texts[i][0], texts[i][1]);
    if (k->props) {
        fl_jw_key(&w, "kmsProps");
        fl_jw_raw(&w, k->props, strlen(k->props));
    }
    fl_jw_kbool(&w, "shared", k->shared);
    if (k->deleted)
        fl_jw_kbool(&w, "deleted", true);
    fl_jw_end_object(&w);
    rt_code code = end(&c, exchange(&c));
    fl_arena_free(a);
    return code;
}

static rt_code create_kek(rt_registry *r, const rt_kek *k, rt_error *err)
{
    return create_kek_of(r, k, NULL, err);
}

/* keyMaterial stands in the answer's text: what was parsed of it is wiped by rt_answer_dek, the text is a secret. */
static rt_code get_dek(rt_registry *r, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                       bool deleted, rt_dek *out, rt_error *err)
{
    call c;
    if (version < -1 || version == 0)
        return rt_fail_as(err, RT_BAD_INPUT, 42202, "%d is no version of a DEK", version);
    begin(&c, r, a, "GET", err);
    add_name(&c, DEKS "/", kek);
    add_name(&c, "/deks/", subject);
    fl_buf_addf(&c.path, "/versions/%d?algorithm=%s&deleted=%s", version, rt_alg_name(alg), deleted ? "true" : "false");
    rt_code code = exchange(&c);
    *out = (rt_dek){.kek = kek, .subject = subject, .alg = alg, .version = version > 0 ? version : 0};
    if (!code)
        code = rt_answer_dek(a, c.json, out, err);
    return end(&c, code);
}

static void put_dek(call *c, const rt_dek *d)
{
    fl_jw w;
    fl_jw_init(&w, &c->body, false);
    fl_jw_object(&w);
    fl_jw_kstring(&w, "subject", d->subject);
    if (d->version)
        fl_jw_kint(&w, "version", d->version);
    fl_jw_kstring(&w, "algorithm", rt_alg_name(d->alg));
    if (d->encrypted)
        fl_jw_kstring(&w, "encryptedKeyMaterial", d->encrypted);
    if (d->deleted)
        fl_jw_kbool(&w, "deleted", true);
    fl_jw_end_object(&w);
}

static rt_code post_dek(rt_registry *r, fl_arena *a, const rt_dek *d, bool in_path, rt_dek *out, rt_error *err)
{
    call c;
    begin(&c, r, a, "POST", err);
    add_name(&c, DEKS "/", d->kek);
    fl_buf_adds(&c.path, "/deks");
    if (in_path)
        add_name(&c, "/", d->subject);
    put_dek(&c, d);
    rt_code code = exchange(&c);
    *out = (rt_dek){.kek = d->kek, .subject = d->subject, .alg = d->alg, .version = d->version ? d->version : 1};
    if (!code)
        code = rt_answer_dek(a, c.json, out, err);
    return end(&c, code);
}

/* Older registries know the call without the subject in its path alone: they answer 405. */
static rt_code create_dek(rt_registry *r, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err)
{
    if (!d->subject || !*d->subject) /* its path would be another call's */
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "a DEK needs a subject");
    rt_code code = post_dek(r, a, d, true, out, err);
    if (code == RT_BAD_INPUT && err && strstr(err->message, "HTTP 405"))
        code = post_dek(r, a, d, false, out, err);
    return code;
}

/* ---- opening ---- */

static void close_it(rt_registry *registry)
{
    http_registry *r = (http_registry *)registry;
    rt_http_free(r->http);
    for (size_t i = 0; i < r->nurls; i++)
        free(r->urls[i]);
    fl_secret_free(&r->authorization);
    free(r->cluster);
    free(r->pool);
    free(r);
}

static const rt_registry_ops ops = {
    .register_subject = register_subject,
    .subject_version = subject_version,
    .schema_by_id = schema_by_id,
    .schema_by_guid = schema_by_guid,
    .find_subject = find_subject,
    .create_kek = create_kek,
    .get_kek = get_kek,
    .get_kek_of = get_kek_of,
    .create_kek_of = create_kek_of,
    .create_dek = create_dek,
    .get_dek = get_dek,
    .close = close_it,
};

static rt_code add_url(http_registry *r, const char *s, size_t n, rt_error *err)
{
    char origin[300];
    while (n && s[n - 1] == '/')
        n--;
    if (r->nurls == RT_REGISTRY_URLS)
        return rt_fail(err, RT_IO, "more than %d registry URLs", RT_REGISTRY_URLS);
    char *url = fl_xmalloc(n + 1);
    memcpy(url, s, n);
    url[n] = 0;
    r->urls[r->nurls++] = url;
    if (strchr(url, '@'))
        return rt_fail(err, RT_IO,
                       "a registry URL with a user or password in it; put them into --config "
                       "(basic.auth.user.info) or SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO");
    if (!rt_http_origin(url, origin, sizeof origin) || strpbrk(url, "?# \t"))
        return rt_fail(err, RT_IO, "%.200s is no http or https URL of a registry", url);
    return RT_OK;
}

static rt_code add_urls(http_registry *r, const char *list, rt_error *err)
{
    rt_code code = RT_OK;
    while (*list && !code) {
        list += strspn(list, " ,");
        size_t n = strcspn(list, " ,");
        if (n)
            code = add_url(r, list, n, err);
        list += n;
    }
    return code || r->nurls ? code : rt_fail(err, RT_IO, "no registry URL is given");
}

static fl_secret authorization(const rt_registry_http_options *o)
{
    const fl_secret *s = o->token ? o->token : o->user_info;
    const char *scheme = o->token ? "Bearer " : "Basic ";
    if (!s)
        return (fl_secret){0};
    size_t head = strlen(scheme), room = head + FL_B64_LEN(s->len) + 1;
    fl_secret out = fl_secret_new(room);
    memcpy(out.bytes, scheme, head);
    if (o->token)
        memcpy(out.bytes + head, s->bytes, s->len);
    out.len = head + (o->token ? s->len : fl_b64_encode((char *)out.bytes + head, s->bytes, s->len));
    return out;
}

static char *copy(const char *s)
{
    return s && *s ? fl_xstrdup(s) : NULL;
}

rt_code rt_registry_http(const rt_registry_http_options *o, rt_registry **out, rt_error *err)
{
    http_registry *r = fl_xcalloc(1, sizeof *r);
    rt_http_options http = {.ca_file = o->ca_file,
                            .cert_file = o->cert_file,
                            .key_file = o->key_file,
                            .limits = o->limits,
                            .clock = o->clock};
    r->registry = (rt_registry){.ops = &ops, .threads = true};
    if (!http.limits.answer_max)
        http.limits.answer_max = RT_REGISTRY_ANSWER_MAX;
    r->http = rt_http_new(&http);
    r->authorization = authorization(o);
    r->cluster = copy(o->cluster);
    r->pool = copy(o->pool);
    rt_code code = add_urls(r, o->urls, err);
    if (code)
        close_it(&r->registry);
    else
        *out = &r->registry;
    return code;
}
