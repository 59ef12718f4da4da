/* explain_why.c: what says that a field is encrypted, or in clear; who reads and writes it. */
#include <string.h>

#include "cli/explain.h"

const char *cli_state_word(cli_state state)
{
    static const char *const words[] = {"encrypted", "encrypted", "clear", "unsaid", "failing"};
    return words[state];
}

const char *cli_place(fl_arena *a, fl_span at)
{
    unsigned line, column;
    if (!at.src)
        return "";
    fl_source_place(at.src, at.from, &line, &column);
    return fl_printf(a, "%s:%u:%u", at.src->name, line, column);
}

/* ---- fields ---- */

static cli_why clear_side(const est_estate *e, const est_side *s, const est_leaf *l)
{
    bool own = s->clear.s != NULL;
    const est_text *reason = own ? &s->clear : &s->topic->clear,
                   *until = own ? &s->clear_until : &s->topic->clear_until;
    const char *what = own ? est_side_name(s) : "topic";
    const char *because = until->s ? fl_printf(e->arena, "the %s is in clear until %s: %s", what, until->s, reason->s)
                                   : fl_printf(e->arena, "the %s is in clear: %s", what, reason->s);
    return (cli_why){s, l, CLI_CLEAR, NULL, because, reason->at};
}

/* A tag whose fields may stay in clear, if all tags of the leaf are such. */
static const est_tag *clear_tag(const est_estate *e, const est_leaf *l)
{
    const est_tag *first = NULL;
    for (size_t i = 0; i < l->tags.n; i++) {
        const est_tag *t = est_find_tag(e, l->tags.v[i]);
        if (!t || !t->clear.s)
            return NULL;
        first = first ? first : t;
    }
    return first;
}

/* Why the value cannot be encrypted, though a rule names its tag. */
static const char *obstacle(const est_estate *e, const est_leaf *l)
{
    if (l->hit.unwalked)
        return fl_printf(e->arena, "no client reaches it: it stands below `%s`", l->hit.unwalked);
    if (l->hit.mixed)
        return "it is a union with another branch than the text: where that is taken, the value goes out in clear";
    if (!sch_is_encryptable(l->hit.type))
        return fl_printf(e->arena, "it is %s, and clients encrypt string and bytes alone",
                         sch_type_text(l->hit.type, e->arena));
    return NULL;
}

static const char *unsaid(const est_estate *e, const est_leaf *l)
{
    if (l->tags.n)
        return fl_printf(e->arena, "it carries %s, and no `encrypt` line names that", l->tags.v[0]);
    return "no `field` line names it, and the schema gives it no tag";
}

cli_why cli_why_leaf(const est_estate *e, const est_side *s, const est_leaf *l)
{
    const est_tag *tag;
    if (s->payload)
        return (cli_why){s, l, CLI_WHOLE, s->payload, NULL, s->payload->at};
    if (l->encrypt) {
        const char *why_not = obstacle(e, l);
        return (cli_why){s, l, why_not ? CLI_FAILING : CLI_ENCRYPTED, l->encrypt, why_not, l->encrypt->at};
    }
    if (est_is_clear(s))
        return clear_side(e, s, l);
    if (l->tags.n && (tag = clear_tag(e, l)))
        return (cli_why){s,
                         l,
                         CLI_CLEAR,
                         NULL,
                         fl_printf(e->arena, "fields tagged %s stay in clear: %s", tag->name.s, tag->clear.s),
                         tag->clear.at};
    if (l->line && l->line->clear)
        return (cli_why){s, l, CLI_CLEAR, NULL, "the policy says `is clear`", l->line->at};
    return (cli_why){s, l, CLI_UNSAID, NULL, unsaid(e, l), l->line ? l->line->at : (fl_span){0}};
}

cli_why cli_why_side(const est_estate *e, const est_side *s)
{
    if (s->payload)
        return (cli_why){s, NULL, CLI_WHOLE, s->payload, NULL, s->payload->at};
    if (est_is_clear(s))
        return clear_side(e, s, NULL);
    const char *because = s->stated ? "it has no schema, so nothing in it can be encrypted"
                                    : "the policy states no key: it is taken as text without a schema";
    return (cli_why){s, NULL, CLI_UNSAID, NULL, because, s->stated ? s->at : (fl_span){0}};
}

/* ---- tags ---- */

static bool names_leaf(const est_field *line, const est_leaf *l)
{
    for (size_t i = 0; i < line->leaves.n; i++)
        if (line->leaves.v[i] == l)
            return true;
    return false;
}

void cli_tags_of(const est_estate *e, const cli_why *w, cli_tags *out)
{
    const sch_field *f = w->leaf ? w->leaf->hit.field : NULL;
    for (size_t i = 0; f && i < f->ntags; i++)
        FL_PUSH(e->arena, out, (cli_tag){f->tags[i], NULL});
    for (size_t i = 0; w->leaf && i < w->side->fields.n; i++) {
        const est_field *line = &w->side->fields.v[i];
        for (size_t k = 0; k < line->tags.n && names_leaf(line, w->leaf); k++)
            FL_PUSH(e->arena, out, (cli_tag){line->tags.v[k].s, line});
    }
}

/* ---- people ---- */

static const char *role(const est_estate *e, bool writes)
{
    return writes || !e->platform.grants_least ? "DeveloperWrite" : "DeveloperRead";
}

static bool has_topic(const est_connector *c, const est_topic *t)
{
    for (size_t i = 0; i < c->topics.n; i++)
        if (c->topics.v[i] == t)
            return true;
    return false;
}

void cli_users_of(const est_estate *e, const est_topic *t, bool writers, cli_users *out)
{
    size_t n = writers ? t->writers.n : t->readers.n;
    for (size_t i = 0; i < n; i++)
        FL_PUSH(e->arena, out, (cli_user){(writers ? t->writers.v : t->readers.v)[i].s, NULL, role(e, writers)});
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        if ((writers ? est_is_source(c) : est_is_sink(c)) && has_topic(c, t))
            FL_PUSH(e->arena, out, (cli_user){c->principal.s, c, role(e, writers)});
    }
}
