/* compat_avro.c: can a reader's Avro schema read what a writer's wrote? After Apache Avro's SchemaCompatibility, which
 * the vendor's registry asks (lang/java/avro/src/main/java/org/apache/avro/SchemaCompatibility.java, 1.11 and 1.12):
 * names are compared without their namespace, and a reader's aliases count. */
#include "schema/compat.h"

#include <stdlib.h>
#include <string.h>

typedef struct comparison {
    sch_compare *c;
    sch_pairs pairs;
    const sch_field ***sorted; /* by id of a writer's record: its fields in order of name, NULL until needed */
    unsigned depth;
} comparison;

/* Compares; what is wrong is reported if `loud`. Returns whether nothing is. */
static bool reads(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud);

/* A type that has a name is shown by it: its text may be long. */
static sch_place place(const sch_type *t)
{
    const fl_json *name = t->name ? fl_json_get(t->node, "name") : NULL;
    return sch_place_of(t->foreign ? NULL : name ? name : t->node);
}

static const char *upper_kind(const sch_type *t)
{
    static const char *const names[] = {"NULL",   "BOOLEAN", "INT",  "LONG",  "FLOAT", "DOUBLE", "BYTES",
                                        "STRING", "RECORD",  "ENUM", "ARRAY", "MAP",   "UNION",  "FIXED"};
    return names[t->kind];
}

static void wrong_at(comparison *x, const char *type, sch_place in_reader, sch_place in_writer, const sch_trail *at,
                     const char *fmt, va_list ap)
{
    sch_compare_report(x->c, type, sch_trail_text(at, x->c->arena, "/"), in_reader, in_writer, "%s",
                       fl_vprintf(x->c->arena, fmt, ap));
}

