/* config.c: settings, references, and the KMS parameters of a client. */
#include "runtime/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/properties.h"

struct rt_config {
    fl_map *values; /* fl_secret *, each with its NUL */
};

/* ---- reading files that may hold secrets ---- */

/* How much may come from an open file: its size, or the most there may be of a pipe. 0: none of it. */
static size_t room_for(int fd)
{
    struct stat st;
    if (fstat(fd, &st) || S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && (uint64_t)st.st_size > RT_CONFIG_MAX))
        return 0;
    return S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : RT_CONFIG_MAX + 1;
}

rt_code rt_config_read_secret(const char *path, fl_secret *out, rt_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *out = (fl_secret){0};
    if (fd < 0)
        return rt_fail(err, RT_IO, "%s: %s", path, strerror(errno));
    size_t room = room_for(fd), got = 0;
    fl_secret s = fl_secret_new(room);
    ssize_t n = room ? 1 : -1;
    while (n > 0 && got < room && (n = read(fd, s.bytes + got, room - got)) > 0)
        got += (size_t)n;
    close(fd);
    if (n < 0 || got == room) {
        fl_secret_free(&s);
        return rt_fail(err, RT_IO, "%s: it cannot be read, or is longer than %zu bytes", path, RT_CONFIG_MAX);
    }
    s.bytes[got] = 0;
    s.len = got; /* freed by address; the rest is zeros */
    *out = s;
    return RT_OK;
}

/* ---- settings ---- */

/* With its NUL. */
static fl_secret secret_text(const char *s, size_t n)
{
    fl_secret out = fl_secret_new(n + 1);
    memcpy(out.bytes, s, n);
    return out;
}

static void put(const char *key, const char *value, void *ctx)
{
    rt_config *c = ctx;
    fl_secret *s = fl_xmalloc(sizeof *s);
    *s = secret_text(value, strlen(value));
    fl_secret *old = fl_map_put(c->values, key, s);
    if (old)
        fl_secret_free(old);
    free(old);
}

rt_code rt_config_load(const char *path, rt_config **out, rt_error *err)
{
    rt_config *c = fl_xcalloc(1, sizeof *c);
    fl_secret text = {0};
    c->values = fl_map_new();
    rt_code code = path ? rt_config_read_secret(path, &text, err) : RT_OK;
    if (code == RT_OK && path)
        code = rt_properties_read(path, (char *)text.bytes, text.len, put, c, err);
    fl_secret_free(&text);
    if (code == RT_OK)
        *out = c;
    else
        rt_config_free(c);
    return code;
}

static bool free_value(const char *key, void *value, void *ctx)
{
    fl_secret_free(value);
    free(value);
    return true;
}

void rt_config_free(rt_config *c)
{
    if (!c)
        return;
    fl_map_each(c->values, free_value, NULL);
    fl_map_free(c->values);
    free(c);
}

void rt_config_set(rt_config *c, const char *key, const char *value)
{
    put(key, value, c);
}

const char *rt_config_get(const rt_config *c, const char *key)
{
    const fl_secret *s = fl_map_get(c->values, key);
    return s ? (const char *)s->bytes : NULL;
}

typedef struct each_call {
    const char *prefix;
    bool (*fn)(const char *key, const char *value, void *ctx);
    void *ctx;
} each_call;

static bool each_one(const char *key, void *value, void *ctx)
{
    const each_call *e = ctx;
    const fl_secret *s = value;
    return strncmp(key, e->prefix, strlen(e->prefix)) != 0 || e->fn(key, (const char *)s->bytes, e->ctx);
}

void rt_config_each(const rt_config *c, const char *prefix, bool (*fn)(const char *, const char *, void *), void *ctx)
{
    each_call e = {prefix, fn, ctx};
    fl_map_each(c->values, each_one, &e);
}

/* ---- references ---- */

/* ${provider:path:key} or ${provider:key}: the first colon ends the provider, the second the path, as Kafka's pattern
 * has it. */
typedef struct reference {
    char provider[32], path[1024], key[512];
    bool has_path;
} reference;

static bool copy_part(char *to, size_t room, const char *from, size_t n)
{
    if (n >= room)
        return false;
    memcpy(to, from, n);
    to[n] = 0;
    return true;
}

/* The inside of ${…}. False: too long. */
static bool split(const char *s, size_t n, reference *r)
{
    const char *end = s + n, *first = memchr(s, ':', n), *second = memchr(first + 1, ':', (size_t)(end - first - 1));
    const char *key = second ? second + 1 : first + 1;
    r->has_path = second != NULL;
    r->path[0] = 0;
    return copy_part(r->provider, sizeof r->provider, s, (size_t)(first - s)) &&
           (!second || copy_part(r->path, sizeof r->path, first + 1, (size_t)(second - first - 1))) &&
           copy_part(r->key, sizeof r->key, key, (size_t)(end - key));
}

