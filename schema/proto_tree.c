/* proto_tree.c: the message of a side, and all that it reaches, as the tree of schema.h. Messages wait in a list, since
 * a hostile file can chain thousands of them. */
#include "schema/proto.h"

#include "schema/avro_parser.h" /* sch_types, sch_mark_recursive */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct text_of { /* the text of a file, for places */
    const proto_file *file;
    const sch_ref *ref; /* NULL: the schema's own */
    proto_lines lines;
    bool read;
} text_of;

typedef struct waiting {
    const proto_message *message;
    sch_type *type;
} waiting;

typedef struct note { /* a misplaced tag, with what it is sorted by */
    sch_misplaced m;
    size_t text;
} note;

typedef struct tree {
    fl_arena *a;
    const proto_unit *unit;
    sch_error *err;
    text_of *texts; /* references, then the own one */
    size_t ntexts;
    fl_map *known; /* full name to sch_type */
    fl_map *files; /* name of a file to text_of */
    sch_types types;
    FL_VEC(waiting) list;
    FL_VEC(note) notes;
    FL_VEC(const char *) extensions;
    bool no_root; /* what is refused is the message that was asked for */
} tree;

static bool refuse(tree *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(tree *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *t->err = (sch_error){.root = t->no_root};
    vsnprintf(t->err->message, sizeof t->err->message, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- places ---- */

static void add_texts(tree *t, const char *text, size_t len, const sch_ref *refs, size_t nrefs)
{
    static const sch_ref nothing;
    t->texts = FL_NEW_N(t->a, text_of, nrefs + 1);
    for (size_t i = 0; i < nrefs; i++)
        if (t->unit->refs[i])
            t->texts[t->ntexts++] = (text_of){.file = t->unit->refs[i], .ref = &refs[i]};
    t->texts[t->ntexts++] =
        (text_of){.file = t->unit->file, .ref = &nothing, .lines = {.text = text, .len = (uint32_t)len}};
    for (size_t i = 0; i < t->ntexts; i++)
        fl_map_put(t->files, t->texts[i].file->name, &t->texts[i]);
}

/* A span of a file as a range of its text; 0 to 0 where that is not known. */
static void range(tree *t, const proto_file *file, const proto_span *span, uint32_t *from, uint32_t *to)
{
    text_of *own = fl_map_get(t->files, file->name);
    *from = *to = 0;
    if (!own || span->line < 0)
        return;
    if (!own->read) {
        bool ref = own->ref->text != NULL;
        sch_proto_lines(t->a, ref ? own->ref->text : own->lines.text, ref ? own->ref->len : own->lines.len,
                        &own->lines);
        own->read = true;
    }
    *from = sch_proto_offset(&own->lines, span->line, span->column);
    *to = sch_proto_offset(&own->lines, span->end_line, span->end_column);
    *to = *to < *from ? *from : *to;
}

/* ---- misplaced tags ---- */

static void misplaced(tree *t, const proto_file *file, const proto_tags *tags, const sch_type *type, const char *what,
                      const char *name)
{
    const text_of *own = fl_map_get(t->files, file->name);
    if (!tags->n || !own)
        return;
    note n = {.m = {.type = type, .tags = tags->v, .ntags = tags->n, .foreign = file != t->unit->file},
              .text = (size_t)(own - t->texts)};
    n.m.what = fl_printf(t->a, "%s%.200s", what, name);
    range(t, file, &tags->span, &n.m.offset, &n.m.to);
    FL_PUSH(t->a, &t->notes, n);
}

static void extensions(tree *t, const proto_file *file, const proto_field *list, size_t n, const sch_type *root)
{
    for (size_t i = 0; i < n; i++) {
        const char *of = list[i].extendee ? list[i].extendee : "";
        misplaced(t, file, &list[i].tags, root, "the extension ", list[i].name);
        if (strncmp(of, "google.protobuf.", 16))
            FL_PUSH(t->a, &t->extensions, fl_printf(t->a, "%.500s.%.200s", of, list[i].name));
    }
}

/* Depth is that of reading, which bounded it. */
static void nested_extensions(tree *t, const proto_message *list, size_t n, const sch_type *root)
{
    for (size_t i = 0; i < n; i++) {
        extensions(t, list[i].file, list[i].extensions, list[i].nextensions, root);
        nested_extensions(t, list[i].messages, list[i].nmessages, root);
    }
}

static void of_files(tree *t, const sch_type *root)
{
    for (size_t i = 0; i < t->ntexts; i++) {
        const proto_file *f = t->texts[i].file;
        misplaced(t, f, &f->tags, root, "the file ", t->texts[i].ref->name ? t->texts[i].ref->name : "itself");
        extensions(t, f, f->extensions, f->nextensions, root);
        nested_extensions(t, f->messages, f->nmessages, root);
    }
}

static int by_place(const void *x, const void *y)
{
    const note *a = x, *b = y;
    if (a->text != b->text)
        return a->text < b->text ? -1 : 1;
    return a->m.offset < b->m.offset ? -1 : a->m.offset > b->m.offset;
}

static const sch_misplaced *sorted(tree *t)
{
    sch_misplaced *out = FL_NEW_N(t->a, sch_misplaced, t->notes.n);
    if (t->notes.n)
        qsort(t->notes.v, t->notes.n, sizeof *t->notes.v, by_place);
    for (size_t i = 0; i < t->notes.n; i++)
        out[i] = t->notes.v[i].m;
    return out;
}

/* ---- types ---- */

static sch_type *new_type(tree *t, sch_kind kind)
{
    if (t->types.n == SCH_MAX_TYPES) {
        refuse(t, "the schema has more than %d types", SCH_MAX_TYPES);
        return NULL;
    }
    sch_type *type = FL_NEW(t->a, sch_type);
    type->kind = kind;
    type->id = (unsigned)t->types.n;
    FL_PUSH(t->a, &t->types, type);
    return type;
}

/* A message or enum, made where it is met first. *fresh: it was made now. */
static sch_type *named(tree *t, sch_kind kind, const char *full, const proto_file *file, bool *fresh)
{
    sch_type *type = fl_map_get(t->known, full);
    *fresh = false;
    if (type || !(type = new_type(t, kind)))
        return type;
    *fresh = true;
    type->name = full;
    type->foreign = file != t->unit->file;
    fl_map_put(t->known, full, type);
    return type;
}

static sch_type *message_type(tree *t, const proto_message *m)
{
    bool fresh;
    sch_type *type = named(t, SCH_RECORD, m->full, m->file, &fresh);
    if (type && fresh) {
        FL_PUSH(t->a, &t->list, (waiting){m, type});
        misplaced(t, m->file, &m->tags, type, "the message ", m->full);
    }
    return type;
}

static sch_type *enum_type(tree *t, const proto_enum *e)
{
    bool fresh;
    sch_type *type = named(t, SCH_ENUM, e->full, e->file, &fresh);
    if (type && fresh) {
        type->symbols = e->symbols;
        type->nsymbols = e->n;
        misplaced(t, e->file, &e->tags, type, "the enum ", e->full);
    }
    return type;
}

/* Widths only: how a number is encoded matters to nobody who reads the tree. */
static sch_kind scalar_kind(proto_type type)
{
    switch (type) {
    case PROTO_DOUBLE:
        return SCH_DOUBLE;
    case PROTO_FLOAT:
        return SCH_FLOAT;
    case PROTO_BOOL:
        return SCH_BOOLEAN;
    case PROTO_STRING:
        return SCH_STRING;
    case PROTO_BYTES_TYPE:
        return SCH_BYTES;
    case PROTO_INT32:
    case PROTO_UINT32:
    case PROTO_FIX32:
    case PROTO_SFIXED32:
    case PROTO_SINT32:
        return SCH_INT;
    default:
        return SCH_LONG;
    }
}

static sch_type *single(tree *t, const proto_field *f)
{
    if (f->message)
        return message_type(t, f->message);
    return f->enumeration ? enum_type(t, f->enumeration) : new_type(t, scalar_kind(f->type));
}

static sch_type *field_type(tree *t, const proto_field *f)
{
    if (f->label != PROTO_REPEATED)
        return single(t, f);
    bool map = f->message && f->message->map_entry;
    sch_type *type = new_type(t, map ? SCH_MAP : SCH_ARRAY);
    if (type)
        type->item = single(t, map ? &f->message->fields[1] : f);
    return type && type->item ? type : NULL;
}

static bool has_presence(const proto_message *m, const proto_field *f)
{
    if (f->label != PROTO_OPTIONAL)
        return false;
    return !m->file->proto3 || f->explicit_optional || f->oneof >= 0 || f->type == PROTO_MESSAGE;
}

static bool fill(tree *t, const proto_message *m, sch_type *type)
{
    type->fields = FL_NEW_N(t->a, sch_field, m->nfields);
    for (size_t i = 0; i < m->nfields; i++) {
        const proto_field *from = &m->fields[i];
        sch_field *f = &type->fields[type->nfields++];
        *f = (sch_field){.name = from->name,
                         .type = field_type(t, from),
                         .record = type,
                         .tags = from->tags.v,
                         .ntags = from->tags.n,
                         .number = from->number,
                         .oneof = from->oneof >= 0 ? m->oneofs[from->oneof] : NULL,
                         .optional = has_presence(m, from)};
        if (!f->type)
            return false;
        range(t, m->file, &from->span, &f->at, &f->to);
    }
    return true;
}

/* ---- the root ---- */

typedef FL_VEC(const proto_message *) messages;

/* All messages of a file but the entries of maps, outer ones first. */
static void collect(fl_arena *a, const proto_message *list, size_t n, messages *out)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].map_entry)
            continue;
        FL_PUSH(a, out, &list[i]);
        collect(a, list[i].messages, list[i].nmessages, out);
    }
}

