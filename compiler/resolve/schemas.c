/* schemas.c: reading and parsing the files of schemas, each once. */
#include <string.h>

#include "compiler/resolve/resolve.h"

/* ---- files ---- */

res_file *res_schema_file(res *r, const lang_value *v)
{
    const char *path = res_path(r, v);
    if (!path)
        return NULL;
    for (size_t i = 0; i < r->schema_files.n; i++)
        if (!strcmp(r->schema_files.v[i]->path, path))
            return r->schema_files.v[i];
    res_file *f = FL_NEW(r->a, res_file);
    char *text;
    int error = fl_read_regular(r->a, path, SCH_MAX_TEXT, &text, &f->len);
    f->path = path;
    f->text = text; /* NULL after an error */
    if (error)
        res_no_such_file(r, v->span, path, error, SCH_MAX_TEXT);
    FL_PUSH(r->a, &r->schema_files, f);
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

/* The place is in the schema; the line of the policy that names it follows. */
static void bad_schema(res *r, const res_node *n, const sch_error *error)
{
    res_file *f = n->file;
    for (size_t i = 0; error->ref && i < n->nclosure; i++)
        if (!strcmp(res_node_name(n->closure[i]), error->ref))
            f = n->closure[i]->file;
    uint32_t end = (uint32_t)f->len, from = error->offset < end ? error->offset : end;
    fl_diag *d =
        res_error(r, "syntax", (fl_span){source_of(r, f), from, from < end ? from + 1 : end}, "%s", error->message);
    fl_diag_relate(r->diags, d, res_node_path(n)->at, "the schema is named here");
}

static bool same_parse(const res_node *a, const res_node *b)
{
    return a->file == b->file && a->nclosure == b->nclosure &&
           (!a->nclosure || !memcmp(a->closure, b->closure, a->nclosure * sizeof *a->closure));
}

static sch_schema *parse(res *r, const res_node *n)
{
    for (size_t i = 0; i < r->parsed.n; i++)
        if (same_parse(r->parsed.v[i].node, n))
            return r->parsed.v[i].schema;
    sch_error error = {0};
    sch_ref *refs = FL_NEW_N(r->a, sch_ref, n->nclosure + 1);
    for (size_t i = 0; i < n->nclosure; i++)
        refs[i] = (sch_ref){res_node_name(n->closure[i]), n->closure[i]->file->text, n->closure[i]->file->len};
    est_format format = n->side ? n->side->format : n->subject->format;
    const char *message = n->side ? n->side->message.s : n->subject->message.s;
    sch_schema *s = sch_parse(est_schema_format(format), r->a, n->file->path, n->file->text, n->file->len, message,
                              refs, n->nclosure, &error);
    if (!s)
        bad_schema(r, n, &error);
    FL_PUSH(r->a, &r->parsed, (res_parsed){n, s});
    return s;
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
    sch_schema *s = known ? parse(r, n) : NULL;
    n->broken = !s;
    if (n->subject)
        n->subject->schema = s;
    else
        n->side->schema = s;
}

void res_schemas(res *r)
{
    for (size_t i = 0; i < r->nodes.n; i++)
        r->nodes.v[i]->done = false;
    for (size_t i = 0; i < r->nodes.n; i++)
        if (!r->nodes.v[i]->done)
            schema_of(r, r->nodes.v[i]);
}
