/* files.c: reading the files of a policy: those that the user names, and those that they name with `use`. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/resolve/resolve.h"

#define MAX_FILE (16u << 20) /* bytes; lang/ refuses more than this with a place */

typedef struct loader {
    res_shared *s;
    fl_arena *a;
    fl_diags *diags;
    fl_map *seen; /* device and number of a file, so that two spellings of one path are one file */
    size_t bytes; /* of the files so far */
    bool ok, unreadable;
} loader;

void res_no_such_file(fl_arena *a, fl_diags *diags, fl_span at, const char *path, int error, size_t max)
{
    fl_diag *d = fl_diag_add(diags, "no-such-file", FL_ERROR, at, "%s: %s", path, fl_read_error(a, error, max));
    fl_diag_help(diags, d, "paths are relative to the policy file they stand in");
}

const char *res_path(res *r, const lang_value *v)
{
    const char *written = est_expand(r->e, &v->name);
    if (!written)
        return NULL;
    if (*written == '/') {
        fl_diag *d = res_error(r, "no-such-file", v->span, "%s: an absolute path is not portable", written);
        fl_diag_help(r->diags, d, "paths are relative to the policy file they stand in");
        return NULL;
    }
    return fl_path_join(r->a, fl_path_dir(r->a, v->span.src->name), written);
}

/* ---- one file ---- */

/* A file to be read, and what came of it: apart from all others, since they are read at the same time. */
typedef struct reading {
    const char *path;
    fl_span at;    /* the `use`, or no place for a path of the user's own */
    bool standard; /* input */
    int error;     /* it could not be read */
    bool ok;       /* nothing is wrong with it */
    fl_arena *a, *passing;
    fl_diags diags;
    res_source source;
} reading;

typedef FL_VEC(reading) readings;

static void parse(reading *f, const char *text, size_t len)
{
    fl_arena *tree = fl_arena_new();
    const char *name = f->standard ? "<stdin>" : f->path;
    f->source.file = lang_parse_tree(f->a, tree, name, text, len, &f->diags);
    f->ok = lang_match(tree, f->source.file, &f->diags);
    if (f->ok)
        f->passing = res_early_topics(f->a, &f->source, tree);
    else
        fl_arena_adopt(f->a, tree);
}

static void read_one(size_t i, void *ctx)
{
    reading *f = &((reading *)ctx)[i];
    fl_arena *raw = fl_arena_new();
    char *text;
    size_t len;
    f->a = fl_arena_new();
    fl_diags_init(&f->diags, f->a);
    f->error = f->at.src ? fl_read_regular(raw, f->path, MAX_FILE, &text, &len)
                         : fl_read_file(raw, f->path, MAX_FILE, &text, &len);
    if (!f->error)
        parse(f, text, len);
    fl_arena_free(raw);
}

/* ---- files at once ---- */

static bool seen_before(loader *l, const char *path, bool standard)
{
    struct stat st;
    if (!standard && stat(path, &st))
        return false; /* reading it says why */
    const char *id = standard ? "-" : fl_printf(l->a, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    l->bytes += standard ? 0 : (size_t)st.st_size;
    return fl_map_put(l->seen, id, l) != NULL;
}

static void add(loader *l, readings *all, const char *path, fl_span at)
{
    bool standard = !at.src && !strcmp(path, "-");
    if (!seen_before(l, path, standard))
        FL_PUSH(l->a, all, (reading){.path = path, .at = at, .standard = standard});
}

static void could_not_read(loader *l, const reading *f)
{
    l->ok = false;
    if (f->at.src) {
        res_no_such_file(l->a, l->diags, f->at, f->path, f->error, MAX_FILE);
        return;
    }
    l->unreadable = true;
    fl_log(FL_LOG_ERROR, "%s: %s", f->path, fl_read_error(l->a, f->error, MAX_FILE));
}

static void take(loader *l, reading *f)
{
    res_shared *s = l->s;
    fl_arena_adopt(l->a, f->a);
    if (f->error) {
        could_not_read(l, f);
        return;
    }
    l->ok &= f->ok;
    fl_diags_join(l->diags, &f->diags);
    if (s->passing)
        fl_arena_adopt(s->passing, f->passing);
    else
        s->passing = f->passing;
    FL_PUSH(l->a, &s->sources, f->source);
}

static void load(loader *l, readings *all)
{
    enum { AT_ONCE = 2 }; /* files: each takes twenty times its size meanwhile */
    if (l->bytes < RES_ALONE) {
        for (size_t i = 0; i < all->n; i++)
            read_one(i, all->v);
    } else {
        lang_prepare();
        fl_parallel(all->n, AT_ONCE, read_one, all->v);
    }
    for (size_t i = 0; i < all->n; i++)
        take(l, &all->v[i]);
}

/* A schema or a record would be read as a policy, and refused line by line. */
static bool is_policy(loader *l, const lang_value *path)
{
    const char *name = path->name.text;
    size_t n = strlen(name);
    if (n > 5 && !strcmp(name + n - 5, ".flec"))
        return true;
    fl_diag *d = fl_diag_add(l->diags, "syntax", FL_ERROR, path->span, "`use` takes another policy, a .flec file");
    fl_diag_help(l->diags, d, "schemas and records are named where they are used");
    l->ok = false;
    return false;
}

static void add_used(loader *l, readings *all, const lang_file *f)
{
    for (size_t i = 0; i < f->top->n; i++) {
        const lang_stmt *s = f->top->stmts[i];
        const lang_value *path = lang_is(s, "top.use") ? lang_get1(s, "path") : NULL;
        if (path && is_policy(l, path))
            add(l, all, fl_path_join(l->a, fl_path_dir(l->a, f->source->name), path->name.text), path->span);
    }
}

/* ---- all of them ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const res_source *)a)->file->source->name, ((const res_source *)b)->file->source->name);
}

bool res_files(res_shared *s, fl_diags *diags, const char *const *paths, size_t n, fl_status *status)
{
    loader l = {.s = s, .a = s->a, .diags = diags, .seen = fl_map_new(), .ok = true};
    readings round = {0};
    for (size_t i = 0; i < n; i++)
        add(&l, &round, paths[i], (fl_span){0});
    for (size_t known = 0; round.n;) { /* what files use comes in the next round */
        load(&l, &round);
        for (round.n = 0; known < s->sources.n; known++)
            add_used(&l, &round, s->sources.v[known].file);
    }
    fl_map_free(l.seen);
    if (s->sources.n)
        qsort(s->sources.v, s->sources.n, sizeof *s->sources.v, by_name);
    for (size_t i = 0; i < s->sources.n; i++)
        FL_PUSH(s->a, &s->files, s->sources.v[i].file);
    if (l.unreadable)
        *status = fl_status_worse(*status, FL_COULD_NOT_RUN);
    return l.ok;
}
