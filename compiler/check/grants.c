/* grants.c: grants against what the estate needs. An undeclared principal is refused where it is resolved
 * (`unknown-principal`). */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"

/* Principals by full name; the value says what they do. */
typedef struct doing {
    const char *name;
    fl_span at;            /* of the first place that names it */
    bool reads_ciphertext; /* a topic with encryption */
    bool writes_ciphertext;
} doing;

typedef struct everyone {
    fl_map *by_name;
    FL_VEC(doing *) list; /* in order of first mention */
} everyone;

static doing *who(const est_estate *e, everyone *all, const est_text *name)
{
    doing *d = fl_map_get(all->by_name, name->s);
    if (d)
        return d;
    d = FL_NEW(e->arena, doing);
    *d = (doing){.name = name->s, .at = name->at};
    fl_map_put(all->by_name, name->s, d);
    FL_PUSH(e->arena, &all->list, d);
    return d;
}

static bool has_ciphertext(const est_topic *t)
{
    return t->key.encrypts.n || t->value.encrypts.n;
}

static void note_topics(const est_estate *e, everyone *all)
{
    for (size_t i = 0; i < e->topics.n; i++) {
        const est_topic *t = e->topics.v[i];
        for (size_t k = 0; k < t->readers.n; k++)
            who(e, all, &t->readers.v[k])->reads_ciphertext |= has_ciphertext(t);
        for (size_t k = 0; k < t->writers.n; k++)
            who(e, all, &t->writers.v[k])->writes_ciphertext |= has_ciphertext(t);
    }
}

static everyone know(const est_estate *e)
{
    everyone all = {.by_name = fl_map_new()};
    note_topics(e, &all);
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        if (!c->principal.s)
            continue;
        doing *d = who(e, &all, &c->principal);
        for (size_t k = 0; k < c->topics.n; k++) {
            d->reads_ciphertext |= est_is_sink(c) && has_ciphertext(c->topics.v[k]);
            d->writes_ciphertext |= est_is_source(c) && has_ciphertext(c->topics.v[k]);
        }
    }
    return all;
}

/* ---- unused-grant ---- */

void chk_unused_grant(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    everyone all = know(e);
    for (size_t i = 0; i < e->principals.n && !e->incomplete; i++) {
        const est_principal *p = e->principals.v[i];
        if (fl_map_get(all.by_name, p->full))
            continue;
        fl_diag *d = chk_report(row, diags, p->name.at,
                                "nothing is granted to %s: no topic names it as a reader or "
                                "writer, no connector runs as it",
                                p->full);
        fl_diag_help(diags, d, "take it out; whatever it was granted by hand is not needed by this estate");
        chk_about_platform(d);
    }
    fl_map_free(all.by_name);
}

/* ---- wide-grant ---- */

/* The vendor's document gives DeveloperWrite on a KEK to readers, too; making data keys is only for writers (csfle, 4
 * of the facts; docs/deploy.md). One message for all of them: it is one line of the platform that decides. */
void chk_wide_grant(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    everyone all = know(e);
    const doing *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < all.list.n; i++) {
        const doing *d = all.list.v[i];
        if (!d->reads_ciphertext || d->writes_ciphertext)
            continue;
        first = first ? first : d;
        n++;
    }
    fl_map_free(all.by_name);
    if (!first || !e->has_platform || e->platform.grants_least)
        return;
    fl_diag *d = n > 1 ? chk_report(row, diags, e->platform.at,
                                    "`grants documented` lets %s and %zu more, who only read, make data keys "
                                    "(DeveloperWrite on their KEKs)",
                                    first->name, n - 1)
                       : chk_report(row, diags, e->platform.at,
                                    "`grants documented` lets %s, who only reads, make data keys (DeveloperWrite on "
                                    "its KEKs)",
                                    first->name);
    fl_diag_relate(diags, d, first->at, "it reads here");
    fl_diag_help(diags, d, "write `grants least` in the platform");
    chk_about_platform(d);
}
