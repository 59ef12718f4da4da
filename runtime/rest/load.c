/* load.c: `flec serve --build DIR`: the bodies of a build, sent to the handlers as a deployment would send them. */
#include "runtime/rest/load.h"

#include <stdio.h>
#include <string.h>

#define MANIFEST_MAX ((size_t)64 << 20)

typedef struct loader {
    rt_store *st;
    const char *dir;
    rt_loaded *out;
    rt_error *err;
    fl_arena *a; /* for one entry */
} loader;

/* As a path segment: everything but letters, digits and `-._~` encoded. */
static const char *segment(fl_arena *a, const char *name)
{
    size_t n = strlen(name), at = 0;
    char *out = fl_alloc(a, 3 * n + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("-._~", c))
            out[at++] = (char)c;
        else
            at += (size_t)snprintf(out + at, 4, "%%%02X", c);
    }
    return out;
}

static rt_code read_body(loader *l, const char *path, char **text, size_t *n)
{
    int e = fl_read_regular(l->a, path, RT_REST_BODY_MAX, text, n);
    return e ? rt_fail(l->err, RT_IO, "%s: %s", path, fl_read_error(l->a, e, RT_REST_BODY_MAX)) : RT_OK;
}

/* Sends a file as the body of a call; *status: what came back. */
static rt_code send_file(loader *l, const char *method, const char *target, const char *path, int *status)
{
    char *text;
    size_t n;
    rt_rest_reply reply;
    rt_code code = read_body(l, path, &text, &n);
    if (code != RT_OK)
        return code;
    rt_rest_request call = {.method = method, .target = target, .body = text, .n = n};
    rt_rest_handle(l->st, l->a, &call, &reply);
    *status = reply.status;
    if (reply.status >= 300) {
        const fl_json *e = fl_json_parse(l->a, reply.body.p, reply.body.len, 0, &(fl_json_error){0});
        const char *message = e ? fl_json_str(e, "message") : NULL;
        code = rt_fail(l->err, reply.status == 409 ? RT_CONFLICT : RT_BAD_INPUT, "%s: %s", path,
                       message ? message : "it is refused");
    }
    fl_buf_wipe(&reply.body);
    return code;
}

static bool same_kek(loader *l, const char *name, const char *path)
{
    char *text;
    size_t n;
    rt_kek there;
    if (read_body(l, path, &text, &n) != RT_OK ||
        l->st->registry.ops->get_kek(&l->st->registry, l->a, name, false, &there, l->err) != RT_OK)
        return false;
    const fl_json *json = fl_json_parse(l->a, text, n, 0, &(fl_json_error){0});
    const char *type = json ? fl_json_str(json, "kmsType") : NULL, *id = json ? fl_json_str(json, "kmsKeyId") : NULL;
    return type && id && !strcmp(type, there.kms_type) && !strcmp(id, there.kms_key_id) &&
           fl_json_bool(json, "shared", false) == there.shared;
}

static rt_code load_kek(loader *l, const char *name)
{
    int status = 0;
    const char *path = fl_printf(l->a, "%s/registry/keks/%s.json", l->dir, fl_file_name(l->a, name));
    rt_code code = send_file(l, "POST", "/dek-registry/v1/keks", path, &status);
    if (code == RT_CONFLICT) {
        rt_error kept = *l->err;
        code = same_kek(l, name, path) ? RT_OK : RT_CONFLICT;
        *l->err = kept;
    }
    l->out->keks += code == RT_OK;
    return code;
}

static rt_code load_subject(loader *l, const char *name)
{
    int status;
    const char *file = fl_file_name(l->a, name), *part = segment(l->a, name);
    const char *config = fl_printf(l->a, "%s/registry/config/%s.json", l->dir, file);
    rt_code code =
        fl_exists(config) ? send_file(l, "PUT", fl_printf(l->a, "/config/%s", part), config, &status) : RT_OK;
    if (code == RT_OK)
        code = send_file(l, "POST", fl_printf(l->a, "/subjects/%s/versions", part),
                         fl_printf(l->a, "%s/registry/subjects/%s.json", l->dir, file), &status);
    l->out->subjects += code == RT_OK;
    return code;
}

static rt_code load_entry(loader *l, const fl_json *entry)
{
    const char *text = entry->kind == FL_JSTRING ? entry->str : "";
    if (!strncmp(text, "keks/", 5))
        return load_kek(l, text + 5);
    if (!strncmp(text, "subjects/", 9))
        return load_subject(l, text + 9);
    return rt_fail(l->err, RT_BAD_INPUT, "%s/MANIFEST: its order names \"%s\", which is neither a KEK nor a subject",
                   l->dir, text);
}

static rt_code read_order(const char *dir, fl_arena *a, const fl_json **out, rt_error *err)
{
    char *text;
    size_t n;
    fl_json_error e;
    const char *path = fl_printf(a, "%s/MANIFEST", dir);
    int bad = fl_read_regular(a, path, MANIFEST_MAX, &text, &n);
    if (bad)
        return rt_fail(err, RT_IO, "%s: %s; a build directory has a MANIFEST", path,
                       fl_read_error(a, bad, MANIFEST_MAX));
    const fl_json *m = fl_json_parse(a, text, n, 0, &e);
    const char *format = m ? fl_json_str(m, "format") : NULL;
    int64_t version;
    if (!format || strcmp(format, "flec-build") != 0 || !fl_json_int(m, "version", &version))
        return rt_fail(err, RT_IO, "%s: it is no MANIFEST of a build", path);
    if (version != 1)
        return rt_fail(err, RT_IO, "%s: it is of version %lld; this flec reads version 1", path, (long long)version);
    *out = fl_json_get(m, "order");
    return *out && (*out)->kind == FL_JARRAY ? RT_OK : rt_fail(err, RT_IO, "%s: it has no order", path);
}

rt_code rt_rest_load(rt_store *st, const char *dir, rt_loaded *out, rt_error *err)
{
    fl_arena *a = fl_arena_new();
    const fl_json *order = NULL;
    loader l = {st, dir, out, err, NULL};
    *out = (rt_loaded){0};
    rt_store_defer(st); /* one sync for all of it */
    rt_code code = read_order(dir, a, &order, err);
    for (const fl_json *e = code == RT_OK ? order->child : NULL; e && code == RT_OK; e = e->next) {
        l.a = fl_arena_new();
        code = load_entry(&l, e);
        fl_arena_free(l.a);
    }
    if (code == RT_OK)
        code = rt_store_flush(st, err);
    fl_arena_free(a);
    return code;
}
