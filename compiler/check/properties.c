/* properties.c: checks on the names in `config`: generated ones, unknown ones, missing ones. */
#include <string.h>
#include <strings.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

/* ---- what is generated ---- */

static bool is_auto_registration(const char *name)
{
    static const char end[] = "auto.register.schemas";
    size_t n = strlen(name), m = sizeof end - 1;
    return n >= m && !strcmp(name + n - m, end) && (n == m || name[n - m - 1] == '.');
}

/* Everything but a plain `false` is a try: true, and a reference that may turn out to be true. */
static bool tries_auto_registration(const est_prop *p)
{
    return is_auto_registration(p->name.s) && strcasecmp(p->value, "false");
}

static void report_auto(const chk_row *row, fl_diags *diags, const est_prop *p)
{
    if (!tries_auto_registration(p))
        return;
    fl_diag *d = chk_report(
        row, diags, p->name.at,
        "%s would register the schema that the connector derives, without its tags: records in clear", p->name.s);
    fl_diag_help(diags, d, "take the line out; schemas are registered before the connector starts");
}

void chk_auto_registration(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++)
        for (size_t j = 0; j < e->connectors.v[i]->config.n; j++)
            report_auto(row, diags, &e->connectors.v[i]->config.v[j]);
    for (size_t j = 0; j < e->platform.registry_config.n; j++)
        report_auto(row, diags, &e->platform.registry_config.v[j]);
}

static void report_generated(const chk_row *row, fl_diags *diags, const est_prop *p, cat_owner owner, const char *why)
{
    if (owner == CAT_FREE || tries_auto_registration(p))
        return;
    fl_diag *d =
        chk_report(row, diags, p->name.at,
                   owner == CAT_GENERATED ? "%s is always generated" : "%s would undo what is generated", p->name.s);
    fl_diag_help(diags, d, "take the line out: %s", why);
}

static void generated_in_connector(const chk_row *row, fl_diags *diags, const est_connector *c)
{
    for (size_t j = 0; j < c->config.n; j++) {
        const est_prop *p = &c->config.v[j];
        const char *why = NULL;
        cat_owner owner = c->catalog ? cat_property_owner(c->catalog, p->name.s, &why) : CAT_FREE;
        if (c->dead_letters.s && !strcmp(p->name.s, "errors.tolerance")) {
            owner = CAT_GENERATED;
            why = "with `dead-letters` it is all";
        }
        report_generated(row, diags, p, owner, why);
    }
}

static void generated_in_kek(const chk_row *row, fl_diags *diags, const est_kek *k)
{
    for (size_t j = 0; j < k->properties.n; j++)
        if (!strcmp(k->properties.v[j].name.s, "encrypt.alternate.kms.key.ids"))
            report_generated(row, diags, &k->properties.v[j], CAT_GENERATED, "write `alternates`");
}

/* What `registry { config }` adds becomes a property of both converters, so the same names are closed there. */
void chk_generated_property(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    size_t n;
    const cat_connector *any = cat_connectors(&n);
    chk_converters_without_rules(row, e, diags);
    for (size_t i = 0; i < e->connectors.n; i++)
        generated_in_connector(row, diags, e->connectors.v[i]);
    for (size_t i = 0; i < e->keks.n; i++)
        generated_in_kek(row, diags, e->keks.v[i]);
    for (size_t j = 0; j < e->platform.registry_config.n; j++) {
        const est_prop *p = &e->platform.registry_config.v[j];
        const char *why = NULL;
        cat_owner owner = cat_property_owner(any, fl_printf(e->arena, "value.converter.%s", p->name.s), &why);
        report_generated(row, diags, p, owner, why);
    }
}

/* ---- unknown names ---- */

static bool is_aliased(const char *name)
{
    return !strncmp(name, "transforms.", 11) || !strncmp(name, "predicates.", 11);
}

