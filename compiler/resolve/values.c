/* values.c: NAME = VALUE of config, private, properties, as it goes into a file. */
#include <string.h>

#include "compiler/check/uses.h"
#include "compiler/resolve/resolve.h"

/* What is wrong with the value is reported, so checks shall say no more of it: they pass over references. */
static void give_up(est_prop *p, const char *value)
{
    p->value = value;
    p->is_secret_ref = true;
    p->is_list = false;
    p->nitems = 0;
}

static bool is_number(const char *s)
{
    s += *s == '-';
    return *s >= '0' && *s <= '9' && s[strspn(s, "0123456789.eE+-")] == 0;
}

/* secret("P:K") as ${P:K}; NULL if it cannot be told or is wrong. */
static const char *secret_text(res *r, const lang_value *v)
{
    const char *inner = est_expand(r->e, v->second);
    if (!inner)
        return NULL;
    if (strchr(inner, '}') || *inner == ':') {
        /* the text is not shown: a variable in it may hold anything */
        fl_diag *d =
            res_error(r, "syntax", v->span,
                      strchr(inner, '}') ? "a variable puts `}` into `secret(…)`, where it would end the reference"
                                         : "`secret(…)` names no provider");
        fl_diag_help(r->diags, d, "write secret(\"file:PATH:KEY\") or secret(\"env:NAME\")");
        return NULL;
    }
    return fl_printf(r->a, "${%s}", inner);
}

/* An item with a comma is refused and stays in the text, which then names what was meant. */
static const char *item_text(res *r, const est_prop *p, const lang_value *v, bool *wrong)
{
    const char *text = NULL;
    if (v->kind == LANG_V_CALL)
        text = secret_text(r, v);
    else if (v->kind == LANG_V_NAME)
        text = est_expand(r->e, &v->name);
    else
        res_error(r, "property-type", v->span, "the list of %s holds another list", p->name.s);
    if (text && strchr(text, ',')) {
        res_error(r, "property-type", v->span,
                  "an item of %s has a comma in it, which would split it: lists are joined by `,`", p->name.s);
        *wrong = true;
    }
    *wrong |= !text;
    return text;
}

static void list_value(res *r, est_prop *p, const lang_value *v)
{
    fl_buf b;
    bool wrong = false;
    fl_buf_init(&b, RES_MAX_TEXT);
    p->is_list = true;
    p->items = FL_NEW_N(r->a, const char *, v->n + 1);
    for (size_t i = 0; i < v->n; i++) {
        const char *text = item_text(r, p, &v->items[i], &wrong);
        if (!text)
            continue;
        fl_buf_addf(&b, "%s%s", p->nitems ? "," : "", text);
        p->items[p->nitems++] = text;
    }
    if (b.full)
        res_error(r, "property-type", v->span, "the list of %s is longer than %u KiB", p->name.s, RES_MAX_TEXT >> 10);
    p->value = fl_strdup(r->a, b.p ? b.p : "");
    if (wrong || b.full)
        give_up(p, *p->value ? p->value : "?");
    fl_buf_free(&b);
}

est_prop res_prop(res *r, est_text name, const lang_value *v)
{
    est_prop p = {.name = name, .value_at = v->span};
    if (v->kind == LANG_V_LIST) {
        list_value(r, &p, v);
        return p;
    }
    p.value = v->kind == LANG_V_CALL ? secret_text(r, v) : est_expand(r->e, &v->name);
    if (!p.value) {
        give_up(&p, "?");
        return p;
    }
    p.is_secret_ref = v->kind == LANG_V_CALL || chk_is_reference(p.value);
    p.is_number = v->kind == LANG_V_NAME && v->name.quote == LANG_WORD && is_number(p.value);
    p.is_word = v->kind == LANG_V_NAME && v->name.quote == LANG_WORD && !p.is_number;
    return p;
}

/* ---- blocks ---- */

res_props res_properties(res *r, const lang_block *b)
{
    res_props all = {0};
    for (size_t i = 0; b && i < b->n; i++) {
        const lang_stmt *s = b->stmts[i];
        if (lang_is(s, "config.unset")) {
            const lang_value *name = lang_get1(s, "name");
            fl_diag *d = res_error(r, "unknown-name", name->span, "`%s` is not inherited, so nothing can take it away",
                                   name->name.text);
            fl_diag_help(r->diags, d, "take the line out");
            continue;
        }
        FL_PUSH(r->a, &all, res_prop(r, (est_text){s->head.name.text, s->head.span}, s->value));
    }
    return all;
}

res_props res_metadata(res *r, const lang_block *b)
{
    res_props all = res_properties(r, b);
    size_t kept = 0;
    for (size_t i = 0; i < all.n; i++) {
        const est_prop *p = &all.v[i];
        if (strncmp(p->name.s, "encrypt.", 8)) {
            all.v[kept++] = *p;
            continue;
        }
        fl_diag *d = res_error(r, "syntax", p->name.at, "`%s` cannot be a property of a subject", p->name.s);
        fl_diag_help(r->diags, d, "what begins with `encrypt.` belongs to rules: an `encrypt` line writes it");
    }
    all.n = kept;
    return all;
}
