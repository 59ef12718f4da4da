/* evolution_schema.c: incompatible-schema: schemas against those of the build that --previous names, at the level of
 * their subject. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/previous.h"
#include "schema/compat.h"

#define MOST 10 /* that are reported of one subject */

/* A schema of the policy: a side's, or a subject's own. */
typedef struct schema {
    const est_side *side; /* or NULL */
    const char *subject;
    const sch_schema *is;
    const est_text *path, *level;
    const char *message;
    bool refers;
} schema;

typedef struct judging {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const schema *s;
    const prev_subject *was;
    const fl_source *new, *old; /* made when something is shown of them */
} judging;

static void about(fl_diag *d, const schema *s)
{
    if (s->side)
        chk_about_side(d, s->side, NULL);
    else
        chk_about_platform(d);
}

static sch_level level_of(const schema *s)
{
    sch_level l;
    return s->level->s && sch_level_find(s->level->s, &l) ? l : SCH_BACKWARD;
}

/* ---- reporting ---- */

static void relate_places(judging *j, fl_diag *d, const sch_incompatibility *i)
{
    fl_arena *a = j->diags->arena;
    if (i->newer.to) {
        if (!j->new)
            j->new = fl_source_new(a, j->s->is->name, j->s->is->text, j->s->is->len);
        fl_diag_relate(j->diags, d, (fl_span){j->new, i->newer.from, i->newer.to}, "here");
    }
    if (i->older.to) {
        if (!j->old)
            j->old =
                fl_source_new(a, fl_printf(a, "%s: %s", j->e->previous->dir, j->was->name), j->was->text, j->was->len);
        fl_diag_relate(j->diags, d, (fl_span){j->old, i->older.from, i->older.to}, "it was this");
    }
}

static void report_one(judging *j, const sch_incompatibility *i, size_t more)
{
    fl_diag *d = chk_report(j->row, j->diags, j->s->path->at,
                            "subject %s, at its level %s: %s would not read what is written with the %s one: %s (%s at "
                            "%s)",
                            j->s->subject, sch_level_name(level_of(j->s)),
                            i->forward ? "who has the previous schema" : "who has the new schema",
                            i->forward ? "new" : "previous", i->message, i->type, i->path);
    relate_places(j, d, i);
    if (more)
        fl_diag_help(j->diags, d, "change the schema so that both can be read; %zu more of this subject are not shown",
                     more);
    else
        fl_diag_help(j->diags, d, "change the schema so that both can be read, or state another `compatibility`");
    about(d, j->s);
}

static void report_undecided(judging *j)
{
    fl_diag *d = chk_report(j->row, j->diags, j->s->path->at,
                            "whether the schema of subject %s fits the previous one could not be decided: the two are "
                            "too large or too deep, or a pattern in them cannot be judged",
                            j->s->subject);
    fl_diag_help(j->diags, d, "ask the registry: `POST /compatibility/subjects/%s/versions/latest`", j->s->subject);
    about(d, j->s);
}

static void report_unreadable(judging *j)
{
    fl_diag *d = chk_report(j->row, j->diags, j->s->path->at, "the previous schema of subject %s cannot be read: %s",
                            j->s->subject, j->was->refused);
    fl_diag_help(j->diags, d, "ask the registry: `POST /compatibility/subjects/%s/versions/latest`", j->s->subject);
    about(d, j->s);
}

/* ---- judging ---- */

static bool same_text(const sch_schema *is, const prev_subject *was)
{
    return is->len == was->len && !memcmp(is->text, was->text, is->len);
}

static void judge(judging *j)
{
    sch_compatibility c;
    fl_arena *a = j->diags->arena;
    prev_subject *was = prev_find_subject(j->e->previous, j->s->subject);
    sch_level level = level_of(j->s);
    if (!was || level == SCH_NONE || (same_text(j->s->is, was) && !j->s->refers))
        return;
    j->was = was;
    const sch_schema *history = prev_schema(j->e->previous, a, was, j->s->message);
    if (!history) {
        report_unreadable(j);
        return;
    }
    sch_compatible(a, level, j->s->is, &history, 1, &c);
    for (size_t i = 0; i < c.list.n && i < MOST; i++)
        report_one(j, &c.list.v[i], i + 1 == MOST ? c.list.n - MOST : 0);
    if (c.undecided)
        report_undecided(j);
}

static void judge_side(const chk_row *row, const est_estate *e, fl_diags *diags, const est_side *side)
{
    if (!side->schema || !side->subject)
        return;
    const prev_side *was = prev_find_side(e->previous, side->topic->name.s, side->is_key);
    schema s = {.side = side,
                .subject = side->subject,
                .is = side->schema,
                .path = &side->schema_path,
                .level = &side->compatibility,
                .message = was ? was->message : side->message.s,
                .refers = side->refs.n > 0};
    judge(&(judging){.row = row, .e = e, .diags = diags, .s = &s});
}

void chk_incompatible_schema(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; e->previous && i < e->topics.n; i++) {
        judge_side(row, e, diags, &e->topics.v[i]->key);
        judge_side(row, e, diags, &e->topics.v[i]->value);
    }
    for (size_t i = 0; e->previous && i < e->subjects.n; i++) {
        const est_subject *o = e->subjects.v[i];
        schema s = {.subject = o->name.s,
                    .is = o->schema,
                    .path = &o->schema_path,
                    .level = &o->compatibility,
                    .message = o->message.s,
                    .refers = o->refs.n > 0};
        if (o->schema)
            judge(&(judging){.row = row, .e = e, .diags = diags, .s = &s});
    }
}
