/* proto.c: Protobuf schemas: one call of protoc for all of a compilation, and what their references must be called. */
#include <stdio.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

static est_format format_of(const res_node *n)
{
    return n->side ? n->side->format : n->subject->format;
}

sch_ref *res_refs_of(res *r, const res_node *n)
{
    sch_ref *refs = FL_NEW_N(r->a, sch_ref, n->nclosure + 1);
    for (size_t i = 0; i < n->nclosure; i++)
        refs[i] = (sch_ref){res_node_name(n->closure[i]), n->closure[i]->file->text, n->closure[i]->file->len};
    return refs;
}

static bool whole(const res_node *n)
{
    bool ok = !n->broken && n->file && n->file->text;
    for (size_t i = 0; ok && i < n->nclosure; i++)
        ok = n->closure[i]->file && n->closure[i]->file->text && res_node_name(n->closure[i]);
    return ok;
}

/* Asks for all Protobuf schemas of this environment that can be asked for. */
static void prepare(res *r, char message[256])
{
    sch_proto_file *files = FL_NEW_N(r->a, sch_proto_file, r->nodes.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < r->nodes.n; i++) {
        const res_node *node = r->nodes.v[i];
        if (format_of(node) == EST_PROTOBUF && whole(node))
            files[n++] = (sch_proto_file){node->file->path, node->file->text, node->file->len, res_refs_of(r, node),
                                          node->nclosure};
    }
    r->shared->protobuf = sch_proto_prepare(r->a, files, n, message);
}

sch_schema *res_proto_schema(res *r, const res_node *n, const char *message, const sch_ref *refs, sch_error *error)
{
    const res_file *f = n->file;
    res_shared *s = r->shared;
    if (s->no_protoc)
        return NULL;
    if (!s->protobuf || !sch_proto_in_set(s->protobuf, f->text, f->len, refs, n->nclosure))
        prepare(r, error->message);
    s->no_protoc = !s->protobuf;
    return s->protobuf
               ? sch_proto_from_set(r->a, s->protobuf, f->path, f->text, f->len, message, refs, n->nclosure, error)
               : NULL;
}

void res_proto_reference(res *r, const res_node *n, const est_ref *ref)
{
    if (format_of(n) != EST_PROTOBUF || !ref->subject.s || !strcmp(ref->name.s, ref->subject.s))
        return;
    fl_diag *d = res_error(r, "syntax", ref->subject.at,
                           "the import `%s` is to come from subject `%s`: of Protobuf, Java asks the registry for the "
                           "subject that is called as the import",
                           ref->name.s, ref->subject.s);
    fl_diag_help(r->diags, d,
                 "register that schema as a subject of its own with the import's name: `subject \"%s\" …`, and "
                 "write `reference \"%s\" to subject \"%s\"`",
                 ref->name.s, ref->name.s, ref->name.s);
}