static bool __attribute__((format(printf, 7, 8)))
wrong(comparison *x, const char *type, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud,
      const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (loud)
        wrong_at(x, type, place(reader), place(writer), at, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- names ---- */

static const char *simple_name(const char *full)
{
    const char *dot = strrchr(full, '.');
    return dot ? dot + 1 : full;
}

static bool is_alias(const sch_type *reader, const char *full)
{
    const fl_json *list = fl_json_get(reader->node, "aliases");
    if (!list || list->kind != FL_JARRAY)
        return false;
    size_t space = (size_t)(simple_name(reader->name) - reader->name); /* with its dot */
    for (const fl_json *i = list->child; i; i = i->next) {
        if (i->kind != FL_JSTRING)
            continue;
        if (strchr(i->str, '.')
                ? !strcmp(i->str, full)
                : strlen(full) > space && !strncmp(reader->name, full, space) && !strcmp(full + space, i->str))
            return true;
    }
    return false;
}

static bool same_name(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud)
{
    if (!strcmp(simple_name(reader->name), simple_name(writer->name)) || is_alias(reader, writer->name))
        return true;
    sch_trail here = {at, "name", 0};
    return wrong(x, "NAME_MISMATCH", reader, writer, &here, loud,
                 "the type is named %s, and what was written is named %s, which is no alias of it", reader->name,
                 writer->name);
}

/* ---- enums, fixed ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_symbol(const sch_type *t, const char *symbol)
{
    for (size_t i = 0; i < t->nsymbols; i++)
        if (!strcmp(t->symbols[i], symbol))
            return true;
    return false;
}

/* The first symbol of the writer's that the reader lacks; NULL: none. */
static const char *missing_symbol(comparison *x, const sch_type *reader, const sch_type *writer)
{
    if (!sch_compare_spend(x->c, reader->nsymbols + writer->nsymbols))
        return NULL;
    const char **known = FL_NEW_N(x->c->arena, const char *, reader->nsymbols + 1);
    memcpy(known, reader->symbols, reader->nsymbols * sizeof *known);
    qsort(known, reader->nsymbols, sizeof *known, by_text);
    for (size_t i = 0; i < writer->nsymbols; i++)
        if (!bsearch(&writer->symbols[i], known, reader->nsymbols, sizeof *known, by_text))
            return writer->symbols[i];
    return NULL;
}

static bool reads_enum(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud)
{
    bool ok = same_name(x, reader, writer, at, loud);
    if (reader->enum_default && has_symbol(reader, reader->enum_default))
        return ok; /* what is unknown becomes the default */
    const char *missing = missing_symbol(x, reader, writer);
    if (!missing)
        return ok;
    sch_trail here = {at, "symbols", 0};
    return wrong(x, "MISSING_ENUM_SYMBOLS", reader, writer, &here, loud,
                 "the symbol %s of the enum %s cannot be read: it is not among the reader's, and "
                 "the reader's enum has no default",
                 missing, writer->name);
}

static bool reads_fixed(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud)
{
    bool ok = same_name(x, reader, writer, at, loud);
    if (reader->size == writer->size)
        return ok;
    sch_trail here = {at, "size", 0};
    return wrong(x, "FIXED_SIZE_MISMATCH", reader, writer, &here, loud,
                 "the fixed %s has %zu bytes for the reader and was written with %zu", reader->name, reader->size,
                 writer->size);
}

/* ---- records ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const sch_field *const *)a)->name, (*(const sch_field *const *)b)->name);
}

/* A record's field by its name: wide records are sorted once. */
static const sch_field *named_field(comparison *x, const sch_type *record, const char *name)
{
    if (record->nfields <= 16) {
        for (size_t i = 0; i < record->nfields; i++)
            if (!strcmp(record->fields[i].name, name))
                return &record->fields[i];
        return NULL;
    }
    const sch_field **v = x->sorted[record->id];
    if (!v) {
        v = x->sorted[record->id] = FL_NEW_N(x->c->arena, const sch_field *, record->nfields);
        for (size_t i = 0; i < record->nfields; i++)
            v[i] = &record->fields[i];
        qsort(v, record->nfields, sizeof *v, by_name);
    }
    sch_field key = {.name = name};
    const sch_field *p = &key, **found = bsearch(&p, v, record->nfields, sizeof *v, by_name);
    return found ? *found : NULL;
}

/* The field of the writer's record that the reader's field is read from, under its name or an alias; NULL: none.
 * *twice: there are two, which Avro's resolution refuses. */
static const sch_field *writer_field(comparison *x, const sch_type *writer, const sch_field *f, bool *twice)
{
    const sch_field *found = named_field(x, writer, f->name);
    *twice = false;
    for (size_t i = 0; i < f->naliases && sch_compare_step(x->c); i++) {
        const sch_field *other = named_field(x, writer, f->aliases[i]);
        if (other && found && other != found)
            *twice = true;
        else if (other)
            found = other;
    }
    return found;
}

static bool __attribute__((format(printf, 7, 8)))
wrong_field(comparison *x, const char *type, const sch_field *f, const sch_type *writer, const sch_trail *at, bool loud,
            const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (loud)
        wrong_at(x, type, sch_place_of(f->record->foreign ? NULL : f->node), place(writer), at, fmt, ap);
    va_end(ap);
    return false;
}

static bool reads_field(comparison *x, const sch_field *f, const sch_type *writer, const sch_trail *at, bool loud)
{
    bool twice;
    const sch_field *from = writer_field(x, writer, f, &twice);
    if (twice) /* Avro gives up on the whole, even where a union only asks */
        return wrong_field(x, "NAME_MISMATCH", f, writer, at, true,
                           "the field %s is two fields of the writer's record %s, by its name and "
                           "its aliases",
                           f->name, writer->name);
    if (from) {
        sch_trail type = {at, "type", 0};
        return reads(x, f->type, from->type, &type, loud);
    }
    if (f->fallback)
        return true;
    if (f->type->kind == SCH_ENUM && f->type->enum_default) { /* Avro compares the enum with the writer's record then */
        sch_trail type = {at, "type", 0};
        return wrong_field(x, "TYPE_MISMATCH", f, writer, &type, loud,
                           "the field %s of the record %s has no default (its enum's own does not "
                           "stand in for one), and what was written lacks it",
                           f->name, f->record->name);
    }
    return wrong_field(x, "READER_FIELD_MISSING_DEFAULT_VALUE", f, writer, at, loud,
                       "the field %s of the record %s has no default, and what was written lacks it", f->name,
                       f->record->name);
}

static bool reads_record(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud)
{
    bool ok = same_name(x, reader, writer, at, loud);
    sch_trail fields = {at, "fields", 0};
    for (size_t i = 0; i < reader->nfields && sch_compare_step(x->c); i++) {
        sch_trail here = {&fields, NULL, i};
        if (!reads_field(x, &reader->fields[i], writer, &here, loud))
            ok = false;
    }
    return ok;
}

/* ---- unions ---- */

static bool lacks_branch(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud)
{
    return wrong(x, "MISSING_UNION_BRANCH", reader, writer, at, loud,
                 "no branch of the reader's union reads the written type %s%s%s", upper_kind(writer),
                 writer->name ? " " : "", writer->name ? writer->name : "");
}

/* Some branch of the reader's union reads a type that is none. */
static bool branch_reads(comparison *x, const sch_type *reader, const sch_type *writer)
{
    for (size_t i = 0; i < reader->nbranches; i++)
        if (reads(x, reader->branches[i], writer, NULL, false))
            return true;
    return false;
}

static bool union_reads_union(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at,
                              bool loud)
{
    bool ok = true;
    for (size_t i = 0; i < writer->nbranches && sch_compare_step(x->c); i++) {
        sch_trail here = {at, NULL, i};
        if (!branch_reads(x, reader, writer->branches[i]))
            ok = lacks_branch(x, reader, writer->branches[i], &here, loud);
    }
    return ok;
}

static bool reads_union(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud)
{
    bool ok = true;
    for (size_t i = 0; i < writer->nbranches && sch_compare_step(x->c); i++)
        if (!reads(x, reader, writer->branches[i], at, loud))
            ok = false;
    return ok;
}

/* ---- the rest ---- */

/* Numbers are read into wider ones, strings as bytes and bytes as strings. */
static bool promotes(sch_kind reader, sch_kind writer)
{
    switch (reader) {
    case SCH_LONG:
    case SCH_FLOAT:
    case SCH_DOUBLE:
        return writer >= SCH_INT && writer < reader;
    case SCH_BYTES:
        return writer == SCH_STRING;
    case SCH_STRING:
        return writer == SCH_BYTES;
    default:
        return false;
    }
}

static bool reads_item(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud)
{
    sch_trail here = {at, reader->kind == SCH_ARRAY ? "items" : "values", 0};
    return reads(x, reader->item, writer->item, &here, loud);
}

static bool reads_now(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud)
{
    if (reader->kind == SCH_UNION && writer->kind == SCH_UNION)
        return union_reads_union(x, reader, writer, at, loud);
    if (writer->kind == SCH_UNION)
        return reads_union(x, reader, writer, at, loud);
    if (reader->kind == SCH_UNION)
        return branch_reads(x, reader, writer) || lacks_branch(x, reader, writer, at, loud);
    if (reader->kind != writer->kind)
        return promotes(reader->kind, writer->kind) ||
               wrong(x, "TYPE_MISMATCH", reader, writer, at, loud, "the type %s does not read what was written as %s",
                     upper_kind(reader), upper_kind(writer));
    switch (reader->kind) {
    case SCH_RECORD:
        return reads_record(x, reader, writer, at, loud);
    case SCH_ENUM:
        return reads_enum(x, reader, writer, at, loud);
    case SCH_FIXED:
        return reads_fixed(x, reader, writer, at, loud);
    case SCH_ARRAY:
    case SCH_MAP:
        return reads_item(x, reader, writer, at, loud);
    default:
        return true;
    }
}

static bool reads(comparison *x, const sch_type *reader, const sch_type *writer, const sch_trail *at, bool loud)
{
    if (!sch_compare_step(x->c))
        return false;
    sch_pair *p = sch_pair_at(&x->pairs, x->c->arena, reader, writer);
    if (p->state == SCH_PAIR_OPEN || p->state == SCH_PAIR_FITS)
        return true;
    if (p->state == SCH_PAIR_TOLD || (p->state == SCH_PAIR_QUIET && !loud))
        return false;
    if (x->depth == SCH_COMPAT_DEPTH) {
        sch_compare_undecided(x->c);
        return false;
    }
    p->state = SCH_PAIR_OPEN;
    x->depth++;
    bool ok = reads_now(x, reader, writer, at, loud);
    x->depth--;
    sch_pair_at(&x->pairs, x->c->arena, reader, writer)->state = ok     ? SCH_PAIR_FITS
                                                                 : loud ? SCH_PAIR_TOLD
                                                                        : SCH_PAIR_QUIET;
    return ok;
}

void sch_avro_compare(sch_compare *c)
{
    comparison x = {.c = c};
    x.sorted = FL_NEW_N(c->arena, const sch_field **, c->writer->ntypes + 1);
    reads(&x, c->reader->root, c->writer->root, NULL, true);
}
