/* schemas.c: reading and parsing the files of schemas, each once. */
#include <string.h>

#include "compiler/resolve/resolve.h"

/* ---- files ---- */

static void read_file(fl_arena *a, res_file *f)
{
    char *text;
    f->error = fl_read_regular(a, f->path, SCH_MAX_TEXT, &text, &f->len);
    f->text = text; /* NULL after an error */
}

static res_file *new_file(res *r, const char *path)
{
    res_file *f = FL_NEW(r->a, res_file);
    f->path = path;
    fl_map_put(r->shared->schema_files, path, f);
    return f;
}

/* What is encrypted is the same in every environment, and so is the schema. */
static bool same_everywhere(res *r, const lang_value *v)
{
    const char *variable = res_depends(r, &v->name);
    if (!variable)
        return true;
    fl_diag *d = res_error(r, "overlay-refused", v->span,
                           "the path of a schema holds `${%s}`, which depends on the environment", variable);
    fl_diag_help(r->diags, d, "name one file for all environments: what is encrypted is the same in each");
    return false;
}

const char *res_schema_path(res *r, const lang_value *v)
{
    return same_everywhere(r, v) ? res_path(r, v) : NULL;
}

res_file *res_schema_file(res *r, const lang_value *v)
{
    const char *path = res_schema_path(r, v);
    return path ? res_file_at(r, path, v->span) : NULL;
}

res_file *res_file_at(res *r, const char *path, fl_span at)
{
    res_file *f = fl_map_get(r->shared->schema_files, path);
    if (!f) {
        f = new_file(r, path);
        read_file(r->a, f);
    }
    if (f->error && f->reported != r->e)
        res_no_such_file(r->a, r->diags, at, path, f->error, SCH_MAX_TEXT);
    f->reported = r->e;
    return f;
}

const char *res_record_name(res *r, const res_file *f, bool *json)
{
    fl_json_error error;
    const fl_json *root = fl_json_parse(r->a, f->text, f->len, FL_JSON_ALLOW_NUL, &error);
    const char *type = fl_json_str(root, "type"), *name = fl_json_str(root, "name"),
               *space = fl_json_str(root, "namespace");
    *json = root != NULL;
    if (!type || !name || strcmp(type, "record") || strlen(name) != fl_json_get(root, "name")->len)
        return NULL;
    return strchr(name, '.') || !space || !*space ? name : fl_printf(r->a, "%s.%s", space, name);
}

/* ---- parsing ---- */

static const fl_source *source_of(res *r, res_file *f)
{
    if (!f->source)
        f->source = fl_source_new(r->a, f->path, f->text, f->len);
    return f->source;
}

/* ---- what references are called ---- */

typedef struct ref_list {
    sch_ref *v;
    size_t n;
} ref_list;

static void add_names(res *r, const res_node *of, fl_map *seen, ref_list *out, size_t *room)
{
    const est_ref *v = of->subject ? of->subject->refs.v : of->side->refs.v;
    size_t n = of->subject ? of->subject->refs.n : of->side->refs.n;
    for (size_t i = 0; i < n; i++) {
        const res_node *to = v[i].subject.s ? fl_map_get(r->by_subject, v[i].subject.s) : NULL;
        if (!to || !to->file || !to->file->text || fl_map_put(seen, v[i].name.s, r))
            continue;
        if (out->n == *room)
            out->v = fl_vec_grow(r->a, out->v, out->n, room, sizeof *out->v);
        out->v[out->n++] = (sch_ref){v[i].name.s, to->file->text, to->file->len};
    }
}

/* In JSON Schema a `$ref` says the name of the reference, whatever the subject is called; names of the schema itself
 * stand before those of what it refers to. */
static ref_list json_refs(res *r, const res_node *n)
{
    ref_list out = {0};
    size_t room = 0;
    fl_map *seen = fl_map_new();
    add_names(r, n, seen, &out, &room);
    for (size_t i = n->nclosure; i-- > 0;)
        add_names(r, n->closure[i], seen, &out, &room);
    fl_map_free(seen);
    return out;
}

static ref_list refs_of(res *r, const res_node *n, est_format format)
{
    if (!n->nclosure)
        return (ref_list){0};
    return format == EST_JSON ? json_refs(r, n) : (ref_list){res_refs_of(r, n), n->nclosure};
}

/* ---- one schema ---- */

static res_file *file_of(const res_node *n, const ref_list *refs, const char *name)
{
    for (size_t i = 0; name && i < refs->n; i++)
        for (size_t k = 0; !strcmp(refs->v[i].name, name) && k < n->nclosure; k++)
            if (n->closure[k]->file->text == refs->v[i].text)
                return n->closure[k]->file;
    return n->file;
}

