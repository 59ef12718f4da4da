/* proto_set.c: the descriptors of many schemas with few calls of protoc. Schemas of one call share its names, so those
 * that would clash (two topics with the same message, two texts under one import name) are put into different calls
 * beforehand; where protoc refuses a call of several, the culprits are asked for again without the others. */
#include "schema/proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Calls that protoc may refuse before the rest is given up, and the time after which no call is split any more: both
 * only bound what a hostile or wholly broken estate costs. */
#define MAX_REFUSED 400
#define MAX_SECONDS 180

/* A text under an import name. Its symbols are what it puts into the scope of all files of a call. */
typedef struct source {
    proto_source file;
    FL_VEC(struct holder *) symbols;
    size_t written; /* the call it was last added to */
} source;

/* Who holds a name (a symbol, or an import name), in which calls. Only the last holder is kept: a later one begins
 * behind its last call. */
typedef struct holder {
    const source *by;
    size_t first, last;
} holder;

typedef struct member { /* a unit while the set is made */
    proto_unit *unit;
    const char *root; /* import name of its own text */
    source **sources; /* itself first, then its references */
    size_t nsources;
    size_t call;
    bool culprit;
} member;

struct sch_proto_set {
    proto_unit **units; /* by key */
    size_t n;
};

typedef struct maker {
    fl_arena *a;
    const char *program;
    fl_map *imported; /* digest of a text to the name under which it is imported somewhere */
    fl_map *sources;  /* import name and digest to source */
    fl_map *holders;  /* name to holder */
    member *members;
    size_t n, calls, refused, runs;
    struct timespec start;
} maker;

/* ---- keys ---- */

static void digest_of(const char *text, size_t len, char out[65])
{
    fl_sha256_hex(out, text, len);
}

static void key_of(const char *text, size_t len, const sch_ref *refs, size_t nrefs, char out[65])
{
    char digest[65];
    digest_of(text, len, out);
    if (!nrefs)
        return;
    fl_buf all;
    fl_buf_init(&all, (size_t)64 << 20);
    fl_buf_adds(&all, out);
    for (size_t i = 0; i < nrefs; i++) {
        digest_of(refs[i].text, refs[i].len, digest);
        fl_buf_addf(&all, "%zu %s%s", strlen(refs[i].name), refs[i].name, digest);
    }
    fl_sha256_hex(out, all.p, all.len);
    fl_buf_free(&all);
}

static int by_key(const void *x, const void *y)
{
    return strcmp((*(proto_unit *const *)x)->key, (*(proto_unit *const *)y)->key);
}

const proto_unit *sch_proto_unit(const sch_proto_set *set, const char *text, size_t len, const sch_ref *refs,
                                 size_t nrefs)
{
    proto_unit wanted, *p = &wanted;
    key_of(text, len, refs, nrefs, wanted.key);
    proto_unit **found = set->n ? bsearch(&p, set->units, set->n, sizeof *set->units, by_key) : NULL;
    return found ? *found : NULL;
}

/* ---- members and their sources ---- */

static void refuse(proto_unit *u, const char *ref, uint32_t offset, const char *message)
{
    u->error = (sch_error){.offset = offset, .ref = ref};
    snprintf(u->error.message, sizeof u->error.message, "%s", message);
}

/* What cannot be given to protoc at all. */
static bool acceptable(maker *m, proto_unit *u)
{
    const sch_proto_file *f = u->given;
    const char *why = f->len > SCH_MAX_TEXT ? "the schema is larger than 16 MiB" : NULL;
    if (why)
        refuse(u, NULL, 0, why);
    fl_map *seen = fl_map_new();
    for (size_t i = 0; !why && i < f->nrefs; i++) {
        const char *name = f->refs[i].name;
        if (f->refs[i].len > SCH_MAX_TEXT)
            why = "the schema is larger than 16 MiB";
        else if (!sch_proto_import_ok(name))
            why = fl_printf(m->a, "\"%.150s\" cannot be imported: an import is a relative path of plain names", name);
        else if (fl_map_put(seen, name, seen))
            why = fl_printf(m->a, "two references are called \"%.150s\"", name);
        if (why)
            refuse(u, name, 0, why);
    }
    fl_map_free(seen);
    return !why;
}

typedef struct declaring {
    maker *m;
    source *s;
} declaring;

static holder *holder_of(maker *m, const char *name)
{
    holder *h = fl_map_get(m->holders, name);
    if (!h) {
        h = FL_NEW(m->a, holder);
        fl_map_put(m->holders, name, h);
    }
    return h;
}

static void declare(const char *symbol, void *ctx)
{
    declaring *d = ctx;
    FL_PUSH(d->m->a, &d->s->symbols, holder_of(d->m, symbol));
}

