/* rules.c: rules that are passed through, and the names of all rules of a side.
 *
 * What the registry checks of a rule set, and what it lets through that no client can use, was read in its source and
 * in the clients': docs/registry.md. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

typedef struct walk {
    const chk_row *row;
    fl_diags *diags;
    const est_side *side;
} walk;

/* Of sides without a schema as well: their rules have names, too, and their schema may only be unreadable. */
static void each_side(const chk_row *row, const est_estate *e, fl_diags *diags, void (*fn)(const walk *w))
{
    for (size_t i = 0; i < e->topics.n; i++) {
        fn(&(walk){row, diags, &e->topics.v[i]->key});
        fn(&(walk){row, diags, &e->topics.v[i]->value});
    }
}

static const char *const phases[] = {"domain", "encoding", "migration"};

/* ---- rule-refused: types ---- */

typedef struct rule_type { /* of those that every vendor client has: `expr` is what they execute */
    const char *name;
    bool fields; /* works on fields, which bytes have not */
    const char *params[4];
} rule_type;

static const rule_type types[] = {
    {"CEL", false, {"cel.ignore.guard.separator"}},
    {"CEL_FIELD", true, {"cel.ignore.guard.separator", "preserve.source.fields"}},
    {"JSONATA", false, {"jsonata.timeout.ms", "jsonata.max.depth"}},
};
static const char *const any_type[] = {"dlq.topic", "dlq.auto.flush"}; /* of the action DLQ */

static const rule_type *find_type(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcasecmp(types[i].name, name))
            return &types[i];
    return NULL;
}

static bool encrypts(const est_rule *x)
{
    return !strcasecmp(x->type.s, "ENCRYPT") || !strcasecmp(x->type.s, "ENCRYPT_PAYLOAD");
}

static void refuse_type(const walk *w, const est_rule *x)
{
    const rule_type *t = find_type(x->type.s);
    if (encrypts(x)) {
        fl_diag *d = chk_report(w->row, w->diags, x->type.at,
                                "a rule of type %s encrypts, and `rule` only passes rules through: nothing here could "
                                "say what it leaves in clear",
                                x->type.s);
        fl_diag_help(w->diags, d, "write `encrypt TAG with KEK`, or `encrypt payload with KEK`, into this %s",
                     est_side_name(w->side));
    } else if (t && strcmp(t->name, x->type.s)) {
        fl_diag *d = chk_report(w->row, w->diags, x->type.at,
                                "no client has an executor of type `%s`: types are compared with case", x->type.s);
        fl_diag_help(w->diags, d, "write `type %s`", t->name);
    } else if (t && t->fields && x->phase == EST_ENCODING) {
        fl_diag *d = chk_report(w->row, w->diags, x->type.at,
                                "%s works on fields, and in phase encoding there are only bytes", t->name);
        fl_diag_help(w->diags, d, "write `phase domain`");
    } else if (t && !x->expr.s) {
        fl_diag *d =
            chk_report(w->row, w->diags, x->at, "a rule of type %s has no expression: clients fail on it", t->name);
        fl_diag_help(w->diags, d, "write `expr \"…\"` into its block");
    }
}

/* ---- rule-refused: parameters ---- */

static size_t known_params(const rule_type *t, const char *out[8])
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof t->params / sizeof *t->params && t->params[i]; i++)
        out[n++] = t->params[i];
    for (size_t i = 0; i < sizeof any_type / sizeof *any_type; i++)
        out[n++] = any_type[i];
    return n;
}

static void unknown_param(const walk *w, const est_rule *x, const rule_type *t, const est_prop *p)
{
    const char *known[8];
    size_t n = known_params(t, known);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(known[i], p->name.s))
            return;
    fl_diag *d = chk_report(w->row, w->diags, p->name.at,
                            "no client knows the parameter %s of type %s: it would be "
                            "passed over without a word",
                            p->name.s, x->type.s);
    const char *near = fl_nearest(p->name.s, known, n);
    if (near)
        fl_diag_help(w->diags, d, "did you mean `%s`?", near);
}

static void refuse_params(const walk *w, const est_rule *x)
{
    const rule_type *t = find_type(x->type.s);
    for (size_t i = 0; i < x->params.n && !encrypts(x); i++) {
        const est_prop *p = &x->params.v[i];
        if (strncasecmp(p->name.s, "encrypt.", 8)) {
            if (t)
                unknown_param(w, x, t, p);
            continue;
        }
        fl_diag *d = chk_report(w->row, w->diags, p->name.at, "`%s` belongs to rules that encrypt", p->name.s);
        fl_diag_help(w->diags, d, "take it out: an `encrypt` line writes it");
    }
}

