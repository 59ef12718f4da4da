/* compat_proto.c: may a .proto file follow another? After the vendor's diff (io.confluent.kafka.schemaregistry.protobuf
 * .diff of schema-registry): messages by name, fields by number, whatever the side's root is. What its registry lets
 * pass (added and removed fields, enums, oneofs, other names, another package) is not looked for. Where its versions
 * differ, the stricter one counts: a field that leaves a oneof is reported though it may be elsewhere now. */
#include "schema/compat.h"
#include "schema/proto.h"

#include <stdlib.h>
#include <string.h>

typedef struct comparison {
    sch_compare *c;
    sch_pairs pairs;
    proto_lines reader, writer; /* of the two texts, made when a place is wanted */
    unsigned depth;
} comparison;

/* Two messages of one name, each with its fields by number. */
typedef struct both {
    const proto_message *reader, *writer;
    const proto_field **r, **w;
    fl_map *oneofs; /* of the reader, those with fields: proto3's `optional` hides behind an empty one */
    bool fits;
} both;

/* ---- places and paths ---- */

static sch_place place_in(comparison *x, const sch_schema *s, proto_lines *lines, const proto_file *file,
                          const proto_span *span)
{
    if (file != s->proto->file || span->line < 0)
        return (sch_place){0};
    if (!lines->starts)
        sch_proto_lines(x->c->arena, s->text, s->len, lines);
    return (sch_place){sch_proto_offset(lines, span->line, span->column),
                       sch_proto_offset(lines, span->end_line, span->end_column)};
}

static sch_place place(comparison *x, bool reader, const proto_message *m, const proto_field *f)
{
    const sch_schema *s = reader ? x->c->reader : x->c->writer;
    return place_in(x, s, reader ? &x->reader : &x->writer, m->file, f ? &f->span : &m->span);
}

/* The name behind the package. */
static const char *local_name(const char *full, const proto_file *file)
{
    size_t n = strlen(file->package);
    return n ? full + n + 1 : full;
}

static const char *path_of(comparison *x, const proto_message *m, const char *oneof, const proto_field *f)
{
    char *path = fl_printf(x->c->arena, "#/%s", local_name(m->full, m->file));
    for (char *p = path; *p; p++)
        *p = *p == '.' ? '/' : *p;
    if (oneof)
        path = fl_printf(x->c->arena, "%s/%s", path, oneof);
    return f ? fl_printf(x->c->arena, "%s/%d", path, f->number) : path;
}

/* ---- types of fields ---- */

typedef enum { NUMBER, ZIGZAG, TEXT, FIXED_4, FIXED_8, FLOAT_4, FLOAT_8, MESSAGE, MAP } wire_kind;

/* What can be read as one another. */
static wire_kind kind_of(const proto_field *f)
{
    switch (f->type) {
    case PROTO_MESSAGE:
    case PROTO_GROUP_TYPE:
        return f->message->map_entry ? MAP : MESSAGE;
    case PROTO_STRING:
    case PROTO_BYTES_TYPE:
        return TEXT;
    case PROTO_SINT32:
    case PROTO_SINT64:
        return ZIGZAG;
    case PROTO_FIX32:
    case PROTO_SFIXED32:
        return FIXED_4;
    case PROTO_FIX64:
    case PROTO_SFIXED64:
        return FIXED_8;
    case PROTO_FLOAT:
        return FLOAT_4;
    case PROTO_DOUBLE:
        return FLOAT_8;
    default:
        return NUMBER;
    }
}

static const char *scalar_word(proto_type t)
{
    static const char *const words[] = {"",        "double",   "float",    "int64",  "uint64",  "int32", "fixed64",
                                        "fixed32", "bool",     "string",   "group",  "message", "bytes", "uint32",
                                        "enum",    "sfixed32", "sfixed64", "sint32", "sint64"};
    return words[t <= PROTO_SINT64 ? t : 0];
}

static const char *type_text(comparison *x, const proto_field *f)
{
    if (f->message && f->message->map_entry)
        return fl_printf(x->c->arena, "map<%s, %s>", type_text(x, &f->message->fields[0]),
                         type_text(x, &f->message->fields[1]));
    return f->type_name ? f->type_name : scalar_word(f->type);
}

/* As it is written: proto3 may write none, and a member of a oneof never does. */
static int written_label(const proto_message *m, const proto_field *f)
{
    bool bare = f->label == PROTO_OPTIONAL && (f->oneof >= 0 || (m->file->proto3 && !f->explicit_optional));
    return bare ? 0 : f->label;
}

typedef struct pair_of_fields {
    both *in;
    const proto_field *r, *w;
    const char *path;
} pair_of_fields;

static bool wrong(comparison *x, const pair_of_fields *p, const char *type, const char *message)
{
    sch_compare_report(x->c, type, p->path, place(x, true, p->in->reader, p->r), place(x, false, p->in->writer, p->w),
                       "%s", message);
    return p->in->fits = false;
}