/* The properties of the transformation or predicate that NAME's alias has, with NAME's beginning. */
static size_t names_of_alias(const est_estate *e, const est_connector *c, const char *name, const char **out,
                             size_t max)
{
    const char *dot = strchr(name + strcspn(name, ".") + 1, '.');
    int prefix = (int)(dot - name + 1);
    const est_prop *type = chk_config(c, fl_printf(e->arena, "%.*stype", prefix, name));
    const cat_transform *t = type ? cat_find_transform(type->value) : NULL;
    size_t n = 0;
    for (; t && n < t->nproperties && n < max; n++)
        out[n] = fl_printf(e->arena, "%.*s%s", prefix, name, t->properties[n].name);
    return n;
}

/* Names that a property of the connector could have had. */
static size_t possible_names(const est_estate *e, const est_connector *c, const char *name, const char **out,
                             size_t max)
{
    if (is_aliased(name) && strchr(name + 11, '.'))
        return names_of_alias(e, c, name, out, max);
    return cat_property_names(c->catalog, out, max);
}

/* A property that is there already, or is not the policy's to write, is no correction; and what a transformation does
 * to records is no matter of spelling. */
static bool is_safe_name(const est_connector *c, const char *near)
{
    return !is_aliased(near) && !chk_config(c, near) && cat_property_owner(c->catalog, near, NULL) == CAT_FREE;
}

static void no_such_property(const chk_row *row, const est_estate *e, fl_diags *diags, const est_connector *c,
                             const est_prop *p)
{
    enum { MAX = 1000 };
    const char **names = FL_NEW_N(e->arena, const char *, MAX);
    size_t n = possible_names(e, c, p->name.s, names, MAX);
    const char *near = fl_nearest(p->name.s, names, n);
    fl_diag *d = chk_report(row, diags, p->name.at, "%s has no property %s", c->type.s, p->name.s);
    chk_about_connector(d, c, p->name.s);
    if (!near) {
        fl_diag_help(diags, d, "`flec catalog %s` lists its properties", c->type.s);
        return;
    }
    fl_diag_help(diags, d, "did you mean `%s`?", near);
    if (is_safe_name(c, near))
        chk_fix_near(diags, d, p->name.at, p->name.s, names, n, true);
}

static void unknown_in_connector(const chk_row *row, const est_estate *e, fl_diags *diags, const est_connector *c,
                                 const est_prop *p)
{
    const cat_property *known;
    fl_diag *d;
    switch (chk_property(c, p->name.s, &known)) {
    case CHK_KNOWN:
    case CHK_OPEN:
        return;
    case CHK_ALIAS:
        d = chk_report(row, diags, p->name.at, "%s belongs to no alias that `%.10s` lists", p->name.s, p->name.s);
        fl_diag_help(diags, d, "write `%.10s = ALIAS` with the alias of this line", p->name.s);
        chk_about_connector(d, c, p->name.s);
        return;
    case CHK_UNKNOWN:
        no_such_property(row, e, diags, c, p);
    }
}

/* The parameters in a KEK's `private` block: those its KMS has. */
static void unknown_in_kek(const chk_row *row, fl_diags *diags, const est_kek *k)
{
    const char *names[32];
    size_t n, m = 0;
    const cat_kms_param *known = cat_kms_params(k->kms_type, &n);
    for (size_t i = 0; i < n && m < 32; i++)
        names[m++] = known[i].name;
    for (size_t j = 0; j < k->params.n; j++) {
        const est_prop *p = &k->params.v[j];
        size_t i = 0;
        while (i < m && strcmp(names[i], p->name.s))
            i++;
        if (i < m)
            continue;
        fl_diag *d = chk_report(row, diags, p->name.at, "%s has no parameter %s", k->kms_type, p->name.s);
        chk_about_kek(d, k);
        fl_diags_hide(diags, p->value_at); /* a misspelt one is as secret as it was meant to be */
        const char *near = fl_nearest(p->name.s, names, m);
        if (near)
            fl_diag_help(diags, d, "did you mean `%s`?", near);
    }
}

void chk_unknown_property(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        for (size_t j = 0; c->catalog && j < c->config.n; j++)
            if (cat_property_owner(c->catalog, c->config.v[j].name.s, NULL) == CAT_FREE &&
                !is_auto_registration(c->config.v[j].name.s))
                unknown_in_connector(row, e, diags, c, &c->config.v[j]);
    }
    for (size_t i = 0; i < e->keks.n; i++)
        unknown_in_kek(row, diags, e->keks.v[i]);
}