/* ---- rule-refused: mode and actions ---- */

static void refuse_mode(const walk *w, const est_rule *x)
{
    static const char *const versions[] = {"UPDOWN", "UPGRADE", "DOWNGRADE"};
    bool migrates = false;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        migrates |= !strcmp(versions[i], x->mode.s);
    if (migrates == (x->phase == EST_MIGRATION))
        return;
    fl_diag *d = chk_report(w->row, w->diags, x->mode.at, "the registry refuses mode %s in phase %s", x->mode.s,
                            phases[x->phase]);
    fl_diag_help(w->diags, d, "write one of %s",
                 migrates ? "WRITEREAD, WRITE, READ" : "UPDOWN, UPGRADE, DOWNGRADE, or leave the line out");
}

static void refuse_pair(const walk *w, const est_rule *x, const est_text *actions, const char *which)
{
    bool pairs = !strcmp(x->mode.s, "WRITEREAD") || !strcmp(x->mode.s, "UPDOWN");
    const char *comma = actions->s ? strchr(actions->s, ',') : NULL;
    if (!comma || (pairs && !strchr(comma + 1, ',')))
        return;
    fl_diag *d = chk_report(w->row, w->diags, actions->at, "the registry refuses %s %s of a rule in mode %s", which,
                            actions->s, x->mode.s);
    fl_diag_help(w->diags, d,
                 pairs ? "write one action, or two: that of writing and that of reading"
                       : "write one action: two are for WRITEREAD and UPDOWN");
}

static bool has_action(const est_text *actions, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = actions->s; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (!strncmp(p, name, n) && (p[n] == 0 || p[n] == ','))
            return true;
    return false;
}

/* The action writes the record as JSON. It blanks the fields that tagged rules encrypt; a rule for the whole body has
 * no tags, so nothing is blanked. */
static void refuse_dlq(const walk *w, const est_rule *x, const est_text *actions)
{
    if (!w->side->payload || x->disabled || !has_action(actions, "DLQ"))
        return;
    fl_diag *d = chk_report(w->row, w->diags, actions->at,
                            "action DLQ would write the record as it is, in clear, and here the whole %s is encrypted",
                            est_side_name(w->side));
    fl_diag_relate(w->diags, d, w->side->payload->at, "encrypted here");
    fl_diag_help(w->diags, d, "write ERROR, and use the dead letters of the connector: they hold what was on the wire");
}

static void refused(const walk *w)
{
    for (size_t i = 0; i < w->side->rules.n; i++) {
        const est_rule *x = &w->side->rules.v[i];
        refuse_type(w, x);
        refuse_params(w, x);
        refuse_mode(w, x);
        refuse_pair(w, x, &x->on_success, "onSuccess");
        refuse_pair(w, x, &x->on_failure, "onFailure");
        refuse_dlq(w, x, &x->on_success);
        refuse_dlq(w, x, &x->on_failure);
    }
}

void chk_rule_refused(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side(row, e, diags, refused);
}

/* ---- rule-name ---- */

typedef struct named { /* a rule of either kind */
    const est_text *name;
    fl_span at;
    const est_encrypt *encrypt; /* or NULL */
} named;

static int by_place(const void *a, const void *b)
{
    const named *x = a, *y = b;
    return x->at.from < y->at.from ? -1 : x->at.from > y->at.from;
}

/* Both lists in order of writing: of two with one name, the later one is at fault. */
static named *all_named(const walk *w, size_t *n)
{
    const est_side *s = w->side;
    named *all = FL_NEW_N(w->diags->arena, named, s->encrypts.n + s->rules.n);
    *n = 0;
    for (size_t i = 0; i < s->encrypts.n; i++)
        if (s->encrypts.v[i].name.s) /* else a variable is unknown (reported) */
            all[(*n)++] = (named){&s->encrypts.v[i].name, s->encrypts.v[i].at, &s->encrypts.v[i]};
    for (size_t i = 0; i < s->rules.n; i++)
        all[(*n)++] = (named){&s->rules.v[i].name, s->rules.v[i].at, NULL};
    qsort(all, *n, sizeof *all, by_place);
    return all;
}