/* The name behind the package. */
static const char *short_name(const proto_message *m)
{
    size_t n = strlen(m->file->package);
    return n ? m->full + n + 1 : m->full;
}

static bool unknown(tree *t, const char *wanted, const messages *all)
{
    size_t n = all->n;
    t->no_root = true;
    const char **names = FL_NEW_N(t->a, const char *, 3 * n), *near;
    for (size_t i = 0; i < n; i++) {
        names[i] = short_name(all->v[i]);
        names[n + i] = all->v[i]->full;
        names[2 * n + i] = all->v[i]->name;
    }
    if (!(near = fl_nearest(wanted, names, 3 * n)))
        return refuse(t, "the file has no message \"%.80s\"; its first is \"%.100s\"", wanted, names[0]);
    for (size_t i = 0; i < n; i++)
        near = near == names[2 * n + i] ? names[i] : near;
    return refuse(t, "the file has no message \"%.80s\"; did you mean \"%.100s\"?", wanted, near);
}

static const proto_message *find_root(tree *t, const char *wanted)
{
    messages all = {0};
    const proto_file *f = t->unit->file;
    collect(t->a, f->messages, f->nmessages, &all);
    if (!all.n) {
        refuse(t, "the file has no message");
        return NULL;
    }
    if (!wanted)
        return all.v[0];
    for (size_t i = 0; i < all.n; i++)
        if (!strcmp(all.v[i]->full, wanted) || !strcmp(short_name(all.v[i]), wanted))
            return all.v[i];
    unknown(t, wanted, &all);
    return NULL;
}

