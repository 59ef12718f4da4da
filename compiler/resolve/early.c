/* early.c: topics are resolved with the file they stand in, and its tree is freed: of a large policy there is never
 * more than one in memory. That is right where the file alone says all that its topics are: no variable stands in it,
 * no `for`, nothing is wrong with it. What they name (KEKs, principals, schemas) is linked later. */
#include <string.h>

#include "compiler/resolve/resolve.h"

/* Of these nothing is kept but what they say of a thing, so that they may be freed once they were resolved. */
static bool passes(const lang_stmt *s)
{
    static const char *const forms[] = {"top.topic",   "top.connector", "top.kek", "top.tag",     "top.principal",
                                        "top.subject", "top.defaults",  "top.use", "top.platform"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (lang_is(s, forms[i]))
            return !lang_get(s, "vars");
    return false;
}

static bool is_topic(const lang_stmt *s)
{
    return lang_is(s, "top.topic");
}

static bool may_be_early(const lang_file *f)
{
    size_t topics = 0;
    bool all = !f->damaged && !f->has_vars;
    for (size_t i = 0; all && i < f->top->n; i++) {
        all = passes(f->top->stmts[i]);
        topics += is_topic(f->top->stmts[i]);
    }
    return all && topics;
}

/* The topics of the file; false if one has to wait. */
static bool topics_of(res *r, res_source *source)
{
    const lang_block *top = source->file->top;
    for (size_t i = 0; i < top->n; i++) {
        const lang_stmt *s = top->stmts[i];
        if (!is_topic(s))
            continue;
        est_topic *t = res_topic(r, s, res_slot(r, s, "name"));
        if (r->undecided || r->diags->list.n)
            return false;
        FL_PUSH(r->a, &source->topics, (res_early){t, i});
        source->nstmts += res_count(s);
    }
    return true;
}

/* The other statements, as copies. */
static void keep_others(fl_arena *passing, res_source *source)
{
    const lang_block *top = source->file->top;
    res_copy c = {passing, source->file->source, NULL};
    lang_block *kept = FL_NEW(passing, lang_block);
    *kept = *top;
    kept->stmts = FL_NEW_N(passing, lang_stmt *, top->n - source->topics.n);
    kept->n = 0;
    for (size_t i = 0; i < top->n; i++)
        if (!is_topic(top->stmts[i]))
            kept->stmts[kept->n++] = res_copy_stmt(&c, top->stmts[i]);
    source->file->top = kept;
    source->passing = true;
}

fl_arena *res_early_topics(fl_arena *a, res_source *source, fl_arena *tree)
{
    est_estate alone = {.arena = a};
    fl_diags said;
    res r = {.e = &alone, .a = a, .diags = &said, .early = true};
    fl_diags_init(&said, tree);
    if (may_be_early(source->file) && topics_of(&r, source)) {
        fl_arena *passing = fl_arena_new();
        keep_others(passing, source);
        fl_arena_free(tree);
        return passing;
    }
    source->topics.n = source->nstmts = 0;
    fl_arena_adopt(a, tree);
    return NULL;
}

static bool is_default_of_topics(const lang_stmt *s)
{
    return lang_is(s, "top.defaults") && strcmp(lang_get1(s, "kind")->name.text, "connector") != 0;
}

static bool others_decide(const res_shared *s)
{
    bool decide = s->environments.n > 0;
    for (size_t i = 0; !decide && i < s->files.n; i++)
        for (size_t k = 0; !decide && k < s->files.v[i]->top->n; k++)
            decide = is_default_of_topics(s->files.v[i]->top->stmts[k]);
    return decide;
}

void res_settle_early(res_shared *s)
{
    if (!s->passing || !others_decide(s))
        return;
    for (size_t i = 0; i < s->sources.n; i++) {
        res_source *source = &s->sources.v[i];
        if (!source->passing)
            continue;
        fl_diags said; /* nothing: else it would not have been early */
        fl_diags_init(&said, s->a);
        lang_file *again = lang_parse_again(s->a, s->a, source->file->source);
        lang_match(s->a, again, &said);
        source->file->top = again->top;
        source->passing = false;
        source->topics.n = source->nstmts = 0;
    }
    fl_arena_free(s->passing);
    s->passing = NULL;
}

/* ---- linking ---- */

static void link_side(res *r, est_side *s)
{
    for (size_t i = 0; i < s->encrypts.n; i++)
        res_link_kek(r, &s->encrypts.v[i]);
    if (s->stated && est_has_schema(s))
        res_side_schema(r, s);
}

void res_link_topic(res *r, est_topic *t)
{
    link_side(r, &t->key);
    link_side(r, &t->value);
    for (size_t i = 0; i < t->writers.n; i++)
        res_link_principal(r, &t->writers.v[i]);
    for (size_t i = 0; i < t->readers.n; i++)
        res_link_principal(r, &t->readers.v[i]);
}

/* Nothing reads them any more: neither r->top nor the declarations do. */
void res_drop_passing(res *r)
{
    res_shared *s = r->shared;
    if (!s->passing)
        return;
    r->top.n = 0;
    for (size_t i = 0; i < s->sources.n; i++)
        if (s->sources.v[i].passing)
            s->sources.v[i].file->top = FL_NEW(s->a, lang_block);
    fl_arena_free(s->passing);
    s->passing = NULL;
}