static bool derived(const est_encrypt *x)
{
    return x->name.at.from == x->at.from && x->name.at.to == x->at.to;
}

/* Two lines with the same tags and no names of their own are one mistake, which encrypted-twice reports. */
static bool same_line(const est_encrypt *x, const est_encrypt *y)
{
    bool same = x && y && x->tags.n == y->tags.n && derived(x) && derived(y);
    for (size_t i = 0; same && i < x->tags.n; i++)
        same = !strcmp(x->tags.v[i].s, y->tags.v[i].s);
    return same;
}

static void same_name(const walk *w, const named *first, const named *x)
{
    if (same_line(first->encrypt, x->encrypt))
        return;
    fl_diag *d =
        chk_report(w->row, w->diags, x->name->at,
                   "two rules of this %s are called `%s`: the registry refuses that, in whatever phase they are",
                   est_side_name(w->side), x->name->s);
    fl_diag_relate(w->diags, d, first->name->at, "the other");
    fl_diag_help(w->diags, d,
                 x->encrypt || first->encrypt ? "write `name NAME` into the block of an `encrypt` line"
                                              : "give one of them another name");
}

static bool in_name(char c)
{
    return c && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", c);
}

static void bad_name(const walk *w, const named *x)
{
    const char *s = x->name->s;
    size_t n = strlen(s);
    while (in_name(*s))
        s++;
    bool odd = *s || !n || strchr("0123456789-", x->name->s[0]), longer = n > EST_MAX_RULE_NAME;
    if (!odd && !longer)
        return;
    fl_diag *d = odd ? chk_report(w->row, w->diags, x->name->at, "`%s` is no name of a rule: the registry refuses it",
                                  x->name->s)
                     : chk_report(w->row, w->diags, x->name->at, "the name of the rule is longer than %d bytes",
                                  EST_MAX_RULE_NAME);
    fl_diag_help(w->diags, d,
                 odd          ? "it begins with a letter or `_`; letters, digits, `_` and `-` follow"
                 : x->encrypt ? "write `name NAME` into the block, with a shorter one"
                              : "take a shorter one");
}

static void names(const walk *w)
{
    size_t n;
    if (!w->side->encrypts.n && !w->side->rules.n)
        return;
    named *all = all_named(w, &n);
    fl_map *seen = n > 1 ? fl_map_new() : NULL;
    for (size_t i = 0; i < n; i++) {
        const named *first = seen ? fl_map_get(seen, all[i].name->s) : NULL;
        bad_name(w, &all[i]);
        if (first)
            same_name(w, first, &all[i]);
        else if (seen)
            fl_map_put(seen, all[i].name->s, &all[i]);
    }
    if (seen)
        fl_map_free(seen);
}

void chk_rule_name(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side(row, e, diags, names);
}

/* ---- transform-may-copy ---- */

/* A whole body that is encrypted holds the copy as well. */
static const est_encrypt *encrypted_by_field(const est_side *s)
{
    return s->encrypts.n && !s->payload ? &s->encrypts.v[0] : NULL;
}

static bool changes_on_write(const est_rule *x)
{
    return x->phase == EST_DOMAIN && !x->disabled && !strcmp(x->kind.s, "TRANSFORM") && strcmp(x->mode.s, "READ");
}

static void may_copy(const walk *w)
{
    const est_encrypt *encrypt = encrypted_by_field(w->side);
    for (size_t i = 0; encrypt && i < w->side->rules.n; i++) {
        const est_rule *x = &w->side->rules.v[i];
        if (!changes_on_write(x) || encrypts(x))
            continue;
        fl_diag *d = chk_report(w->row, w->diags, x->at,
                                "rule %s changes the record when it is written: it can copy an encrypted field of %s "
                                "into one that stays in clear",
                                x->name.s, w->side->topic->name.s);
        fl_diag_relate(w->diags, d, encrypt->at, "encrypted by field here");
        fl_diag_help(w->diags, d,
                     "write `kind CONDITION`, `mode READ` or `disabled` if it may be; else read the rule, and `allow "
                     "transform-may-copy on topic %s%s because \"…\" until DATE`",
                     w->side->topic->name.s, w->side->is_key ? " key" : "");
        chk_about_side(d, w->side, NULL);
    }
}

void chk_transform_may_copy(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side(row, e, diags, may_copy);
    chk_transforms_that_copy(row, e, diags);
}