/* The place is in the schema, and the line of the policy that names it follows; of a message that is not in it, the
 * place is where the policy names that. */
static void bad_schema(res *r, const res_node *n, const ref_list *refs, const sch_error *error)
{
    const est_text *message = n->side ? &n->side->message : &n->subject->message;
    if (error->root && message->s) {
        res_error(r, "syntax", message->at, "%s", error->message);
        return;
    }
    res_file *f = file_of(n, refs, error->ref);
    uint32_t end = (uint32_t)f->len, from = error->offset < end ? error->offset : end;
    fl_diag *d =
        res_error(r, "syntax", (fl_span){source_of(r, f), from, from < end ? from + 1 : end}, "%s", error->message);
    fl_diag_relate(r->diags, d, res_node_path(n)->at, "the schema is named here");
}

/* One text, format, message and references, whatever the environment: the files' own addresses tell them apart. */
static const char *parse_id(res *r, const res_node *n, est_format format, const char *message, const ref_list *refs)
{
    if (!refs->n)
        return fl_printf(r->a, "%p %d %s", (const void *)n->file, format, message ? message : "");
    fl_buf b;
    fl_buf_init(&b, (size_t)1 << 30);
    fl_buf_addf(&b, "%p %d %s", (const void *)n->file, format, message ? message : "");
    for (size_t i = 0; i < refs->n; i++)
        fl_buf_addf(&b, "\n%p %s", (const void *)refs->v[i].text, refs->v[i].name);
    const char *id = fl_strdup(r->a, b.p);
    fl_buf_free(&b);
    return id;
}

static void keep_error(fl_arena *a, res_parsed *p, const sch_error *error)
{
    if (p->schema || !error->message[0])
        return;
    sch_error *kept = FL_NEW(a, sch_error);
    *kept = *error;
    p->error = kept;
}

static res_parsed *parse_new(res *r, const res_node *n, est_format format, const char *message, const ref_list *refs)
{
    res_parsed *p = FL_NEW(r->a, res_parsed);
    sch_error error = {.message = ""};
    if (format == EST_PROTOBUF)
        p->schema = res_proto_schema(r, n, message, refs->v, &error);
    else
        p->schema = sch_parse(est_schema_format(format), r->a, n->file->path, n->file->text, n->file->len, message,
                              refs->v, refs->n, &error);
    keep_error(r->a, p, &error);
    return p;
}

/* Without references, which is how most are: by the file itself. */
static res_parsed *parse_alone(fl_arena *a, res_file *f, est_format format)
{
    res_parsed **known = &f->alone[format == EST_JSON], *made = *known;
    sch_error error = {.message = ""};
    if (made)
        return made;
    made = FL_NEW(a, res_parsed);
    made->schema = sch_parse(est_schema_format(format), a, f->path, f->text, f->len, NULL, NULL, 0, &error);
    keep_error(a, made, &error);
    *known = made;
    return made;
}

static void need_leaves(fl_arena *a, res_parsed *p)
{
    if (p->leaves || !p->schema)
        return;
    sch_hits *all = FL_NEW(a, sch_hits);
    sch_leaves(p->schema, a, all);
    p->leaves = all;
}

static res_parsed *parse_with(res *r, const res_node *n, est_format format, const char *message, const ref_list *refs)
{
    const char *id = parse_id(r, n, format, message, refs);
    res_parsed *p = fl_map_get(r->shared->parsed, id);
    if (!p) {
        p = parse_new(r, n, format, message, refs);
        fl_map_put(r->shared->parsed, id, p);
    }
    return p;
}

static res_parsed *parse(res *r, const res_node *n)
{
    est_format format = n->side ? n->side->format : n->subject->format;
    const char *message = n->side ? n->side->message.s : n->subject->message.s;
    ref_list refs = refs_of(r, n, format);
    res_parsed *p = refs.n || message || format == EST_PROTOBUF ? parse_with(r, n, format, message, &refs)
                                                                : parse_alone(r->a, n->file, format);
    if (p->error && p->reported != r->e)
        bad_schema(r, n, &refs, p->error);
    p->reported = r->e;
    return p;
}