static rt_code from_env(const reference *r, fl_secret *out, rt_error *err)
{
    const char *v = r->has_path ? NULL : getenv(r->key);
    if (r->has_path)
        return rt_fail(err, RT_NO_KEY, "${env:%s:%s}: an environment variable has no path; write ${env:NAME}", r->path,
                       r->key);
    if (!v)
        return rt_fail(err, RT_NO_KEY, "${env:%s}: the environment variable is not set", r->key);
    *out = secret_text(v, strlen(v));
    out->len--;
    return RT_OK;
}

typedef struct wanted {
    const char *key;
    fl_secret found; /* bytes NULL: not yet */
} wanted;

static void pick(const char *key, const char *value, void *ctx)
{
    wanted *w = ctx;
    if (strcmp(key, w->key) != 0)
        return;
    fl_secret_free(&w->found);
    w->found = secret_text(value, strlen(value));
    w->found.len--;
}

static rt_code from_file(const reference *r, fl_secret *out, rt_error *err)
{
    fl_secret text;
    wanted w = {.key = r->key};
    rt_code code = rt_config_read_secret(r->path, &text, err);
    if (code != RT_OK)
        return code;
    code = rt_properties_read(r->path, (char *)text.bytes, text.len, pick, &w, err);
    fl_secret_free(&text);
    if (code == RT_OK && !w.found.bytes)
        code = rt_fail(err, RT_NO_KEY, "${file:%s:%s}: the file has no such key", r->path, r->key);
    if (code == RT_OK)
        *out = w.found;
    else
        fl_secret_free(&w.found);
    return code;
}

static rt_code from_dir(const reference *r, fl_secret *out, rt_error *err)
{
    char path[sizeof r->path + sizeof r->key + 1];
    if (!*r->key || strchr(r->key, '/') || !strcmp(r->key, ".") || !strcmp(r->key, ".."))
        return rt_fail(err, RT_NO_KEY, "${dir:%s:%s}: the last part must be the name of a file in that folder", r->path,
                       r->key);
    snprintf(path, sizeof path, "%s/%s", r->path, r->key);
    return rt_config_read_secret(path, out, err);
}

static rt_code fetch(const char *s, size_t n, fl_secret *out, rt_error *err)
{
    reference r;
    if (!split(s, n, &r))
        return rt_fail(err, RT_NO_KEY, "a ${…} reference is too long");
    if (!strcmp(r.provider, "env"))
        return from_env(&r, out, err);
    bool file = !strcmp(r.provider, "file");
    if (!file && strcmp(r.provider, "dir") != 0)
        return rt_fail(
            err, RT_NO_KEY,
            "${%s:…}: flec resolves env, file and dir references; give this value in --config or the environment",
            r.provider);
    if (!r.has_path || !*r.path)
        return rt_fail(err, RT_NO_KEY, "${%s:%s}: a path is missing; write ${%s:PATH:%s}", r.provider, r.key,
                       r.provider, file ? "KEY" : "FILE");
    return file ? from_file(&r, out, err) : from_dir(&r, out, err);
}

static void append(fl_secret *to, const void *p, size_t n)
{
    fl_secret longer = fl_secret_new(to->len + n + 1);
    if (to->len)
        memcpy(longer.bytes, to->bytes, to->len);
    if (n)
        memcpy(longer.bytes + to->len, p, n);
    longer.len--;
    fl_secret_free(to);
    *to = longer;
}

/* The next reference in s: where it starts, and its end after '}'. False: none. */
static bool next_reference(const char *s, const char **from, const char **to)
{
    for (const char *at = s; (at = strstr(at, "${")); at += 2) {
        const char *close = strchr(at, '}'), *colon = strchr(at, ':');
        if (!close)
            return false;
        if (colon && colon < close) {
            *from = at;
            *to = close + 1;
            return true;
        }
    }
    return false;
}

rt_code rt_config_resolve(const char *text, fl_secret *out, rt_error *err)
{
    const char *from, *to;
    fl_secret result = {0};
    for (; next_reference(text, &from, &to); text = to) {
        fl_secret value = {0};
        append(&result, text, (size_t)(from - text));
        rt_code code = result.len > RT_CONFIG_MAX ? rt_fail(err, RT_IO, "a setting is too long")
                                                  : fetch(from + 2, (size_t)(to - from) - 3, &value, err);
        if (code != RT_OK) {
            fl_secret_free(&result);
            return code;
        }
        append(&result, value.bytes, value.len);
        fl_secret_free(&value);
    }
    append(&result, text, strlen(text));
    *out = result;
    return RT_OK;
}