/* ---- schemas ---- */

static sch_schema *build(tree *t, const char *message)
{
    const proto_message *root = find_root(t, message);
    sch_type *type = root ? message_type(t, root) : NULL;
    if (!type)
        return NULL;
    for (size_t i = 0; i < t->list.n; i++)
        if (!fill(t, t->list.v[i].message, t->list.v[i].type))
            return NULL;
    sch_mark_recursive(&t->types);
    of_files(t, type);
    struct sch_proto *p = FL_NEW(t->a, struct sch_proto);
    *p = (struct sch_proto){t->unit->file, root, t->unit->refs, 0};
    sch_schema *s = FL_NEW(t->a, sch_schema);
    *s = (sch_schema){.format = SCH_PROTOBUF,
                      .root = type,
                      .ntypes = (unsigned)t->types.n,
                      .proto = p,
                      .misplaced = sorted(t),
                      .nmisplaced = t->notes.n,
                      .extensions = t->extensions.v,
                      .nextensions = t->extensions.n};
    return s;
}

sch_schema *sch_proto_tree(fl_arena *a, const proto_unit *u, const char *name, const char *text, size_t len,
                           const char *message, const sch_ref *refs, size_t nrefs, sch_error *err)
{
    tree t = {.a = a, .unit = u, .err = err, .known = fl_map_new(), .files = fl_map_new()};
    add_texts(&t, text, len, refs, nrefs);
    sch_schema *s = build(&t, message);
    fl_map_free(t.known);
    fl_map_free(t.files);
    if (!s)
        return NULL;
    s->name = name;
    s->text = text;
    s->len = len;
    sch_ref *kept = FL_NEW_N(a, sch_ref, nrefs + 1);
    for (size_t i = 0; i < nrefs; i++)
        kept[i] = refs[i];
    s->refs = kept;
    s->nrefs = nrefs;
    ((struct sch_proto *)s->proto)->nrefs = nrefs;
    return s;
}
