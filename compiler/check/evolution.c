/* evolution.c: what is encrypted, and how, against the build that --previous names.
 *
 * Readers with `use.latest.version=true`, which every connector has, run the rules of the latest version over old
 * records as well (AbstractKafkaAvroDeserializer.read: the reader schema's rules run), and a data key belongs to (KEK,
 * subject, algorithm, version). So old records do not open after another algorithm, KEK or subject, nor after rotation
 * was switched on or off, which changes the ciphertext's form; a rule or tag that is taken away lets ciphertext
 * through as if it were text; one that is added fails on old records, or finds them in clear. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/previous.h"

/* A side as it is and as it was. */
typedef struct pair {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_side *is;
    const prev_side *was;
} pair;

static void side_pair(const chk_row *row, const est_estate *e, fl_diags *diags, const est_side *s,
                      void (*fn)(const pair *p))
{
    pair p = {row, e, diags, s, prev_find_side(e->previous, s->topic->name.s, s->is_key)};
    if (p.was && p.was->subject)
        fn(&p);
}

/* Each side that had a schema. */
static void each_pair(const chk_row *row, const est_estate *e, fl_diags *diags, void (*fn)(const pair *p))
{
    for (size_t i = 0; e->previous && i < e->topics.n; i++) {
        side_pair(row, e, diags, &e->topics.v[i]->key, fn);
        side_pair(row, e, diags, &e->topics.v[i]->value, fn);
    }
}

static const char *value_of(const pair *p)
{
    return fl_printf(p->diags->arena, "the %s of %s", est_side_name(p->is), p->is->topic->name.s);
}

