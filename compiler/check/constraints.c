/* constraints.c: constraints between the properties of a connector, as the catalogue has them. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/routes.h"

typedef struct judge {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_connector *c;
} judge;

/* What only the worker knows is taken to be right. */
typedef enum { NO, YES, WORKER_KNOWS } answer;

static const char *name_of(const judge *j, const cat_condition *k)
{
    return fl_strndup(j->e->arena, k->name, k->nname);
}

static bool among(const char *values, const char *value)
{
    size_t n = strlen(value);
    for (const char *at = values; *at;) {
        size_t len = strcspn(at, "|");
        if (len == n && !strncmp(at, value, n))
            return true;
        at += len + (at[len] == '|');
    }
    return false;
}

/* A value, or that of another property. */
static answer greater(const judge *j, const char *value, const char *than)
{
    char *end;
    double x = strtod(value, &end), y = strtod(than, NULL);
    if (end == value || *end)
        return WORKER_KNOWS; /* property-type says it */
    if ((*than >= '0' && *than <= '9') || *than == '-')
        return x > y ? YES : NO;
    const char *other = chk_value(j->c, than);
    if (!other || !*other)
        return WORKER_KNOWS;
    return x > strtod(other, NULL) ? YES : NO;
}

static answer holds(const judge *j, const char *text)
{
    cat_condition k = cat_read_condition(text);
    const char *name = name_of(j, &k), *value = chk_value(j->c, name);
    bool sure;
    if (!value)
        return k.op ? WORKER_KNOWS : YES;
    switch (k.op) {
    case '=':
        return among(k.value, value) ? YES : NO;
    case '!':
        return among(k.value, value) ? NO : YES;
    case '>':
        return greater(j, value, k.value);
    case '~':
        return chk_regex_whole(k.value, value, &sure) || !sure ? YES : NO;
    default:
        return *value ? YES : NO;
    }
}

/* The condition that breaks the constraint, NULL if it holds. */
static const char *broken(const judge *j, const cat_constraint *k)
{
    for (size_t i = 0; i < k->nconditions; i++) {
        answer a = holds(j, k->conditions[i]);
        if (k->how == CAT_ANY && a != NO)
            return NULL;
        if ((k->how == CAT_ALL && a == NO) || (k->how == CAT_NONE && a == YES))
            return k->conditions[i];
    }
    return k->how == CAT_ANY ? k->conditions[0] : NULL;
}

/* The first property of the constraint that the policy writes: the place to mend. */
static const est_prop *written(const judge *j, const cat_constraint *k, const char *broke)
{
    const char *in_order[] = {broke, k->when};
    for (size_t i = 0; i < 2; i++) {
        if (!in_order[i])
            continue;
        cat_condition c = cat_read_condition(in_order[i]);
        const est_prop *p = chk_config(j->c, name_of(j, &c));
        if (p)
            return p;
    }
    return NULL;
}

/* A required property that is missing is reported as such. */
static bool is_missing(const judge *j, const char *broke)
{
    cat_condition k = cat_read_condition(broke);
    const cat_property *p;
    const char *name = name_of(j, &k);
    return !chk_config(j->c, name) && chk_property(j->c, name, &p) == CHK_KNOWN && (p->required || p->required_if);
}

static void constraint(const cat_constraint *k, void *ctx)
{
    const judge *j = ctx;
    if (k->when && holds(j, k->when) != YES)
        return;
    const char *broke = broken(j, k);
    if (!broke || is_missing(j, broke))
        return;
    cat_condition c = cat_read_condition(broke);
    const est_prop *p = written(j, k, broke);
    fl_diag *d = chk_report(j->row, j->diags, p ? p->name.at : j->c->at, "connector %s: %s", j->c->name.s, k->text);
    if (k->how == CAT_ANY)
        fl_diag_help(j->diags, d, "set one of them");
    else if (k->how == CAT_NONE)
        fl_diag_help(j->diags, d, "take %s out", name_of(j, &c));
    else
        fl_diag_help(j->diags, d, c.op == '=' ? "write `%s = %s`" : "set %s%s", name_of(j, &c),
                     c.op == '='   ? c.value
                     : c.op == '>' ? fl_printf(j->e->arena, " above %s", c.value)
                                   : "");
    chk_about_connector(d, j->c, p ? p->name.s : NULL);
}

void chk_property_constraint(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        judge j = {row, e, diags, e->connectors.v[i]};
        if (j.c->catalog && j.c->catalog->csfle)
            cat_each_constraint(j.c->catalog, constraint, &j);
    }
}
