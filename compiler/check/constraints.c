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
    cat_condition c = cat_read_condition(broke);
    const char *in_order[] = {name_of(j, &c), c.op == '>' ? c.value : NULL, NULL};
    if (k->when) {
        cat_condition when = cat_read_condition(k->when);
        in_order[2] = name_of(j, &when);
    }
    for (size_t i = 0; i < 3; i++) {
        const est_prop *p = in_order[i] ? chk_config(j->c, in_order[i]) : NULL;
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

static const char *what_to_do(const judge *j, const cat_constraint *k, const cat_condition *c)
{
    fl_arena *a = j->e->arena;
    const char *name = name_of(j, c);
    if (k->how == CAT_ANY)
        return "set one of them";
    if (k->how == CAT_NONE)
        return fl_printf(a, "take %s out", name);
    switch (c->op) {
    case '=':
        return fl_printf(a, strchr(c->value, '|') ? "%s is one of %s" : "write `%s = %s`", name, c->value);
    case '>':
        return fl_printf(a, "set %s above %s", name, c->value);
    case '~':
        return fl_printf(a, "write a value of %s that fits %s as a whole", name, c->value);
    default:
        return fl_printf(a, "set %s", name);
    }
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
    fl_diag *d = chk_report(j->row, j->diags, p ? p->name.at : j->c->at, "connector %s breaks a rule of its type: %s",
                            j->c->name.s, k->text);
    fl_diag_help(j->diags, d, "%s", what_to_do(j, k, &c));
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