static const prev_leaf *leaf_was(const prev_side *s, const char *path)
{
    size_t low = 0, high = s->encrypted.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(path, s->encrypted.v[middle].path);
        if (!order)
            return &s->encrypted.v[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ---- lines that reach fields which another rule reached ---- */

typedef bool (*line_differs)(const est_encrypt *is, const prev_rule *was);
typedef void (*line_report)(const pair *p, const est_encrypt *is, const prev_rule *was);

static void line_pair(const pair *p, const est_encrypt *is, const char *rule, bool **told, line_differs differs,
                      line_report report)
{
    const prev_rule *was = rule ? prev_find_rule(p->was->subject, rule) : NULL;
    size_t at = (size_t)(is - p->is->encrypts.v);
    if (!was || !differs(is, was) || (*told && (*told)[at]))
        return;
    if (!*told)
        *told = FL_NEW_N(p->diags->arena, bool, p->is->encrypts.n);
    (*told)[at] = true;
    report(p, is, was);
}

/* Reports once for each line of the side that differs from the rule that was there for what it reaches. */
static void each_line(const pair *p, line_differs differs, line_report report)
{
    bool *told = NULL;
    for (size_t i = 0; i < p->is->leaves.n && p->was->encrypted.n; i++) {
        const est_leaf *l = &p->is->leaves.v[i];
        const prev_leaf *was = l->encrypt ? leaf_was(p->was, l->hit.path) : NULL;
        if (was)
            line_pair(p, l->encrypt, was->rule, &told, differs, report);
    }
    if (p->is->payload)
        line_pair(p, p->is->payload, p->was->payload, &told, differs, report);
}

/* ---- evolution-algorithm ---- */

static const char *const algorithms[] = {
    [EST_AES128_GCM] = "AES128_GCM", [EST_AES256_GCM] = "AES256_GCM", [EST_AES256_SIV] = "AES256_SIV"};

static bool other_algorithm(const est_encrypt *is, const prev_rule *was)
{
    return strcmp(algorithms[is->algorithm], was->algorithm) != 0;
}

static void report_algorithm(const pair *p, const est_encrypt *is, const prev_rule *was)
{
    fl_diag *d = chk_report(p->row, p->diags, is->algorithm_at,
                            "%s was encrypted with %s and would be with %s: old records would not open", value_of(p),
                            was->algorithm, algorithms[is->algorithm]);
    fl_diag_help(p->diags, d, "write `algorithm %s`, or move the topic's records into a new topic", was->algorithm);
    chk_about_side(d, p->is, NULL);
}

static void algorithm_pair(const pair *p)
{
    each_line(p, other_algorithm, report_algorithm);
}

void chk_evolution_algorithm(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_pair(row, e, diags, algorithm_pair);
}

/* ---- evolution-kek ---- */

static bool other_kek(const est_encrypt *is, const prev_rule *was)
{
    return is->kek_name.s && was->kek && strcmp(is->kek_name.s, was->kek) != 0;
}

static void report_kek(const pair *p, const est_encrypt *is, const prev_rule *was)
{
    fl_diag *d = chk_report(p->row, p->diags, is->kek_name.at,
                            "%s was encrypted with KEK %s and would be with %s: the data keys of old records "
                            "belong to the first",
                            value_of(p), was->kek, is->kek_name.s);
    fl_diag_help(p->diags, d, "write `with %s`, or move the topic's records into a new topic", was->kek);
    chk_about_side(d, p->is, NULL);
}

static void kek_pair(const pair *p)
{
    each_line(p, other_kek, report_kek);
}

void chk_evolution_kek(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_pair(row, e, diags, kek_pair);
}

/* ---- evolution-rotation ---- */

static bool other_rotation(const est_encrypt *is, const prev_rule *was)
{
    return (is->rotate_days > 0) != was->rotates;
}

static void report_rotation(const pair *p, const est_encrypt *is, const prev_rule *was)
{
    fl_diag *d = chk_report(p->row, p->diags, is->rotate_at,
                            "%s had data keys that %s, and would have ones that %s: ciphertext has another form with "
                            "rotation, and old records would not open",
                            value_of(p), was->rotates ? "rotate" : "never end", was->rotates ? "never end" : "rotate");
    fl_diag_help(p->diags, d,
                 was->rotates ? "write `rotate` with a number of days, any one%s"
                              : "take `rotate` out%s, or move the topic's records into a new topic",
                 "");
    chk_about_side(d, p->is, NULL);
}

static void rotation_pair(const pair *p)
{
    each_line(p, other_rotation, report_rotation);
}

void chk_evolution_rotation(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_pair(row, e, diags, rotation_pair);
}

/* ---- evolution-subject ---- */

static bool encrypted_anything(const prev_side *s)
{
    return s->encrypted.n || s->payload;
}

static void subject_pair(const pair *p)
{
    if (!p->is->subject || !encrypted_anything(p->was) || !strcmp(p->is->subject, p->was->subject_name))
        return;
    fl_diag *d = chk_report(p->row, p->diags, p->is->at,
                            "%s was registered as subject %s and would be as %s: the data keys of old records "
                            "belong to the first",
                            value_of(p), p->was->subject_name, p->is->subject);
    fl_diag_help(p->diags, d, "keep the subject name, or move the topic's records into a new topic");
    chk_about_side(d, p->is, NULL);
}

void chk_evolution_subject(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_pair(row, e, diags, subject_pair);
}

/* ---- evolution-removed ---- */

static fl_span leaf_place(const est_side *s, const est_leaf *l)
{
    return l->line ? l->line->at : s->at;
}

/* Fields that are there, were encrypted, and are not. */
static void removed_leaves(const pair *p)
{
    for (size_t i = 0; i < p->is->leaves.n && p->was->encrypted.n && !p->is->payload; i++) {
        const est_leaf *l = &p->is->leaves.v[i];
        const prev_leaf *was = l->encrypt ? NULL : leaf_was(p->was, l->hit.path);
        if (!was)
            continue;
        fl_diag *d = chk_report(p->row, p->diags, leaf_place(p->is, l),
                                "%s of %s was encrypted by the rule %s and is not any more: readers would take the "
                                "old ciphertext for text, and new records go out in clear",
                                l->hit.path, value_of(p), was->rule);
        fl_diag_help(p->diags, d, "keep the tag and its `encrypt` line");
        chk_about_side(d, p->is, l->hit.path);
    }
}

static void report_removed(const pair *p, fl_span at, const char *what)
{
    fl_diag *d = chk_report(p->row, p->diags, at, "%s: %s", value_of(p), what);
    fl_diag_help(p->diags, d, "keep it as it was, or move the topic's records into a new topic");
    chk_about_side(d, p->is, NULL);
}

/* The whole body was encrypted and is not, or its fields were and now the whole is; it is no schema's any more. */
static void removed_form(const pair *p)
{
    if (p->was->payload && !p->is->payload)
        report_removed(p, p->is->at, "the whole body was encrypted and is not any more: nobody would open old records");
    if (p->was->encrypted.n && p->is->payload)
        report_removed(p, p->is->payload->at,
                       "fields were encrypted, and now the whole body is: old records have no such body");
    if (p->was->encrypted.n && !est_has_schema(p->is))
        report_removed(p, p->is->at, "fields were encrypted, and now it has no schema: nobody would open old records");
}

static bool is_encrypt(const prev_rule *r)
{
    return !strcmp(r->type, "ENCRYPT") || !strcmp(r->type, "ENCRYPT_PAYLOAD");
}

static bool has_rule(const est_side *s, const char *name)
{
    for (size_t i = 0; i < s->rules.n; i++)
        if (s->rules.v[i].name.s && !strcmp(s->rules.v[i].name.s, name))
            return true;
    return false;
}

/* Rules that were passed through. Those that encrypt are judged by what they reach. */
static void removed_rules(const pair *p)
{
    for (size_t i = 0; i < p->was->subject->rules.n; i++) {
        const prev_rule *r = &p->was->subject->rules.v[i];
        if (is_encrypt(r) || r->disabled || has_rule(p->is, r->name))
            continue;
        fl_diag *d = chk_report(p->row, p->diags, p->is->at, "%s had a rule %s of type %s, which is gone", value_of(p),
                                r->name, r->type);
        fl_diag_help(p->diags, d, "write it as `rule %s` into this %s, or waive this if nobody needs it", r->name,
                     est_side_name(p->is));
        chk_about_side(d, p->is, NULL);
    }
}

static void removed_pair(const pair *p)
{
    removed_leaves(p);
    removed_form(p);
    if (est_has_schema(p->is))
        removed_rules(p);
}

/* Topics that had encrypted fields and are not in the policy. They stand nowhere: the platform is the place. */
static void removed_topics(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    const char *told = NULL;
    for (size_t i = 0; e->has_platform && !e->incomplete && i < e->previous->sides.n; i++) {
        const prev_side *s = &e->previous->sides.v[i];
        if (!encrypted_anything(s) || (told && !strcmp(told, s->topic)) || est_find_topic(e, s->topic))
            continue;
        told = s->topic;
        fl_diag *d = chk_report(row, diags, e->platform.at,
                                "topic %s had encrypted fields in %s and is not in the policy: nothing keeps its "
                                "rules, and nothing grants its keys",
                                s->topic, e->previous->dir);
        fl_diag_help(diags, d,
                     "state the topic, or write `allow evolution-removed on topic %s because \"…\" until DATE`",
                     s->topic);
        d->about = (fl_thing){"topic", s->topic, NULL, NULL};
    }
}

void chk_evolution_removed(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    if (!e->previous)
        return;
    each_pair(row, e, diags, removed_pair);
    removed_topics(row, e, diags);
}

/* ---- evolution-history ---- */

/* Why old records may be in clear although the rule was there; NULL: it ran. path: NULL for the whole body. A build is
 * right in itself, so tags are looked at only where it is not as it was built. */
static const char *why_clear(const pair *p, const char *name, const char *path)
{
    const prev_subject *s = p->was->subject;
    const prev_rule *r = prev_find_rule(s, name);
    if (!r)
        return "was not in its rule set";
    if (r->disabled)
        return "was disabled";
    if (s->enable_at)
        return fl_printf(p->diags->arena, "ran only where enableAt is %s", s->enable_at);
    if (!strcmp(r->mode, "READ"))
        return "did not run on write";
    if (r->on_failure && !strncmp(r->on_failure, "NONE", 4) && (!r->on_failure[4] || r->on_failure[4] == ','))
        return "had onFailure NONE on write, which lets a record through in clear when encryption fails";
    if (path && s->edited && !prev_carries(p->e->previous, p->diags->arena, p->was, path, r))
        return "did not reach it, for it carried no tag of the rule";
    return NULL;
}

/* Was the field there, under its name or one that is an alias of it now? When in doubt it was. */
static bool field_was_there(const pair *p, const est_leaf *l)
{
    sch_hits hits;
    char message[160];
    fl_arena *a = p->diags->arena;
    const sch_schema *s = prev_schema(p->e->previous, a, p->was->subject, p->was->message);
    const sch_field *f = l->hit.field;
    if (!s)
        return true;
    if (sch_select(s, a, l->hit.path, &hits, message) == SCH_PATH_OK && hits.n)
        return true;
    const char *dot = strrchr(l->hit.path, '.');
    for (size_t i = 0; f && i < f->naliases; i++) {
        const char *old =
            dot ? fl_printf(a, "%.*s%s", (int)(dot + 1 - l->hit.path), l->hit.path, f->aliases[i]) : f->aliases[i];
        if (sch_select(s, a, old, &hits, message) == SCH_PATH_OK && hits.n)
            return true;
    }
    return false;
}

static void history_leaf(const pair *p, const est_leaf *l)
{
    const prev_leaf *was = leaf_was(p->was, l->hit.path);
    const char *why = was ? why_clear(p, was->rule, l->hit.path) : NULL;
    if (was ? !why : !field_was_there(p, l))
        return;
    fl_diag *d = chk_report(p->row, p->diags, leaf_place(p->is, l),
                            "%s of %s is encrypted from now on, and old records have it in clear: they stay as "
                            "they are, and readers fail on them",
                            l->hit.path, value_of(p));
    if (why)
        d->message = fl_printf(p->diags->arena, "%s of %s may be in clear in old records: the rule %s %s", l->hit.path,
                               value_of(p), was->rule, why);
    fl_diag_help(p->diags, d,
                 "move the records into a new topic, or let them expire and write `allow "
                 "evolution-history on topic %s%s field %s because \"…\" until DATE`",
                 p->is->topic->name.s, p->is->is_key ? " key" : "", l->hit.path);
    chk_about_side(d, p->is, l->hit.path);
}

static void history_payload(const pair *p)
{
    const char *why = p->was->payload ? why_clear(p, p->was->payload, NULL) : NULL;
    if ((p->was->payload && !why) || p->was->encrypted.n) /* fields that were: evolution-removed says it */
        return;
    fl_diag *d = chk_report(p->row, p->diags, p->is->payload->at,
                            "%s is encrypted whole from now on, and old records are not: they stay as they are, "
                            "and readers fail on them",
                            value_of(p));
    if (why)
        d->message = fl_printf(p->diags->arena, "%s may be in clear in old records: the rule %s %s", value_of(p),
                               p->was->payload, why);
    fl_diag_help(p->diags, d, "move the records into a new topic, or let them expire and waive this until they have");
    chk_about_side(d, p->is, NULL);
}

static void history_pair(const pair *p)
{
    if (p->is->payload)
        history_payload(p);
    for (size_t i = 0; i < p->is->leaves.n && !p->was->payload; i++)
        if (p->is->leaves.v[i].encrypt && p->is->leaves.v[i].encrypt != p->is->payload)
            history_leaf(p, &p->is->leaves.v[i]);
}

void chk_evolution_history(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_pair(row, e, diags, history_pair);
}