/* ---- missing ones ---- */

typedef struct missing {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_connector *c;
} missing;

static const char *value_or_default(const est_connector *c, const char *name)
{
    const char *value = chk_value(c, name);
    return value ? value : "";
}

/* Holds PROPERTY=VALUE or PROPERTY=VALUE|VALUE? */
static bool condition_holds(const est_connector *c, const char *condition)
{
    size_t n = strcspn(condition, "=");
    char name[256];
    if (n >= sizeof name || !condition[n])
        return false;
    memcpy(name, condition, n);
    name[n] = 0;
    const char *value = value_or_default(c, name), *p = condition + n + 1;
    for (;;) {
        size_t len = strcspn(p, "|");
        if (strlen(value) == len && !strncmp(p, value, len))
            return true;
        if (!p[len])
            return false;
        p += len + 1;
    }
}

/* Emission writes these itself. */
static bool is_written(const cat_connector *c, const char *name)
{
    return cat_property_owner(c, name, NULL) != CAT_FREE || !strcmp(name, "confluent.topic.bootstrap.servers") ||
           !strcmp(name, "reporter.bootstrap.servers");
}

static bool want(const cat_property *p, void *ctx)
{
    missing *m = ctx;
    const est_connector *c = m->c;
    if (p->pattern || (!p->required && !p->required_if)) /* most, so the dearer questions come after it */
        return true;
    if (is_written(c->catalog, p->name) || cat_find_property(c->catalog, p->name) != p)
        return true;
    bool conditional = !p->required && p->required_if && condition_holds(c, p->required_if);
    const est_prop *given = chk_config(c, p->name);
    if ((!p->required && !conditional) || (given && *given->value))
        return true;
    fl_diag *d = chk_report(m->row, m->diags, given ? given->value_at : c->at,
                            given ? "connector %s: %s is empty" : "connector %s: %s is missing", c->name.s, p->name);
    size_t eq = conditional ? strcspn(p->required_if, "=") : 0;
    if (conditional && !p->required_if[eq + 1])
        fl_diag_help(m->diags, d, "needed while %.*s is not there: %s", (int)eq, p->required_if, p->doc);
    else if (conditional)
        fl_diag_help(m->diags, d, "needed where %s: %s", p->required_if, p->doc);
    else
        fl_diag_help(m->diags, d, "%s", p->doc);
    return true;
}

/* Each alias needs its type, and what its class asks for. */
static void want_of_alias(missing *m, const est_prop *list, const char *alias, size_t n)
{
    const char *prefix = fl_printf(m->e->arena, "%s.%.*s.", list->name.s, (int)n, alias);
    const est_prop *type = chk_config(m->c, fl_printf(m->e->arena, "%stype", prefix));
    if (!type) {
        chk_report(m->row, m->diags, list->value_at, "connector %s: %stype is missing", m->c->name.s, prefix);
        return;
    }
    const cat_transform *t = cat_find_transform(type->value);
    for (size_t i = 0; t && i < t->nproperties; i++)
        if (t->properties[i].required &&
            !chk_config(m->c, fl_printf(m->e->arena, "%s%s", prefix, t->properties[i].name))) {
            fl_diag *d = chk_report(m->row, m->diags, type->value_at, "connector %s: %s%s is missing", m->c->name.s,
                                    prefix, t->properties[i].name);
            fl_diag_help(m->diags, d, "%s", t->properties[i].doc);
        }
}

static void want_of_aliases(missing *m, const char *list)
{
    const est_prop *p = chk_config(m->c, list);
    if (!p)
        return;
    for (const char *s = p->value; *s;) {
        size_t n = strcspn(s, ",");
        if (n)
            want_of_alias(m, p, s, n);
        s += n + (s[n] == ',');
    }
}

void chk_missing_property(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        missing m = {row, e, diags, e->connectors.v[i]};
        if (!m.c->catalog || !m.c->catalog->csfle)
            continue;
        cat_each_property(m.c->catalog, want, &m);
        want_of_aliases(&m, "transforms");
        want_of_aliases(&m, "predicates");
    }
}
