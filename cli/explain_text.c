/* explain_text.c: why a field is or is not encrypted, as text. */
#include <stdio.h>
#include <string.h>

#include "cli/explain.h"

/* Names, reasons and paths come from policies and schemas: no control character of theirs reaches a terminal. */
static void put(const char *s)
{
    fl_buf b;
    fl_buf_init(&b, 4 * strlen(s) + 16);
    fl_buf_add_shown(&b, s, strlen(s));
    fputs(b.p ? b.p : "", stdout);
    fl_buf_free(&b);
}

/* "  label       what    place" */
static void row(const est_estate *e, const char *label, const char *what, fl_span at)
{
    printf("  %-11s ", label);
    put(what);
    if (at.src) {
        fputs("  (", stdout);
        put(cli_place(e->arena, at));
        putchar(')');
    }
    putchar('\n');
}

static const fl_span nowhere = {0};

/* ---- one field ---- */

static void tag_rows(const est_estate *e, const cli_why *w)
{
    cli_tags tags = {0};
    const est_side *s = w->side;
    cli_tags_of(e, w, &tags);
    for (size_t i = 0; i < tags.n; i++) {
        const est_field *line = tags.v[i].line;
        row(e, i ? "" : "tags",
            line ? fl_printf(e->arena, "%s, by `field %s`", tags.v[i].name, line->path.s)
                 : fl_printf(e->arena, "%s, written in the schema %s", tags.v[i].name, s->schema_path.s),
            line ? line->at : s->schema_path.at);
    }
}

static void kek_row(const est_estate *e, const est_kek *k)
{
    row(e, "KEK", fl_printf(e->arena, "%s: %s %s", k->name.s, k->kms_type, k->key_id.s ? k->key_id.s : ""), k->at);
    row(e, "",
        k->shared ? "shared: the registry opens data keys for who has the role"
                  : "not shared: who reads or writes brings credentials for the KMS",
        nowhere);
}

static void rule_rows(const est_estate *e, const est_encrypt *x)
{
    static const char *const algorithms[] = {"AES128_GCM: the same text gives another ciphertext each time",
                                             "AES256_GCM: the same text gives another ciphertext each time",
                                             "AES256_SIV: equal texts give equal ciphertexts"};
    row(e, "rule", fl_printf(e->arena, "%s%s", x->name.s ? x->name.s : "", x->payload ? ", the whole body" : ""),
        x->at);
    if (x->kek)
        kek_row(e, x->kek);
    row(e, "algorithm", algorithms[x->algorithm], x->algorithm_at);
    row(e, "rotation",
        x->rotate_days ? fl_printf(e->arena, "another data key after %d days", x->rotate_days)
                       : "none: one data key for all time",
        x->rotate_days ? x->rotate_at : nowhere);
    if (x->write_only)
        row(e, "mode", "WRITE: readers of this topic get the ciphertext", nowhere);
}

static void people(const est_estate *e, const est_topic *t, bool writers, bool encrypted)
{
    cli_users users = {0};
    cli_users_of(e, t, writers, &users);
    for (size_t i = 0; i < users.n; i++) {
        const cli_user *u = &users.v[i];
        const char *who = u->principal ? u->principal : "nobody named";
        if (u->connector)
            who = fl_printf(e->arena, "connector %s as %s", u->connector->name.s, who);
        if (encrypted)
            who = fl_printf(e->arena, "%s, %s on the KEK", who, u->role);
        row(e, i ? "" : writers ? "written by" : "read by", who, u->connector ? u->connector->at : nowhere);
    }
    if (!users.n)
        row(e, writers ? "written by" : "read by", "nobody that the policy names", nowhere);
}

static const char *verdict(const est_estate *e, const cli_why *w)
{
    switch (w->state) {
    case CLI_ENCRYPTED:
        return "is encrypted";
    case CLI_WHOLE:
        return "is encrypted with the whole body";
    case CLI_CLEAR:
        return fl_printf(e->arena, "is in clear: %s", w->because);
    case CLI_UNSAID:
        return fl_printf(e->arena, "is in clear: %s", w->because);
    case CLI_FAILING:
        break;
    }
    return fl_printf(e->arena, "cannot be encrypted: %s", w->because);
}

static void in_full(const est_estate *e, const cli_why *w)
{
    const est_leaf *l = w->leaf;
    put(fl_printf(e->arena, "%s of %s, %s: %s", l ? l->hit.path : "all", w->side->topic->name.s, est_side_name(w->side),
                  verdict(e, w)));
    puts("");
    if (l)
        row(e, "type", sch_type_text(l->hit.type, e->arena), nowhere);
    tag_rows(e, w);
    if (w->rule)
        rule_rows(e, w->rule);
    else if (w->at.src)
        row(e, "said at", cli_place(e->arena, w->at), nowhere);
    bool encrypted = w->state == CLI_ENCRYPTED || w->state == CLI_WHOLE;
    people(e, w->side->topic, true, encrypted);
    people(e, w->side->topic, false, encrypted);
}

/* ---- a topic ---- */

static void briefly(const est_estate *e, const cli_why *w, unsigned width)
{
    const char *path = w->leaf ? w->leaf->hit.path : "all";
    printf("  %-5s ", est_side_name(w->side));
    put(path);
    printf("%*s %-9s ", (int)(width - fl_shown_width(path, strlen(path))), "", cli_state_word(w->state));
    if (w->rule && !w->because)
        put(fl_printf(e->arena, "%s, KEK %s", w->rule->name.s ? w->rule->name.s : "", w->rule->kek_name.s));
    else
        put(w->because);
    if (w->at.src) {
        fputs("  (", stdout);
        put(cli_place(e->arena, w->at));
        putchar(')');
    }
    putchar('\n');
}

void cli_explain_text(const est_estate *e, const est_topic *t, const cli_whys *all)
{
    unsigned width = 0;
    for (size_t i = 0; i < all->list.n; i++) {
        const est_leaf *l = all->list.v[i].leaf;
        const char *path = l ? l->hit.path : "all";
        unsigned n = fl_shown_width(path, strlen(path));
        width = n > width ? n : width;
    }
    if (!all->one) {
        put(t->name.s);
        putchar('\n');
    }
    for (size_t i = 0; i < all->list.n; i++)
        if (all->one) {
            fputs(i ? "\n" : "", stdout);
            in_full(e, &all->list.v[i]);
        } else {
            briefly(e, &all->list.v[i], width);
        }
}
