/* subjects.c: schemas that are registered on their own. */
#include "compiler/resolve/resolve.h"

static est_subject *one(res *r, const res_decl *d)
{
    est_subject *s = FL_NEW(r->a, est_subject);
    const lang_block *b = d->stmt->block;
    const lang_value *path = lang_get1(d->stmt, "schema");
    res_file *f = res_schema_file(r, path);
    s->name = d->name;
    s->at = res_at(d->stmt);
    s->format = res_format_of(res_slot(r, d->stmt, "format").s);
    s->message = res_slot(r, d->stmt, "message");
    s->schema_path = (est_text){f ? f->path : NULL, path->span};
    s->schema_text = f ? f->text : NULL;
    s->schema_len = f ? f->len : 0;
    RES_SET(s->refs, res_references_of(r, b, "subject.reference"));
    RES_SET(s->properties, res_metadata(r, res_block(b, "subject.properties")));
    s->compatibility = res_stated(r, b, "subject.compatibility", "level");
    s->doc = res_stated(r, b, "subject.doc", "doc");
    res_add_node(r, s, NULL, f);
    return s;
}

void res_subjects(res *r)
{
    for (size_t i = 0; i < r->kinds[RES_SUBJECT].n; i++)
        FL_PUSH(r->a, &r->e->subjects, one(r, &r->kinds[RES_SUBJECT].v[i]));
}
