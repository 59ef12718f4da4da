/* fixtures.c: the files that tests read, copied into the build directory, so that it stands alone. */
#include <string.h>

#include "compiler/emit/lower.h"

#define FIXTURE_MAX (64u << 20)

static bool has_suffix(const char *s, const char *const *suffixes)
{
    size_t n = strlen(s);
    for (; *suffixes; suffixes++) {
        size_t m = strlen(*suffixes);
        if (n > m && !strcmp(s + n - m, *suffixes))
            return true;
    }
    return false;
}

static void missing(lowering *l, fl_span at, const char *path, const char *why)
{
    fl_diag *d = fl_diag_add(l->diags, "no-such-file", FL_ERROR, at, "%s: %s", path, why);
    fl_diag_help(l->diags, d, "paths are relative to the policy file they stand in");
}

/* A name below fixtures/ that no other source has. */
static const char *unique_name(lowering *l, const char *source)
{
    const char *slash = strrchr(source, '/');
    const char *base = fl_file_name(l->arena, slash ? slash + 1 : source),
               *name = fl_printf(l->arena, "fixtures/%s", base);
    for (unsigned n = 2;; n++) {
        size_t i = 0;
        while (i < l->fixtures.n && strcmp(l->fixtures.v[i].name, name))
            i++;
        if (i == l->fixtures.n)
            return name;
        name = fl_printf(l->arena, "fixtures/%u-%s", n, base);
    }
}

static bool copy_file(lowering *l, fl_span at, const char *source, const char *to)
{
    char *text;
    size_t len;
    int rc = fl_read_regular(l->arena, source, FIXTURE_MAX, &text, &len);
    if (rc) {
        missing(l, at, source, fl_read_error(l->arena, rc, FIXTURE_MAX));
        return false;
    }
    emit_file(l->m, to, text, len);
    return true;
}

static bool copy_folder(lowering *l, fl_span at, const char *source, const char *to)
{
    char **paths;
    size_t n;
    int rc = fl_find_files(l->arena, source, "", &paths, &n);
    if (rc) {
        missing(l, at, source, strerror(rc));
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (!copy_file(l, at, paths[i], fl_printf(l->arena, "%s%s", to, paths[i] + strlen(source))))
            return false;
    return true;
}

const char *lower_fixture(lowering *l, const lang_value *path, const char *const *suffixes)
{
    bool folder = !suffixes;
    const char *written = lower_text(l, &path->name);
    if (!written)
        return NULL;
    if (*written == '/') {
        fl_diag_add(l->diags, "no-such-file", FL_ERROR, path->span, "%s: an absolute path is not portable", written);
        return NULL;
    }
    const char *source = fl_path_join(l->arena, fl_path_dir(l->arena, path->span.src->name), written);
    if (suffixes && !has_suffix(source, suffixes)) {
        fl_diag *d =
            fl_diag_add(l->diags, "syntax", FL_ERROR, path->span, "%s: the name must end in %s", written, suffixes[0]);
        fl_diag_help(l->diags, d, "the ending says how the file is read");
        return NULL;
    }
    for (size_t i = 0; i < l->fixtures.n; i++)
        if (!strcmp(l->fixtures.v[i].source, source))
            return l->fixtures.v[i].name;
    if (folder ? !fl_is_dir(source) : !fl_exists(source) || fl_is_dir(source)) {
        missing(l, path->span, source, folder ? "no such folder" : "no such file");
        return NULL;
    }
    fixture f = {source, unique_name(l, source)};
    if (l->m && !(folder ? copy_folder(l, path->span, source, f.name) : copy_file(l, path->span, source, f.name)))
        return NULL;
    FL_PUSH(l->arena, &l->fixtures, f);
    return f.name;
}