static source *source_of(maker *m, const char *name, const char *text, size_t len, const char *digest)
{
    const char *key = fl_printf(m->a, "%s %s", digest, name);
    source *s = fl_map_get(m->sources, key);
    if (s)
        return s;
    s = FL_NEW(m->a, source);
    s->file = (proto_source){name, text, len};
    fl_map_put(m->sources, key, s);
    declaring d = {m, s};
    declare(fl_printf(m->a, "/%s", name), &d); /* no symbol has a slash */
    sch_proto_symbols(text, len, declare, &d);
    return s;
}

/* The name of a text of its own: that under which it is imported somewhere, so that it is there once; if one of its own
 * references has that name, another. */
static const char *root_name(maker *m, const sch_proto_file *f, const char *digest)
{
    const char *name = fl_map_get(m->imported, digest);
    for (size_t i = 0; name && i < f->nrefs; i++)
        if (!strcmp(f->refs[i].name, name))
            name = NULL;
    return name ? name : fl_printf(m->a, ".flec-%.32s.proto", digest);
}

static void fill(maker *m, member *b)
{
    const sch_proto_file *f = b->unit->given;
    char digest[65];
    digest_of(f->text, f->len, digest);
    b->root = root_name(m, f, digest);
    b->sources = FL_NEW_N(m->a, source *, f->nrefs + 1);
    b->sources[b->nsources++] = source_of(m, b->root, f->text, f->len, digest);
    for (size_t i = 0; i < f->nrefs; i++) {
        digest_of(f->refs[i].text, f->refs[i].len, digest);
        b->sources[b->nsources++] = source_of(m, f->refs[i].name, f->refs[i].text, f->refs[i].len, digest);
    }
}

/* ---- who goes into which call ---- */

/* The first call in which no other file holds one of its names; and whoever brings files of his own under names that
 * all others get from us is alone. */
static void assign(maker *m, member *b)
{
    size_t call = 0;
    for (size_t i = 0; i < b->nsources; i++) {
        const source *s = b->sources[i];
        if (i && sch_proto_is_vendor(s->file.name))
            call = m->calls;
        for (size_t k = 0; k < s->symbols.n; k++) {
            const holder *h = s->symbols.v[k];
            size_t earliest = !h->by ? 0 : h->by == s ? h->first : h->last + 1;
            call = earliest > call ? earliest : call;
        }
    }
    b->call = call;
    for (size_t i = 0; i < b->nsources; i++)
        for (size_t k = 0; k < b->sources[i]->symbols.n; k++) {
            holder *h = b->sources[i]->symbols.v[k];
            if (h->by != b->sources[i])
                *h = (holder){b->sources[i], call, call};
            h->last = call > h->last ? call : h->last;
        }
    m->calls = call + 1 > m->calls ? call + 1 : m->calls;
}

static bool own_vendor(const member *b)
{
    for (size_t i = 1; i < b->nsources; i++)
        if (sch_proto_is_vendor(b->sources[i]->file.name))
            return true;
    return false;
}

/* Those with vendor files of their own last, so that nobody is added to their calls. */
static int by_call(const void *x, const void *y)
{
    const member *a = x, *b = y;
    return a->call != b->call ? (a->call < b->call ? -1 : 1) : strcmp(a->unit->key, b->unit->key);
}

static void assign_all(maker *m)
{
    for (int own = 0; own < 2; own++)
        for (size_t i = 0; i < m->n; i++)
            if (own_vendor(&m->members[i]) == own)
                assign(m, &m->members[i]);
    if (m->n)
        qsort(m->members, m->n, sizeof *m->members, by_call);
}

/* ---- protoc's messages ---- */

typedef struct complaint {
    const char *file;     /* "" where it names none */
    int32_t line, column; /* from 0; -1: none */
    const char *text;
} complaint;

/* The next line of protoc's messages that is no warning; false at the end. */
static bool next_complaint(fl_arena *a, const char **at, complaint *out)
{
    while (**at) {
        size_t n = strcspn(*at, "\n");
        char *line = fl_strndup(a, *at, n), *colon = strchr(line, ':'), *rest;
        *at += n + ((*at)[n] == '\n');
        if (strstr(line, ": warning: ") || !strncmp(line, "[libprotobuf ", 13) || !*line)
            continue;
        *out = (complaint){"", -1, -1, line};
        if (!colon)
            return true;
        *colon = '\0';
        out->file = line;
        out->text = colon + 1;
        long l = strtol(out->text, &rest, 10), c = *rest == ':' ? strtol(rest + 1, &rest, 10) : 0;
        if (l > 0 && c > 0 && l < INT32_MAX && c < INT32_MAX && *rest == ':') {
            out->line = (int32_t)l - 1;
            out->column = (int32_t)c - 1;
            out->text = rest + 1;
        }
        out->text += strspn(out->text, " ");
        return true;
    }
    return false;
}

