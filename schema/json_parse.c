/* json_parse.c: the text of a JSON Schema, drafts 4 to 2020-12, into a tree of types and fields. */
#include "schema/json_parser.h"

#include <stdlib.h>
#include <string.h>

static bool read_docs(js_parser *j, const char *text, size_t len, const sch_ref *refs, size_t nrefs)
{
    for (size_t i = 0; i < nrefs; i++)
        if (!js_add_doc(j, refs[i].name, refs[i].text, refs[i].len))
            return false;
    if (!js_add_doc(j, NULL, text, len))
        return false;
    js_name_refs(j);
    return true;
}

/* Tags in objects that were not met, where no field comes from (`contentSchema`, what `then` says of other names): for
 * nobody, but somebody wrote them. What stands ready to be referred to is left out. */
static bool note_rest(js_parser *j, const fl_json *node, const js_doc *doc, bool names)
{
    static const char *const skipped[] = {"definitions", "$defs", "enum", "const", "default", "examples"};
    static const char *const maps[] = {"properties", "patternProperties", "dependencies", "dependentSchemas"};
    const fl_json *tags = node->kind == FL_JOBJECT && !names ? fl_json_get(node, SCH_TAGS) : NULL;
    js_spot at = {node, doc, NULL};
    if (tags && tags->kind == FL_JARRAY && !js_note_misplaced(j, at, NULL, NULL))
        return false;
    for (const fl_json *c = node->child; c; c = c->next) {
        bool skip = c->kind != FL_JOBJECT && c->kind != FL_JARRAY, map = false;
        for (size_t i = 0; i < sizeof skipped / sizeof *skipped && c->key && !names; i++)
            skip |= !strcmp(c->key, skipped[i]);
        for (size_t i = 0; i < sizeof maps / sizeof *maps && c->key && !names; i++)
            map |= !strcmp(c->key, maps[i]);
        if (!skip && !note_rest(j, c, doc, map))
            return false;
    }
    return true;
}

/* Types are filled in the order in which they were met; filling one may meet others. */
static sch_type *make_types(js_parser *j)
{
    const js_doc *main = j->docs.v[j->docs.n - 1];
    js_spot at = {main->root, main, NULL};
    sch_type *root = js_type(j, &at, 1, NULL);
    while (root && j->done < j->todo.n) {
        js_work w = j->todo.v[j->done++]; /* a copy: the list grows */
        if (!js_fill(j, &w))
            return NULL;
    }
    return root && js_flatten_unions(j) && note_rest(j, main->root, main, false) ? root : NULL;
}

static int by_place(const void *x, const void *y)
{
    const sch_misplaced *a = x, *b = y;
    if (a->foreign != b->foreign)
        return a->foreign ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static sch_schema *make_schema(js_parser *j, sch_type *root, const char *name, const char *text, size_t len)
{
    sch_schema *s = FL_NEW(j->p.a, sch_schema);
    sch_mark_recursive(&j->p.types);
    for (size_t i = 0; i < j->p.misplaced.n; i++)
        if (!j->p.misplaced.v[i].type)
            j->p.misplaced.v[i].type = root;
    if (j->p.misplaced.n)
        qsort(j->p.misplaced.v, j->p.misplaced.n, sizeof *j->p.misplaced.v, by_place);
    *s = (sch_schema){.format = SCH_JSON,
                      .name = name,
                      .text = text,
                      .len = len,
                      .root = root,
                      .ntypes = (unsigned)j->p.types.n,
                      .json = j->docs.v[j->docs.n - 1]->root,
                      .misplaced = j->p.misplaced.v,
                      .nmisplaced = j->p.misplaced.n};
    return s;
}

sch_schema *sch_json_parse(fl_arena *a, const char *name, const char *text, size_t len, const sch_ref *refs,
                           size_t nrefs, sch_error *err)
{
    js_parser j = {.p = {.a = a, .err = err}, .ids = fl_map_new(), .terms = fl_map_new(), .noted = fl_map_new()};
    sch_type *root = read_docs(&j, text, len, refs, nrefs) ? make_types(&j) : NULL;
    sch_schema *s = root ? make_schema(&j, root, name, text, len) : NULL;
    js_free_docs(&j);
    fl_map_free(j.ids);
    fl_map_free(j.terms);
    fl_map_free(j.noted);
    return s;
}
