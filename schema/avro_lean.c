/* avro_lean.c: an Avro schema's tree alone, without its text. */
#include "schema/schema.h"

#include <stdlib.h>
#include <string.h>

/* Of which nothing is said but the name: one for all places of all schemas, with the first numbers of each. */
static sch_type plain[] = {{.kind = SCH_NULL, .id = 0},  {.kind = SCH_BOOLEAN, .id = 1}, {.kind = SCH_INT, .id = 2},
                           {.kind = SCH_LONG, .id = 3},  {.kind = SCH_FLOAT, .id = 4},   {.kind = SCH_DOUBLE, .id = 5},
                           {.kind = SCH_BYTES, .id = 6}, {.kind = SCH_STRING, .id = 7}};
enum { NPLAIN = sizeof plain / sizeof *plain };
_Static_assert(SCH_STRING + 1 == NPLAIN, "plain[] is by kind");

typedef struct copying {
    fl_arena *a;
    sch_type **made; /* by id in the schema it is made of */
    unsigned ntypes;
} copying;

static sch_type *copy_type(copying *c, const sch_type *t);

static const char *copy_text(const copying *c, const char *s)
{
    return s ? fl_strdup(c->a, s) : NULL;
}

static const char **copy_texts(const copying *c, const char *const *v, size_t n)
{
    const char **out = n ? FL_NEW_N(c->a, const char *, n) : NULL;
    for (size_t i = 0; i < n; i++)
        out[i] = fl_strdup(c->a, v[i]);
    return out;
}

static void copy_fields(copying *c, const sch_type *from, sch_type *to)
{
    to->nfields = from->nfields;
    to->fields = from->nfields ? FL_NEW_N(c->a, sch_field, from->nfields) : NULL;
    for (size_t i = 0; i < from->nfields; i++) {
        const sch_field *f = &from->fields[i];
        to->fields[i] = (sch_field){.name = copy_text(c, f->name),
                                    .record = to,
                                    .tags = copy_texts(c, f->tags, f->ntags),
                                    .ntags = f->ntags,
                                    .aliases = copy_texts(c, f->aliases, f->naliases),
                                    .naliases = f->naliases,
                                    .foreign = f->foreign};
        to->fields[i].type = copy_type(c, f->type);
    }
}

static void copy_inside(copying *c, const sch_type *from, sch_type *to)
{
    if (from->kind == SCH_RECORD)
        copy_fields(c, from, to);
    if (from->item)
        to->item = copy_type(c, from->item);
    to->nbranches = from->nbranches;
    to->branches = from->nbranches ? FL_NEW_N(c->a, sch_type *, from->nbranches) : NULL;
    for (size_t i = 0; i < from->nbranches; i++)
        to->branches[i] = copy_type(c, from->branches[i]);
}

/* Goes no deeper than types are nested in the text: a name stands for a type that was met before. */
static sch_type *copy_type(copying *c, const sch_type *t)
{
    if ((size_t)t->kind < NPLAIN && !t->logical)
        return &plain[t->kind];
    if (c->made[t->id])
        return c->made[t->id];
    sch_type *n = c->made[t->id] = FL_NEW(c->a, sch_type);
    *n = (sch_type){.kind = t->kind,
                    .name = copy_text(c, t->name),
                    .logical = copy_text(c, t->logical),
                    .symbols = copy_texts(c, t->symbols, t->nsymbols),
                    .nsymbols = t->nsymbols,
                    .enum_default = copy_text(c, t->enum_default),
                    .size = t->size,
                    .recursive = t->recursive,
                    .foreign = t->foreign,
                    .id = c->ntypes++};
    copy_inside(c, t, n);
    return n;
}

/* Of these attributes others ask in the text; tags that stand in the wrong place are shown there. */
static bool needs_text(const sch_schema *s)
{
    static const char *const asked[] = {"connect.name", "$ref"};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (memmem(s->text, s->len, asked[i], strlen(asked[i])))
            return true;
    return s->format != SCH_AVRO || s->nmisplaced || s->nrefs || memchr(s->text, '\\', s->len);
}

sch_schema *sch_avro_lean(fl_arena *a, const sch_schema *s)
{
    if (needs_text(s))
        return NULL;
    copying c = {.a = a, .ntypes = NPLAIN, .made = fl_xcalloc(s->ntypes + 1, sizeof *c.made)};
    sch_schema *out = FL_NEW(a, sch_schema);
    *out = (sch_schema){.format = s->format, .name = s->name, .len = s->len, .root = copy_type(&c, s->root)};
    out->ntypes = c.ntypes;
    free(c.made);
    return out;
}