rt_code rt_config_value(const rt_config *c, const char *key, fl_secret *out, rt_error *err)
{
    const char *text = rt_config_get(c, key);
    return text ? rt_config_resolve(text, out, err) : rt_fail(err, RT_NOT_FOUND, "%s is not set", key);
}

/* ---- KMS parameters ---- */

static const struct param_env {
    const char *type, *param, *env;
} envs[] = {
    {"local-kms", "secret", "LOCAL_SECRET"},
    {"aws-kms", "access.key.id", "AWS_ACCESS_KEY_ID"},
    {"aws-kms", "secret.access.key", "AWS_SECRET_ACCESS_KEY"},
    {"aws-kms", "profile", "AWS_PROFILE"},
    {"aws-kms", "role.arn", "AWS_ROLE_ARN"},
    {"aws-kms", "role.session.name", "AWS_ROLE_SESSION_NAME"},
    {"aws-kms", "role.external.id", "AWS_ROLE_EXTERNAL_ID"},
    {"aws-kms", "ssl.ca.location", "AWS_CA_BUNDLE"},
    {"azure-kms", "tenant.id", "AZURE_TENANT_ID"},
    {"azure-kms", "client.id", "AZURE_CLIENT_ID"},
    {"azure-kms", "client.secret", "AZURE_CLIENT_SECRET"},
    {"gcp-kms", "client.id", NULL}, /* here so that Azure's is not taken for it */
    {"hcvault", "token.id", "VAULT_TOKEN"},
    {"hcvault", "namespace", "VAULT_NAMESPACE"},
    {"hcvault", "approle.role.id", "VAULT_APPROLE_ROLE_ID"},
    {"hcvault", "approle.secret.id", "VAULT_APPROLE_SECRET_ID"},
    {"hcvault", "ssl.keystore.location", "VAULT_SSL_KEYSTORE_LOCATION"},
    {"hcvault", "ssl.keystore.password", "VAULT_SSL_KEYSTORE_PASSWORD"},
    {"hcvault", "ssl.truststore.location", "VAULT_SSL_TRUSTSTORE_LOCATION"},
    {"hcvault", "ssl.ca.location", "VAULT_CACERT"},
    {"hcvault", "ssl.certificate.location", "VAULT_CLIENT_CERT"},
    {"hcvault", "ssl.key.location", "VAULT_CLIENT_KEY"},
};

const char *rt_param_env(const char *kms_type, const char *param)
{
    const struct param_env *found = NULL;
    for (size_t i = 0; i < sizeof envs / sizeof envs[0]; i++) {
        if (strcmp(param, envs[i].param) != 0 || (kms_type && strcmp(kms_type, envs[i].type) != 0))
            continue;
        if (found)
            return NULL;
        found = &envs[i];
    }
    return found ? found->env : NULL;
}

static const rt_plan_kek *plan_kek(const rt_plan *p, const char *name)
{
    for (size_t i = 0; p && i < p->nkeks; i++)
        if (!strcmp(p->keks[i].kek.name, name))
            return &p->keks[i];
    return NULL;
}

static const char *plan_param(const rt_plan_kek *k, const char *name)
{
    for (size_t i = 0; k && i < k->nparams; i++)
        if (!strcmp(k->params[i].name, name))
            return k->params[i].value;
    return NULL;
}

/* kmsProps of the policy itself. Those of a registry are another matter (kek_kms.h). */
static fl_secret plan_prop(const rt_plan_kek *k, const char *name)
{
    fl_json_error err;
    fl_secret s = {0};
    if (!k || !k->kek.props || !strstr(k->kek.props, name))
        return s;
    fl_arena *a = fl_arena_new();
    const fl_json *props = fl_json_parse(a, k->kek.props, strlen(k->kek.props), 0, &err);
    const char *text = props ? fl_json_str(props, name) : NULL;
    if (text && *text)
        s = fl_secret_copy(text, strlen(text));
    fl_arena_free(a);
    return s;
}

static const char *setting(const rt_param_source *s, const char *name)
{
    char key[256];
    if (!s->config || snprintf(key, sizeof key, "rule.executors._default_.param.%s", name) >= (int)sizeof key)
        return NULL;
    return rt_config_get(s->config, key);
}

static const char *variable(const rt_param_source *s, const rt_plan_kek *k, const char *name)
{
    const char *env = rt_param_env(k ? k->kek.kms_type : NULL, name);
    return !env ? NULL : s->getenv ? s->getenv(env) : getenv(env);
}

/* Only settings and the plan may hold references: a variable's text is the value itself. An empty value counts as
 * absent. */
static fl_secret resolved(const char *kek, const char *name, const char *text)
{
    fl_secret out = {0};
    rt_error err;
    if (rt_config_resolve(text, &out, &err) == RT_OK) {
        if (!out.len)
            fl_secret_free(&out);
        return out;
    }
    fl_log(FL_LOG_ERROR, "KEK %s, parameter %s: %s", kek, name, err.message);
    return (fl_secret){0};
}