static bool compare_messages(comparison *x, const proto_message *reader, const proto_message *writer);

static bool named_type(comparison *x, const pair_of_fields *p, const proto_field *r, const proto_field *w)
{
    const char *mine = local_name(r->message->full, r->message->file),
               *theirs = local_name(w->message->full, w->message->file);
    if (strcmp(mine, theirs) != 0)
        return wrong(x, p, "FIELD_NAMED_TYPE_CHANGED",
                     fl_printf(x->c->arena, "%s of %s is a %s, and what was written is a %s", p->r->name,
                               p->in->reader->full, mine, theirs));
    if (compare_messages(x, r->message, w->message))
        return true;
    return wrong(x, p, "FIELD_NAMED_TYPE_CHANGED",
                 fl_printf(x->c->arena, "%s of %s is a %s, which cannot read what was written", p->r->name,
                           p->in->reader->full, mine));
}

static bool scalar(comparison *x, const pair_of_fields *p, const proto_field *r, const proto_field *w)
{
    if (kind_of(r) != kind_of(w))
        return wrong(x, p, "FIELD_SCALAR_KIND_CHANGED",
                     fl_printf(x->c->arena, "%s of %s is of type %s, and what was written is of type %s", p->r->name,
                               p->in->reader->full, type_text(x, p->r), type_text(x, p->w)));
    int mine = written_label(p->in->reader, r), theirs = written_label(p->in->writer, w);
    if (r != p->r || kind_of(r) == TEXT || !mine || !theirs || mine == theirs) /* of a map's entries none counts */
        return true;
    static const char *const words[] = {"", "optional", "required", "repeated"};
    return wrong(x, p, "FIELD_NUMERIC_LABEL_CHANGED",
                 fl_printf(x->c->arena, "%s of %s is %s, and what was written is %s: numbers are packed in another way",
                           p->r->name, p->in->reader->full, words[mine], words[theirs]));
}

static bool compare_types(comparison *x, const pair_of_fields *p, const proto_field *r, const proto_field *w)
{
    wire_kind mine = kind_of(r), theirs = kind_of(w);
    if (mine != theirs && (mine >= MESSAGE || theirs >= MESSAGE))
        return wrong(x, p, "FIELD_KIND_CHANGED",
                     fl_printf(x->c->arena, "%s of %s is of type %s, and what was written is of type %s", p->r->name,
                               p->in->reader->full, type_text(x, p->r), type_text(x, p->w)));
    if (mine == MESSAGE)
        return named_type(x, p, r, w);
    if (mine != MAP)
        return scalar(x, p, r, w);
    const proto_field *rf = r->message->fields, *wf = w->message->fields; /* key and value; no map of maps */
    return compare_types(x, p, &rf[0], &wf[0]) && compare_types(x, p, &rf[1], &wf[1]);
}

/* ---- fields of a message ---- */