static const source *source_named(const member *b, const char *name)
{
    for (size_t i = 0; i < b->nsources; i++)
        if (!strcmp(b->sources[i]->file.name, name))
            return b->sources[i];
    return NULL;
}

/* The text of a complaint for people: an import that nothing gives is told as such, and our own name of the text is
 * that of its file. */
static const char *worded(maker *m, const member *b, const char *text)
{
    static const char import[] = "Import \"", lost[] = "\" was not found or had errors.";
    const char *name = text + strlen(import), *end = strstr(text, lost);
    if (!strncmp(text, import, strlen(import)) && end > name) {
        name = fl_strndup(m->a, name, (size_t)(end - name));
        if (!strncmp(name, "google/protobuf/", strlen("google/protobuf/")))
            return fl_printf(m->a, "protoc does not find \"%.100s\" (Debian: it is in libprotobuf-dev)", name);
        return fl_printf(m->a, "no reference gives the import \"%.150s\"", name);
    }
    const char *ours = strstr(text, b->root);
    if (!ours || *b->root != '.')
        return text;
    return fl_printf(m->a, "%.*s%.100s%s", (int)(ours - text), text, b->unit->given->name, ours + strlen(b->root));
}

/* The first complaint about one of its texts is the reason. */
static void explain(maker *m, member *b, const char *errors)
{
    complaint c, any = {0};
    while (next_complaint(m->a, &errors, &c)) {
        const source *s = source_named(b, c.file);
        if (!s) {
            any = any.text || *c.file == '.' ? any : c;
            continue;
        }
        proto_lines lines;
        sch_proto_lines(m->a, s->file.text, s->file.len, &lines);
        uint32_t offset = c.line < 0 ? 0 : sch_proto_offset(&lines, c.line, c.column);
        refuse(b->unit, s == b->sources[0] ? NULL : s->file.name, offset, worded(m, b, c.text));
        return;
    }
    refuse(b->unit, NULL, 0,
           any.text ? fl_printf(m->a, "protoc refuses it: %.100s: %.120s", any.file, any.text)
                    : "protoc refuses it and does not say why");
}

/* ---- calls ---- */

/* Finds the files of the members in what was read. */
static void hand_out(maker *m, member *members, size_t n, const proto_model *model)
{
    fl_map *files = fl_map_new();
    for (size_t i = 0; i < model->nfiles; i++)
        fl_map_put(files, model->files[i].name, &model->files[i]);
    for (size_t i = 0; i < n; i++) {
        member *b = &members[i];
        const proto_file **refs = FL_NEW_N(m->a, const proto_file *, b->nsources);
        for (size_t k = 1; k < b->nsources; k++)
            refs[k - 1] = fl_map_get(files, b->sources[k]->file.name);
        b->unit->refs = refs;
        b->unit->file = fl_map_get(files, b->root);
        if (!b->unit->file)
            refuse(b->unit, NULL, 0, "protoc gave no descriptors of it");
    }
    fl_map_free(files);
}

/* All files and roots of the members, each once. */
static proto_run_status run(maker *m, member *members, size_t n, proto_model *model, const char **errors,
                            char message[256])
{
    size_t most = 0, nfiles = 0, len;
    const char *set;
    for (size_t i = 0; i < n; i++)
        most += members[i].nsources;
    proto_source *files = fl_xcalloc(most + 1, sizeof *files);
    const char **roots = fl_xcalloc(n + 1, sizeof *roots);
    m->runs++;
    for (size_t i = 0; i < n; i++) {
        roots[i] = members[i].root;
        for (size_t k = 0; k < members[i].nsources; k++) {
            source *s = members[i].sources[k];
            if (s->written != m->runs)
                files[nfiles++] = s->file;
            s->written = m->runs;
        }
    }
    proto_run_status status = sch_proto_run(m->a, m->program, files, nfiles, roots, n, &set, &len, errors, message);
    if (status == PROTO_RUN_OK && !sch_proto_read(m->a, set, len, model, message))
        status = PROTO_RUN_FAILED;
    free(files);
    free(roots);
    return status;
}

static bool any_culprit(const fl_map *named, member *b)
{
    b->culprit = false;
    for (size_t i = 0; i < b->nsources && !b->culprit; i++)
        b->culprit = fl_map_get(named, b->sources[i]->file.name) != NULL;
    return b->culprit;
}

static int by_culprit(const void *x, const void *y)
{
    const member *a = x, *b = y;
    return a->culprit != b->culprit ? (a->culprit ? 1 : -1) : strcmp(a->unit->key, b->unit->key);
}

/* Puts the members that protoc complains of behind the others and returns how many others there are; half of all where
 * it names none or all. */
