/* encryption.c: is the way of encrypting right for the side, and the platform able to do it? */
#include <string.h>

#include "compiler/check/check.h"

/* ---- random-key-encryption ---- */

void chk_random_key_encryption(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->topics.n; i++) {
        const est_side *s = &e->topics.v[i]->key;
        for (size_t k = 0; est_has_schema(s) && k < s->encrypts.n; k++) { /* without one: topic-undecided */
            const est_encrypt *x = &s->encrypts.v[k];
            bool siv = x->algorithm == EST_AES256_SIV;
            if (siv && !x->rotate_days)
                continue;
            fl_diag *d =
                chk_report(row, diags, !siv ? x->algorithm_at : x->rotate_at,
                           "the key of %s is encrypted otherwise each time (%s): equal keys would land in different "
                           "partitions, and "
                           "compaction would keep every record",
                           s->topic->name.s, !siv ? "its algorithm draws a random IV" : "its data key rotates");
            fl_diag_help(diags, d, "write `algorithm AES256_SIV` and `rotate never` into this `encrypt` block");
        }
    }
}

/* ---- platform-version ---- */

typedef struct floor_row { /* first version of a line that has field level encryption */
    unsigned major, minor, patch;
} floor_row;
/* The vendor's document on CSFLE in connectors: 7.5.4 in 7.5, 7.6.1 in 7.6 (7.6.0 is out), every later line */
static const floor_row floors[] = {{7, 5, 4}, {7, 6, 1}};

static const char *too_old(const fl_version *v, bool cloud)
{
    if (!cloud && v->part[0] < 8)
        return "with registry and Kafka self-managed it came with 8.0";
    if (v->part[0] < 7 || (v->part[0] == 7 && v->part[1] < 5))
        return "it came with 7.5.4";
    for (size_t i = 0; i < sizeof floors / sizeof *floors; i++)
        if (v->part[0] == floors[i].major && v->part[1] == floors[i].minor && v->part[2] < floors[i].patch)
            return floors[i].minor == 5 ? "in 7.5 it came with 7.5.4" : "in 7.6 it came with 7.6.1";
    return NULL;
}

void chk_platform_version(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    fl_version v;
    const est_text *w = &e->platform.workers;
    if (!e->has_platform || !w->s || !fl_version_parse(w->s, &v))
        return;
    const char *why = too_old(&v, e->platform.cloud);
    if (!why)
        return;
    fl_diag *d =
        chk_report(row, diags, w->at, "workers of Confluent Platform %s know no field level encryption: %s", w->s, why);
    fl_diag_help(diags, d,
                 e->platform.cloud ? "use 7.5.4 or later in 7.5, 7.6.1 or later in 7.6, or any later line"
                                   : "use 8.0 or later, or write `platform cloud` if registry and Kafka are there");
}