static int by_number(const void *a, const void *b)
{
    const proto_field *x = *(const proto_field *const *)a, *y = *(const proto_field *const *)b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static const proto_field **numbered(comparison *x, const proto_message *m)
{
    const proto_field **v = FL_NEW_N(x->c->arena, const proto_field *, m->nfields + 1);
    for (size_t i = 0; i < m->nfields; i++)
        v[i] = &m->fields[i];
    if (m->nfields)
        qsort(v, m->nfields, sizeof *v, by_number);
    return v;
}

static const proto_field *find(const proto_field **sorted, size_t n, const proto_field *wanted)
{
    const proto_field **f = n ? bsearch(&wanted, sorted, n, sizeof *sorted, by_number) : NULL;
    return f ? *f : NULL;
}

static const char *oneof_of(const proto_message *m, const proto_field *f)
{
    return f->oneof >= 0 ? m->oneofs[f->oneof] : NULL;
}

static void told(comparison *x, both *b, const char *type, const char *oneof, const proto_field *r,
                 const proto_field *w, const char *message)
{
    sch_compare_report(x->c, type, path_of(x, b->reader, oneof, r ? r : w), place(x, true, b->reader, r),
                       place(x, false, b->writer, w), "%s", message);
    b->fits = false;
}

/* Fields that share a place now: of those set in what was written, a reader keeps the last only. */
static void moved_into_oneofs(comparison *x, both *b)
{
    size_t n = b->reader->noneofs;
    struct {
        size_t moved, existing;
    } *seen = fl_alloc_n(x->c->arena, n + 1, sizeof *seen);
    for (size_t i = 0; i < b->reader->nfields; i++) {
        const proto_field *r = b->r[i], *w = r->oneof >= 0 ? find(b->w, b->writer->nfields, r) : NULL;
        if (w && w->oneof < 0)
            seen[r->oneof].moved++;
        else if (w)
            seen[r->oneof].existing++;
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = b->reader->oneofs[i];
        if (seen[i].moved > 1)
            told(x, b, "MULTIPLE_FIELDS_MOVED_TO_ONEOF", name, NULL, NULL,
                 fl_printf(x->c->arena,
                           "the oneof %s of %s has several fields that could be set together in what was "
                           "written",
                           name, b->reader->full));
        else if (seen[i].moved && seen[i].existing)
            told(x, b, "FIELD_MOVED_TO_EXISTING_ONEOF", name, NULL, NULL,
                 fl_printf(x->c->arena, "a field was moved to the oneof %s of %s beside fields that were in a oneof",
                           name, b->reader->full));
    }
}

/* A field of the writer: the reader's, or what its absence means. */
static void written_field(comparison *x, both *b, const proto_field *w)
{
    const proto_field *r = find(b->r, b->reader->nfields, w);
    const char *theirs = oneof_of(b->writer, w), *mine = r ? oneof_of(b->reader, r) : NULL;
    bool same = theirs && mine && !strcmp(theirs, mine);
    if (theirs && !same && fl_map_get(b->oneofs, theirs))
        told(x, b, "ONEOF_FIELD_REMOVED", theirs, NULL, w,
             fl_printf(x->c->arena, "the oneof %s of %s lacks %s, which is in that of what was written", theirs,
                       b->reader->full, w->name));
    if (!r && w->label == PROTO_REQUIRED)
        told(x, b, "REQUIRED_FIELD_REMOVED", NULL, NULL, w,
             fl_printf(x->c->arena, "%s lacks %s, which is required in what was written", b->reader->full, w->name));
    if (r) {
        pair_of_fields p = {b, r, w, path_of(x, b->reader, same ? mine : NULL, r)};
        compare_types(x, &p, r, w);
    }
}

static void fields(comparison *x, both *b)
{
    moved_into_oneofs(x, b);
    for (size_t i = 0; i < b->writer->nfields && sch_compare_step(x->c); i++)
        written_field(x, b, b->w[i]);
    for (size_t i = 0; i < b->reader->nfields && sch_compare_step(x->c); i++)
        if (b->r[i]->label == PROTO_REQUIRED && !find(b->w, b->writer->nfields, b->r[i]))
            told(x, b, "REQUIRED_FIELD_ADDED", NULL, b->r[i], NULL,
                 fl_printf(x->c->arena, "%s of %s is required, and what was written has none", b->r[i]->name,
                           b->reader->full));
}

/* ---- messages ---- */

/* Those of one file or message, by name. Map entries are no messages of their own. Returns whether all fit. */
static bool compare_lists(comparison *x, const proto_message *reader, size_t nreader, const proto_message *writer,
                          size_t nwriter)
{
    fl_map *by_name = fl_map_new();
    bool fits = true;
    for (size_t i = 0; i < nreader; i++)
        fl_map_put(by_name, reader[i].name, (void *)&reader[i]);
    for (size_t i = 0; i < nwriter && sch_compare_step(x->c); i++) {
        const proto_message *w = &writer[i], *r = fl_map_get(by_name, w->name);
        if (w->map_entry)
            continue;
        if (r && !r->map_entry) {
            fits &= compare_messages(x, r, w);
            continue;
        }
        sch_compare_report(x->c, "MESSAGE_REMOVED", path_of(x, w, NULL, NULL), (sch_place){0}, place(x, false, w, NULL),
                           "there is no message %s, which what was written has", local_name(w->full, w->file));
        fits = false;
    }
    fl_map_free(by_name);
    return fits;
}

static bool compare_new(comparison *x, const proto_message *reader, const proto_message *writer)
{
    both b = {reader, writer, numbered(x, reader), numbered(x, writer), fl_map_new(), true};
    for (size_t i = 0; i < reader->nfields; i++)
        if (reader->fields[i].oneof >= 0)
            fl_map_put(b.oneofs, reader->oneofs[reader->fields[i].oneof], &b);
    fields(x, &b);
    fl_map_free(b.oneofs);
    bool nested = compare_lists(x, reader->messages, reader->nmessages, writer->messages, writer->nmessages);
    return b.fits && nested;
}

/* Each pair once; one that is being compared fits so far. */
static bool compare_messages(comparison *x, const proto_message *reader, const proto_message *writer)
{
    sch_pair *p = sch_pair_at(&x->pairs, x->c->arena, reader, writer);
    if (p->state != SCH_PAIR_NEW)
        return p->state != SCH_PAIR_TOLD;
    p->state = SCH_PAIR_OPEN;
    bool fits = true;
    if (x->depth == SCH_COMPAT_DEPTH) {
        sch_compare_undecided(x->c);
    } else if (sch_compare_step(x->c)) {
        x->depth++;
        fits = compare_new(x, reader, writer);
        x->depth--;
    }
    sch_pair_at(&x->pairs, x->c->arena, reader, writer)->state = fits ? SCH_PAIR_FITS : SCH_PAIR_TOLD;
    return fits;
}

void sch_proto_compare(sch_compare *c)
{
    comparison x = {.c = c};
    const proto_file *r = c->reader->proto->file, *w = c->writer->proto->file;
    compare_lists(&x, r->messages, r->nmessages, w->messages, w->nmessages);
}