static void schema_of(res *r, res_node *n)
{
    bool known = !n->broken;
    n->done = true;
    for (size_t i = 0; i < n->nclosure; i++) { /* what comes first in it needs nothing behind it */
        if (!n->closure[i]->done)
            schema_of(r, n->closure[i]);
        known = known && !n->closure[i]->broken;
    }
    res_parsed *p = known ? parse(r, n) : NULL;
    n->broken = !p || !p->schema;
    if (n->broken)
        return;
    if (n->subject) {
        n->subject->schema = p->schema;
        return;
    }
    need_leaves(r->a, p);
    n->side->schema = p->schema;
    n->side->all_leaves = p->leaves;
}

void res_schemas(res *r)
{
    for (size_t i = 0; i < r->nodes.n; i++)
        r->nodes.v[i]->done = false;
    for (size_t i = 0; i < r->nodes.n; i++)
        if (!r->nodes.v[i]->done)
            schema_of(r, r->nodes.v[i]);
}

/* ---- all at once ---- */

enum { FEW_FILES = 32, FILES_A_PIECE = 64, MOST_PIECES = 32 }; /* each has an arena, whose end is not used */

/* A file that early topics name, and as what they first have it parsed. */
typedef struct needed {
    res_file *file;
    est_format format;
    bool alone; /* without references: to be parsed */
} needed;

typedef struct preparation {
    FL_VEC(needed) files;
    fl_arena **arenas; /* by piece */
    size_t pieces;
    bool lean; /* of Avro schemas the tree is enough */
} preparation;

static bool is_alone(const est_side *s)
{
    return (s->format == EST_AVRO || s->format == EST_JSON) && !s->refs.n && !s->message.s;
}

static void need(res *r, preparation *all, const est_side *s)
{
    if (!s->schema_path.s)
        return;
    all->lean = all->lean && !s->refs.n;
    res_file *f = fl_map_get(r->shared->schema_files, s->schema_path.s);
    if (f) {
        f->keeps_text |= s->format != EST_AVRO || !is_alone(s);
        return;
    }
    f = new_file(r, s->schema_path.s);
    f->keeps_text = s->format != EST_AVRO || !is_alone(s);
    FL_PUSH(r->a, &all->files, (needed){f, s->format, is_alone(s)});
}

static void prepare_whole(fl_arena *a, const needed *n)
{
    read_file(a, n->file);
    if (n->alone && n->file->text)
        need_leaves(a, parse_alone(a, n->file, n->format));
}

/* Text and JSON are freed once the tree is made. */
static void prepare_lean(fl_arena *a, const needed *n)
{
    res_file *f = n->file;
    fl_arena *whole = fl_arena_new();
    read_file(whole, f);
    const sch_schema *s = f->text ? parse_alone(whole, f, EST_AVRO)->schema : NULL;
    sch_schema *lean = s ? sch_avro_lean(a, s) : NULL;
    if (!lean) {
        if (s)
            need_leaves(whole, f->alone[0]);
        fl_arena_adopt(a, whole);
        return;
    }
    f->alone[0] = FL_NEW(a, res_parsed);
    f->alone[0]->schema = lean;
    need_leaves(a, f->alone[0]);
    f->text = ""; /* it could be read */
    f->len = 0;
    fl_arena_free(whole);
}

static void prepare(size_t piece, void *ctx)
{
    preparation *all = ctx;
    fl_piece p = fl_piece_of(all->files.n, all->pieces, piece);
    fl_arena *a = all->arenas[piece] = fl_arena_new();
    for (size_t i = p.from; i < p.from + p.n; i++) {
        const needed *n = &all->files.v[i];
        if (all->lean && !n->file->keeps_text)
            prepare_lean(a, n);
        else
            prepare_whole(a, n);
    }
}

void res_prepare_schemas(res *r)
{
    preparation all = {.lean = r->shared->lean && !r->kinds[RES_SUBJECT].n};
    for (size_t i = 0; i < r->kinds[RES_TOPIC].n; i++) {
        const est_topic *t = r->kinds[RES_TOPIC].v[i].early;
        all.lean = all.lean && t; /* what others ask of a schema is not known yet */
        if (t)
            need(r, &all, &t->key);
        if (t)
            need(r, &all, &t->value);
    }
    all.pieces = all.files.n / FILES_A_PIECE + 1;
    if (all.pieces > MOST_PIECES)
        all.pieces = MOST_PIECES;
    all.arenas = FL_NEW_N(r->a, fl_arena *, all.pieces);
    if (all.files.n < FEW_FILES)
        prepare(0, &all);
    else
        fl_parallel(all.pieces, RES_THREADS, prepare, &all);
    for (size_t i = 0; i < all.pieces; i++)
        fl_arena_adopt(r->a, all.arenas[i]);
}
