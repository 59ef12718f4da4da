/* tags.c: inline `confluent:tags`: read from a field's object, and written into the original bytes of the schema's
 * text. */
#include "schema/avro_parser.h"
#include "schema/proto.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static int by_name(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

void sch_sort_tags(const char **tags, size_t *n)
{
    if (*n < 2)
        return;
    qsort(tags, *n, sizeof *tags, by_name);
    size_t kept = 1;
    for (size_t i = 1; i < *n; i++) {
        if (strcmp(tags[i], tags[kept - 1]))
            tags[kept++] = tags[i];
    }
    *n = kept;
}

/* The name means SCH_TAGS and is not: clients pass over it, and the field goes out in clear. Letters alone are
 * compared, without case, and the last may be missing. */
static bool is_misspelt(const char *name)
{
    static const char letters[] = "confluenttags";
    size_t n = 0;
    if ((*name != 'c' && *name != 'C') || !strcmp(name, SCH_TAGS))
        return false;
    for (; *name; name++) {
        char c = (char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
        if (c >= 'a' && c <= 'z' && c != letters[n++]) /* at the end it is compared with NUL */
            return false;
    }
    return n + 2 >= sizeof letters;
}

bool sch_read_tags(parser *p, const fl_json *object, const char ***tags, size_t *n)
{
    const fl_json *list = fl_json_get(object, SCH_TAGS);
    *tags = NULL;
    *n = 0;
    for (const fl_json *m = object->kind == FL_JOBJECT ? object->child : NULL; m; m = m->next)
        if (is_misspelt(m->key))
            return sch_refuse(p, m, "clients pass over \"%s\": tags are called \"" SCH_TAGS "\"", m->key);
    if (!list)
        return true;
    if (list->kind != FL_JARRAY)
        return sch_refuse(p, list, "\"" SCH_TAGS "\" is a list of texts");
    *tags = FL_NEW_N(p->a, const char *, list->count + 1);
    for (const fl_json *tag = list->child; tag; tag = tag->next) {
        if (tag->kind != FL_JSTRING || !tag->len || tag->len > SCH_MAX_NAME || strlen(tag->str) != tag->len)
            return sch_refuse(p, tag, "\"" SCH_TAGS "\" is a list of texts, none empty or longer than %d bytes",
                              SCH_MAX_NAME);
        (*tags)[(*n)++] = tag->str;
    }
    sch_sort_tags(*tags, n);
    return true;
}

/* ---- writing ---- */

/* Separators longer than this are not imitated: a hostile file would multiply them. */
#define MAX_STYLE 200

typedef struct span {
    const char *p;
    size_t n;
} span;

static span between(const sch_schema *s, uint32_t from, uint32_t to, const char *otherwise)
{
    if (to > from && to - from <= MAX_STYLE)
        return (span){s->text + from, to - from};
    return (span){otherwise, strlen(otherwise)};
}

static void add(fl_buf *out, span s)
{
    fl_buf_add(out, s.p, s.n);
}

static void add_tags(fl_buf *out, const char **tags, size_t n, span separator, bool more)
{
    for (size_t i = 0; i < n; i++) {
        if (more || i)
            add(out, separator);
        fl_jw w;
        fl_jw_init(&w, out, false);
        fl_jw_string(&w, tags[i]);
    }
}

static const fl_json *last_child(const fl_json *node, const fl_json **before)
{
    const fl_json *last = node->child;
    *before = NULL;
    while (last && last->next) {
        *before = last;
        last = last->next;
    }
    return last;
}

/* What comes behind the only part of a list or object: a comma, and the line break that the part has before it. */
static span only_comma(const sch_schema *s, uint32_t from, uint32_t to, bool loose, char own_line[MAX_STYLE + 2])
{
    if (!memchr(s->text + from, '\n', to - from))
        return loose ? (span){", ", 2} : (span){",", 1};
    span lead = between(s, from, to, " ");
    own_line[0] = ',';
    memcpy(own_line + 1, lead.p, lead.n);
    return (span){own_line, lead.n + 1};
}

/* A member behind the last one of the field's object, in the style of that object. */
static uint32_t insert_member(const sch_schema *s, const fl_json *object, const char **tags, size_t n, uint32_t at,
                              fl_buf *out)
{
    const fl_json *before, *last = last_child(object, &before);
    if (!last) { /* {} of JSON Schema */
        fl_buf_add(out, s->text + at, object->from + 1 - at);
        fl_buf_adds(out, "\"" SCH_TAGS "\": [");
        add_tags(out, tags, n, (span){", ", 2}, false);
        fl_buf_addc(out, ']');
        return object->from + 1;
    }
    span colon = between(s, last->key_to, last->from, ": ");
    char own_line[MAX_STYLE + 2];
    span comma = before ? between(s, before->to, last->key_from, ", ")
                        : only_comma(s, object->from + 1, last->key_from, colon.n > 1, own_line);
    fl_buf_add(out, s->text + at, last->to - at);
    add(out, comma);
    fl_buf_adds(out, "\"" SCH_TAGS "\"");
    add(out, colon);
    fl_buf_addc(out, '[');
    add_tags(out, tags, n, colon.n > 1 ? (span){", ", 2} : (span){",", 1}, false);
    fl_buf_addc(out, ']');
    return last->to;
}

/* What stands between two elements of a list: as between the last two; else, if the only one has a line of its own,
 * that line break. */
static span element_comma(const sch_schema *s, const fl_json *list, char own_line[MAX_STYLE + 2])
{
    const fl_json *before, *last = last_child(list, &before);
    if (before)
        return between(s, before->to, last->from, ", ");
    return last ? only_comma(s, list->from + 1, last->from, true, own_line) : (span){", ", 2};
}

/* Tags behind the last one of an existing list. */
static uint32_t extend_list(const sch_schema *s, const fl_json *list, const char **tags, size_t n, uint32_t at,
                            fl_buf *out)
{
    const fl_json *before, *last = last_child(list, &before);
    uint32_t to = last ? last->to : list->from + 1;
    char own_line[MAX_STYLE + 2];
    fl_buf_add(out, s->text + at, to - at);
    add_tags(out, tags, n, element_comma(s, list, own_line), last != NULL);
    return to;
}

/* One field with all tags that edits ask for, by place in the text. */
typedef struct change {
    const fl_json *object;
    const char **tags; /* those it does not have yet, sorted and unique */
    size_t n;
} change;

/* Copies the text from `at` up to the place of the change, writes it, and returns where the text goes on. */
static uint32_t write_change(const sch_schema *s, const change *c, uint32_t at, fl_buf *out)
{
    const fl_json *list = fl_json_get(c->object, SCH_TAGS);
    return list ? extend_list(s, list, c->tags, c->n, at, out) : insert_member(s, c->object, c->tags, c->n, at, out);
}

/* Where a change touches the text. Fields nest (a record inside a field's type), so the order of the objects is not the
 * order of the places. */
static uint32_t place(const change *c)
{
    const fl_json *list = fl_json_get(c->object, SCH_TAGS), *before;
    const fl_json *in = list ? list : c->object, *last = last_child(in, &before);
    return last ? last->to : in->from + 1;
}

static int by_change_place(const void *x, const void *y)
{
    uint32_t a = place(x), b = place(y);
    return a < b ? -1 : a > b;
}

/* The tags of an edit that its field lacks, added to what is known of that field. In a map: both lists may be as long
 * as a schema. */
static void collect(change *c, const sch_edit *e)
{
    const fl_json *list = fl_json_get(e->field->node, SCH_TAGS);
    fl_map *there = fl_map_new();
    for (const fl_json *t = list ? list->child : NULL; t; t = t->next)
        fl_map_put(there, t->str, (void *)t);
    c->tags = fl_xrealloc(c->tags, (c->n + e->ntags + 1) * sizeof *c->tags);
    for (size_t i = 0; i < e->ntags; i++) {
        if (!fl_map_get(there, e->tags[i]))
            c->tags[c->n++] = e->tags[i];
    }
    fl_map_free(there);
    sch_sort_tags(c->tags, &c->n);
}

/* Edits into changes, one a field, by place; returns how many. Edits of referred schemas, of properties written `true`
 * and edits that add nothing are none. */
static size_t plan_changes(const sch_edit *edits, size_t n, change *out)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const fl_json *object = edits[i].field->node;
        if (sch_is_foreign(edits[i].field) || !object || object->kind != FL_JOBJECT)
            continue;
        size_t k = 0;
        while (k < count && out[k].object != object)
            k++;
        if (k == count)
            out[count++] = (change){.object = object};
        collect(&out[k], &edits[i]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (out[i].n)
            out[kept++] = out[i];
        else
            free(out[i].tags);
    }
    qsort(out, kept, sizeof *out, by_change_place);
    return kept;
}

void sch_write_tags(const sch_schema *s, const sch_edit *edits, size_t n, fl_buf *out)
{
    if (s->format == SCH_PROTOBUF) {
        sch_proto_write_tags(s, edits, n, out);
        return;
    }
    change *changes = fl_xcalloc(n + 1, sizeof *changes);
    size_t count = plan_changes(edits, n, changes);
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++)
        at = write_change(s, &changes[i], at, out);
    fl_buf_add(out, s->text + at, s->len - at);
    for (size_t i = 0; i < count; i++)
        free(changes[i].tags);
    free(changes);
}
