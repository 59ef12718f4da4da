/* ruleset.c: the rule set of a side: what its `encrypt` lines become, and the rules that are passed through, in the
 * order in which clients run them.
 *
 * Writing runs a phase's list from its first rule, reading from its last. So `order`, then the name decides, whatever
 * kind of rule it is. */
#include <stdlib.h>
#include <string.h>

#include "compiler/emit/emit.h"

typedef struct item { /* one of the two */
    int order;
    const char *name;
    const est_encrypt *encrypt;
    const est_rule *rule;
} item;

typedef struct items {
    FL_VEC(item) list;
} items;

static int by_order(const void *a, const void *b)
{
    const item *x = a, *y = b;
    return x->order != y->order ? (x->order < y->order ? -1 : 1) : strcmp(x->name, y->name);
}

static items of_phase(emit *m, const est_side *s, est_phase phase)
{
    items all = {0};
    for (size_t i = 0; i < s->encrypts.n; i++) {
        const est_encrypt *x = &s->encrypts.v[i];
        if (phase == (x->payload ? EST_ENCODING : EST_DOMAIN))
            FL_PUSH(m->arena, &all.list, (item){.order = x->order, .name = x->name.s, .encrypt = x});
    }
    for (size_t i = 0; i < s->rules.n; i++) {
        const est_rule *x = &s->rules.v[i];
        if (phase == x->phase)
            FL_PUSH(m->arena, &all.list, (item){.order = x->order, .name = x->name.s, .rule = x});
    }
    if (all.list.n)
        qsort(all.list.v, all.list.n, sizeof *all.list.v, by_order);
    return all;
}

/* ---- rules that encrypt ---- */

static void encrypt_params(fl_jw *w, const est_encrypt *r)
{
    static const char *const algorithms[] = {"AES128_GCM", "AES256_GCM", "AES256_SIV"};
    char days[16];
    fl_jw_object(w);
    fl_jw_kstring(w, "encrypt.dek.algorithm", algorithms[r->algorithm]);
    if (r->rotate_days) {
        snprintf(days, sizeof days, "%d", r->rotate_days);
        fl_jw_kstring(w, "encrypt.dek.expiry.days", days);
    }
    fl_jw_kstring(w, "encrypt.kek.name", r->kek->name.s);
    if (!r->kek->shared) { /* a client that misses a shared KEK would register it unshared */
        fl_jw_kstring(w, "encrypt.kms.key.id", r->kek->key_id.s);
        fl_jw_kstring(w, "encrypt.kms.type", r->kek->kms_type);
    }
    fl_jw_end_object(w);
}

static void tag_list(fl_jw *w, const est_text *tags, size_t n)
{
    if (!n)
        return;
    fl_jw_key(w, "tags");
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++)
        fl_jw_string(w, tags[i].s);
    fl_jw_end_array(w);
}

static void encrypt_rule(fl_jw *w, const est_encrypt *r)
{
    fl_jw_object(w);
    fl_jw_kstring(w, "name", r->name.s);
    fl_jw_kstring(w, "kind", "TRANSFORM");
    fl_jw_kstring(w, "mode", r->write_only ? "WRITE" : "WRITEREAD");
    fl_jw_kstring(w, "type", r->payload ? "ENCRYPT_PAYLOAD" : "ENCRYPT");
    tag_list(w, r->tags.v, r->tags.n);
    fl_jw_key(w, "params");
    encrypt_params(w, r);
    fl_jw_kstring(w, "onFailure", r->write_only ? "ERROR" : r->read_failure_ciphertext ? "ERROR,NONE" : "ERROR,ERROR");
    fl_jw_end_object(w);
}

/* ---- rules that are passed through ---- */

static void optional(fl_jw *w, const char *key, const est_text *t)
{
    if (t->s)
        fl_jw_kstring(w, key, t->s);
}

static void passed_rule(emit *m, fl_jw *w, const est_rule *r)
{
    fl_jw_object(w);
    fl_jw_kstring(w, "name", r->name.s);
    optional(w, "doc", &r->doc);
    fl_jw_kstring(w, "kind", r->kind.s);
    fl_jw_kstring(w, "mode", r->mode.s);
    fl_jw_kstring(w, "type", r->type.s);
    tag_list(w, r->tags.v, r->tags.n);
    if (r->params.n) {
        fl_jw_key(w, "params");
        emit_properties(m, w, r->params.v, r->params.n);
    }
    optional(w, "expr", &r->expr);
    optional(w, "onSuccess", &r->on_success);
    fl_jw_kstring(w, "onFailure", r->on_failure.s);
    if (r->disabled)
        fl_jw_kbool(w, "disabled", true);
    fl_jw_end_object(w);
}

/* ---- the rule set ---- */

static const struct {
    est_phase phase;
    const char *list, *word;
} phases[] = {
    {EST_DOMAIN, "domainRules", "domain"},
    {EST_ENCODING, "encodingRules", "encoding"},
    {EST_MIGRATION, "migrationRules", "migration"},
};

void emit_ruleset(emit *m, fl_jw *w, const est_side *s)
{
    fl_jw_object(w);
    for (size_t p = 0; p < sizeof phases / sizeof *phases; p++) {
        items all = of_phase(m, s, phases[p].phase);
        if (!all.list.n)
            continue;
        fl_jw_key(w, phases[p].list);
        fl_jw_array(w);
        for (size_t i = 0; i < all.list.n; i++)
            if (all.list.v[i].encrypt)
                encrypt_rule(w, all.list.v[i].encrypt);
            else
                passed_rule(m, w, all.list.v[i].rule);
        fl_jw_end_array(w);
    }
    fl_jw_end_object(w);
}

void emit_passed_rules(fl_jw *w, const est_side *s)
{
    fl_jw_array(w);
    for (size_t i = 0; i < s->rules.n; i++) {
        const est_rule *r = &s->rules.v[i];
        fl_jw_object(w);
        fl_jw_kstring(w, "name", r->name.s);
        fl_jw_kstring(w, "phase", phases[r->phase].word);
        fl_jw_kstring(w, "type", r->type.s);
        fl_jw_kbool(w, "runs", !r->disabled);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}