static size_t split(maker *m, member *members, size_t n, const char *errors)
{
    fl_map *named = fl_map_new();
    complaint c;
    size_t fine = n;
    while (next_complaint(m->a, &errors, &c))
        fl_map_put(named, c.file, named);
    for (size_t i = 0; i < n; i++)
        fine -= any_culprit(named, &members[i]);
    fl_map_free(named);
    qsort(members, n, sizeof *members, by_culprit);
    return fine && fine < n ? fine : n / 2;
}

static bool given_up(const maker *m)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return m->refused > MAX_REFUSED || now.tv_sec - m->start.tv_sec > MAX_SECONDS;
}

/* The depth is that of halving and of taking culprits out, which MAX_REFUSED bounds. */
static void solve(maker *m, member *members, size_t n)
{
    proto_model *model = FL_NEW(m->a, proto_model);
    const char *errors;
    char message[256];
    proto_run_status status = run(m, members, n, model, &errors, message);
    if (status == PROTO_RUN_OK) {
        hand_out(m, members, n, model);
        return;
    }
    m->refused++;
    if (n > 1 && !given_up(m)) {
        size_t first = split(m, members, n, errors);
        solve(m, members, first);
        solve(m, members + first, n - first);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (n > 1)
            refuse(members[i].unit, NULL, 0, "protoc refuses too many other schemas to tell whether this one is right");
        else if (status == PROTO_RUN_REFUSED)
            explain(m, &members[i], errors);
        else
            refuse(members[i].unit, NULL, 0, message);
    }
}

/* ---- sets ---- */

static void add(maker *m, sch_proto_set *set, fl_map *seen, const sch_proto_file *f)
{
    char key[65];
    key_of(f->text, f->len, f->refs, f->nrefs, key);
    if (fl_map_get(seen, key))
        return;
    proto_unit *u = FL_NEW(m->a, proto_unit);
    memcpy(u->key, key, sizeof key);
    u->given = f;
    fl_map_put(seen, key, u);
    set->units[set->n++] = u;
    if (acceptable(m, u))
        m->members[m->n++].unit = u;
}

static void make(maker *m)
{
    char digest[65];
    for (size_t i = 0; i < m->n; i++)
        for (size_t k = 0; k < m->members[i].unit->given->nrefs; k++) {
            const sch_ref *r = &m->members[i].unit->given->refs[k];
            digest_of(r->text, r->len, digest);
            if (!fl_map_get(m->imported, digest))
                fl_map_put(m->imported, digest, (void *)r->name);
        }
    for (size_t i = 0; i < m->n; i++)
        fill(m, &m->members[i]);
    assign_all(m);
    for (size_t from = 0, to; from < m->n; from = to) {
        for (to = from + 1; to < m->n && m->members[to].call == m->members[from].call;)
            to++;
        solve(m, m->members + from, to - from);
    }
}

sch_proto_set *sch_proto_prepare(fl_arena *a, const sch_proto_file *files, size_t n, char message[256])
{
    maker m = {.a = a, .program = sch_proto_program(a, message)};
    if (!m.program)
        return NULL;
    clock_gettime(CLOCK_MONOTONIC, &m.start);
    sch_proto_set *set = FL_NEW(a, sch_proto_set);
    set->units = FL_NEW_N(a, proto_unit *, n + 1);
    m.members = FL_NEW_N(a, member, n + 1);
    m.imported = fl_map_new();
    m.sources = fl_map_new();
    m.holders = fl_map_new();
    fl_map *seen = fl_map_new();
    for (size_t i = 0; i < n; i++)
        add(&m, set, seen, &files[i]);
    fl_map_free(seen);
    make(&m);
    fl_map_free(m.imported);
    fl_map_free(m.sources);
    fl_map_free(m.holders);
    if (set->n)
        qsort(set->units, set->n, sizeof *set->units, by_key);
    return set;
}

bool sch_proto_in_set(const sch_proto_set *set, const char *text, size_t len, const sch_ref *refs, size_t nrefs)
{
    return sch_proto_unit(set, text, len, refs, nrefs) != NULL;
}

sch_schema *sch_proto_from_set(fl_arena *a, const sch_proto_set *set, const char *name, const char *text, size_t len,
                               const char *message, const sch_ref *refs, size_t nrefs, sch_error *err)
{
    const proto_unit *u = sch_proto_unit(set, text, len, refs, nrefs);
    if (!u) {
        *err = (sch_error){0};
        snprintf(err->message, sizeof err->message, "the schema is not among those that protoc was asked for");
        return NULL;
    }
    if (!u->file) {
        *err = u->error;
        return NULL;
    }
    return sch_proto_tree(a, u, name, text, len, message, refs, nrefs, err);
}
