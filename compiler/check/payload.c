/* payload.c: bodies that are encrypted whole, and workers that may know no encoding rules.
 *
 * Payload encryption was added to the vendor's Java client in mid-2025 (confluentinc/schema-registry, pull request 3777
 * of 29 June 2025), after Platform 8.0.0. A client without it reads a rule set, passes over `encodingRules`, which it
 * does not know, and writes the body in clear without a word. Which patch releases of older lines got it is not known
 * here, so 8.1 is the first version that is believed. A reader without it fails, as ciphertext is no record. */
#include "compiler/check/check.h"

typedef struct walk {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
} walk;

static bool knows_payload(const fl_version *v)
{
    return v->part[0] > 8 || (v->part[0] == 8 && v->part[1] >= 1);
}

static void written(const walk *w, const est_connector *c, const est_side *s)
{
    if (!s->payload || !est_has_schema(s))
        return;
    fl_diag *d =
        chk_report(w->row, w->diags, s->payload->at,
                   "connector %s may write the %s of %s in clear: workers of Confluent Platform %s may be older "
                   "than payload encryption, and pass over a rule that they do not know",
                   c->name.s, est_side_name(s), s->topic->name.s, w->e->platform.workers.s);
    fl_diag_relate(w->diags, d, w->e->platform.workers.at, "the workers' version");
    fl_diag_relate(w->diags, d, c->at, "this connector writes it");
    fl_diag_help(
        w->diags, d,
        "use workers 8.1 or later, or encrypt the fields by their tags; if this patch release has it, look at a "
        "record on the topic and write `allow client-may-leave-clear on topic %s%s because \"…\" until DATE`",
        s->topic->name.s, s->is_key ? " key" : "");
    chk_about_side(d, s, NULL);
}

void chk_payload_by_workers(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    fl_version v;
    const walk w = {row, e, diags};
    if (!e->platform.workers.s || !fl_version_parse(e->platform.workers.s, &v) || knows_payload(&v))
        return;
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        for (size_t k = 0; est_is_source(c) && k < c->topics.n; k++) {
            written(&w, c, &c->topics.v[k]->key);
            written(&w, c, &c->topics.v[k]->value);
        }
    }
}
