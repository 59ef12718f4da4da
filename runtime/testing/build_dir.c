/* build_dir.c: reads a build directory's MANIFEST and compares the files with it. */
#include "runtime/testing/build_dir.h"

#include <string.h>

#include "runtime/plan_read.h"

#define MANIFEST_MAX (64u << 20)
#define FILE_MAX     (256u << 20)
#define VERSION      1

static rt_code read_manifest(fl_arena *a, const char *dir, const fl_json **out, rt_error *err)
{
    char *text;
    size_t n;
    const char *path = fl_printf(a, "%s/MANIFEST", dir);
    int fault = fl_read_regular(a, path, MANIFEST_MAX, &text, &n);
    if (fault)
        return rt_fail(err, RT_IO, "%.200s: %s", path, fl_read_error(a, fault, MANIFEST_MAX));
    rt_plan_reader r = {.a = a, .name = path, .text = text, .err = err};
    *out = rt_plan_document(&r, n, 0, "flec-build", VERSION, "build");
    return *out ? RT_OK : RT_BAD_INPUT;
}

bool rt_build_inside(const char *path)
{
    if (!*path || *path == '/')
        return false;
    for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
        if (!strcmp(p, "..") || !strncmp(p, "../", 3))
            return false;
    return true;
}

static bool as_built(const char *dir, const char *path, const char *digest)
{
    fl_arena *a = fl_arena_new();
    char *text, now[65];
    size_t n;
    bool same = false;
    if (!fl_read_regular(a, fl_printf(a, "%s/%s", dir, path), FILE_MAX, &text, &n)) {
        fl_sha256_hex(now, text, n);
        same = !strcmp(now, digest);
    }
    fl_arena_free(a);
    return same;
}

rt_code rt_build_dir_open(fl_arena *a, const char *dir, rt_build_dir *out, rt_error *err)
{
    *out = (rt_build_dir){.dir = dir};
    rt_code code = read_manifest(a, dir, &out->manifest, err);
    if (code)
        return code;
    const fl_json *omitted = fl_json_get(out->manifest, "omitted"), *files = fl_json_get(out->manifest, "files");
    if (omitted && omitted->count)
        return rt_fail(err, RT_REFUSED, "%.200s is a partial build: its tests need all parts, so build without --only",
                       dir);
    for (const fl_json *f = files ? files->child : NULL; f; f = f->next) {
        if (f->kind != FL_JSTRING || !rt_build_inside(f->key))
            return rt_fail(err, RT_BAD_INPUT, "%.200s/MANIFEST lists what is no file of the build: %.100s", dir,
                           f->key ? f->key : "");
        if (!as_built(dir, f->key, f->str))
            FL_PUSH(a, &out->edited, f->key);
    }
    return RT_OK;
}
