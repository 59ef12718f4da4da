/* reader.c: one file's text to its tree. */
#include "lang/syntax.h"

/* Marks the statements that hold text which could not be scanned. Both lists are in order of place. */
static void mark_damaged(const lang_reader *r, lang_block *b, size_t *next)
{
    for (size_t i = 0; i < b->n; i++) {
        lang_stmt *s = b->stmts[i];
        for (; *next < r->raw.n && r->raw.v[*next].from < s->span.to; (*next)++)
            if (r->raw.v[*next].bad && r->raw.v[*next].from >= s->span.from)
                s->damaged = true;
        b->damaged |= s->damaged;
        if (s->block)
            mark_damaged(r, s->block, next);
    }
}

/* Lexemes to r->top; false: something is wrong (reported). */
static bool parse_lexemes(lang_reader *r)
{
    if (lang_quickparse(r) == 0 && !r->stopped)
        return true;
    if (r->ended)
        return false;
    r->pos = r->values.n = r->lists.n = r->stmts.n = 0;
    r->stopped = false;
    r->top = NULL;
    return lang_yyparse(r) == 0;
}

/* From the text that r->src has. */
static lang_file *parse(lang_reader *r)
{
    lang_file *f = FL_NEW(r->a, lang_file);
    if (!r->ended)
        lang_scan(r);
    lang_hide(r);
    if (!r->ended)
        lang_layout(r);
    if (!r->ended && !parse_lexemes(r))
        r->damaged = true;
    f->source = r->src;
    f->damaged = r->damaged;
    f->mended = r->mended && r->damaged;
    f->has_vars = r->has_vars;
    f->top = r->top && !r->ended ? r->top : FL_NEW(r->tree, lang_block);
    if (!r->top || r->ended)
        f->top->damaged = true;
    size_t next = 0;
    mark_damaged(r, f->top, &next);
    return f;
}

lang_file *lang_parse(fl_arena *a, const char *name, const char *text, size_t len, fl_diags *diags)
{
    lang_reader r = {.a = a, .tree = a, .scratch = a, .diags = diags};
    lang_trivia *t = FL_NEW(a, lang_trivia);
    lang_read_text(&r, name, text, len);
    lang_file *f = parse(&r);
    *t = (lang_trivia){r.raw.v, r.raw.n};
    f->trivia = t;
    return f;
}

lang_file *lang_parse_tree(fl_arena *a, fl_arena *tree, const char *name, const char *text, size_t len, fl_diags *diags)
{
    lang_reader r = {.a = a, .tree = tree, .scratch = fl_arena_new(), .diags = diags};
    lang_read_text(&r, name, text, len);
    lang_file *f = parse(&r);
    fl_arena_free(r.scratch);
    return f;
}

lang_file *lang_parse_again(fl_arena *a, fl_arena *tree, const fl_source *source)
{
    fl_diags said; /* before */
    lang_reader r = {.a = a, .tree = tree, .scratch = fl_arena_new(), .diags = &said, .src = source};
    fl_diags_init(&said, r.scratch);
    r.bad = fl_alloc(r.scratch, source->nlines + 2);
    lang_file *f = parse(&r);
    fl_arena_free(r.scratch);
    return f;
}
