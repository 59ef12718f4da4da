/* personal.c: fields that look personal and carry no tag. */
#include "compiler/check/personal.h"

#include <string.h>

#include "compiler/check/check.h"

/* What a number, text or date can tell of a person; a boolean or an enum rarely does (`email_verified`). */
static bool may_tell(const sch_type *t)
{
    return t->kind != SCH_BOOLEAN && t->kind != SCH_ENUM && t->kind != SCH_NULL;
}

static void leaf(const chk_row *row, fl_diags *diags, const chk_personal *words, const est_side *s, const est_leaf *l)
{
    const sch_field *f = l->hit.field;
    if (l->tags.n || !f || !may_tell(l->hit.type))
        return;
    const char *what = chk_personal_name(words, f->name);
    what = what ? what : chk_personal_format(l->hit.type->logical);
    if (!what)
        return;
    fl_diag *d = chk_report(row, diags, l->line ? l->line->path.at : s->schema_path.at,
                            "%s of the %s of %s looks like %s and carries no tag", l->hit.path, est_side_name(s),
                            s->topic->name.s, what);
    const char *tag = sch_is_encryptable(l->hit.type)
                          ? fl_printf(diags->arena, "write `field %s is TAG`", chk_path_text(diags->arena, l->hit.path))
                          : "only text and bytes can be encrypted: make it a string and tag it";
    fl_diag_help(diags, d,
                 "%s, or say why it is none: `allow suspicious-untagged-field on topic %s%s field %s because \"…\"`",
                 tag, s->topic->name.s, s->is_key ? " key" : "", l->hit.path);
    chk_about_side(d, s, l->hit.path);
}

/* A side that is in clear as a whole has given its reason; one whose body is encrypted needs no tags. */
static void side(const chk_row *row, fl_diags *diags, const chk_personal *words, const est_side *s)
{
    for (size_t i = 0; s->schema && s->encrypts.n && !s->payload && i < s->leaves.n; i++)
        leaf(row, diags, words, s, &s->leaves.v[i]);
}

void chk_suspicious_untagged_field(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    size_t bad_line;
    chk_personal *words = chk_personal_new(e->personal_words, &bad_line); /* read by the caller before */
    for (size_t i = 0; words && i < e->topics.n; i++) {
        side(row, diags, words, &e->topics.v[i]->key);
        side(row, diags, words, &e->topics.v[i]->value);
    }
    chk_personal_free(words);
}