static fl_secret get(void *ctx, const char *kek, const char *name)
{
    const rt_param_source *s = ctx;
    const rt_plan_kek *k = plan_kek(s->plan, kek);
    const char *text = setting(s, name);
    if (text)
        return resolved(kek, name, text);
    text = variable(s, k, name);
    if (text)
        return fl_secret_copy(text, strlen(text));
    text = plan_param(k, name);
    return text ? resolved(kek, name, text) : plan_prop(k, name);
}

static rt_code check(void *ctx, const char *kek, const char *name, rt_error *err)
{
    const rt_param_source *s = ctx;
    const rt_plan_kek *k = plan_kek(s->plan, kek);
    const char *text = setting(s, name);
    fl_secret out = {0};
    if (!text && !variable(s, k, name))
        text = plan_param(k, name);
    rt_code code = text ? rt_config_resolve(text, &out, err) : RT_OK;
    fl_secret_free(&out);
    return code;
}

/* What says as whom a key service is called: parameters in small letters, variables that are behind no parameter in
 * capitals. */
static const struct credential {
    const char *type, *name;
} credentials[] = {
    {"local-kms", "secret"},
    {"aws-kms", "access.key.id"},
    {"aws-kms", "profile"},
    {"aws-kms", "AWS_WEB_IDENTITY_TOKEN_FILE"},
    {"aws-kms", "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
    {"aws-kms", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"},
    {"azure-kms", "client.id"},
    {"azure-kms", "IDENTITY_ENDPOINT"},
    {"azure-kms", "AZURE_FEDERATED_TOKEN_FILE"},
    {"gcp-kms", "private.key"},
    {"gcp-kms", "GOOGLE_APPLICATION_CREDENTIALS"},
    {"gcp-kms", "GCE_METADATA_HOST"},
    {"hcvault", "token.id"},
    {"hcvault", "approle.role.id"},
};

bool rt_param_source_has(const rt_param_source *s, const char *kek, const char *type)
{
    const rt_plan_kek *k = plan_kek(s->plan, kek);
    for (size_t i = 0; i < sizeof credentials / sizeof credentials[0]; i++) {
        const char *name = credentials[i].name, *env = name;
        if (strcmp(credentials[i].type, type) != 0)
            continue;
        if (*name >= 'a' && (setting(s, name) || plan_param(k, name)))
            return true;
        if (*name >= 'a' && !(env = rt_param_env(type, name)))
            continue;
        const char *value = s->getenv ? s->getenv(env) : getenv(env);
        if (value && *value)
            return true;
    }
    return false;
}

/* ---- what policy and configuration name ---- */

static fl_secret env(void *ctx, const char *name)
{
    const rt_param_source *s = ctx;
    const char *v = s->getenv ? s->getenv(name) : getenv(name);
    return v ? fl_secret_copy(v, strlen(v)) : (fl_secret){0};
}

/* Is id one of a comma list's parts? Spaces around them do not count. */
static bool listed(const char *list, const char *id)
{
    size_t n = strlen(id);
    while (list && *list) {
        list += strspn(list, " \t,");
        size_t len = strcspn(list, ","), text = len;
        while (text && (list[text - 1] == ' ' || list[text - 1] == '\t'))
            text--;
        if (text == n && !memcmp(list, id, n))
            return n > 0;
        list += len;
    }
    return false;
}

static bool alternate_of(const rt_kek *k, const char *id)
{
    fl_json_error err;
    if (!k->props || !strstr(k->props, "encrypt.alternate.kms.key.ids"))
        return false;
    fl_arena *a = fl_arena_new();
    const fl_json *props = fl_json_parse(a, k->props, strlen(k->props), 0, &err);
    bool found = props && listed(fl_json_str(props, "encrypt.alternate.kms.key.ids"), id);
    fl_arena_free(a);
    return found;
}

static bool may_call(void *ctx, const char *type, const char *key_id)
{
    const rt_param_source *s = ctx;
    if (listed(setting(s, "encrypt.alternate.kms.key.ids"), key_id) ||
        (s->config && listed(rt_config_get(s->config, "flec.kms.key.ids"), key_id)))
        return true;
    for (size_t i = 0; s->plan && i < s->plan->nkeks; i++) {
        const rt_kek *k = &s->plan->keks[i].kek;
        if (!strcmp(k->kms_type, type) && (!strcmp(k->kms_key_id, key_id) || alternate_of(k, key_id)))
            return true;
    }
    return false;
}

rt_params rt_param_source_params(const rt_param_source *s)
{
    return (rt_params){.get = get, .ctx = (void *)s, .env = env, .may_call = may_call, .check = check};
}
