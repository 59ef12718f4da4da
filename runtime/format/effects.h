/* effects.h: which rules meet which field, and what compiling says where they cannot do their work. Shared by the
 * compilers of all formats; not for the rest of runtime/. */
#ifndef FLEC_RUNTIME_EFFECTS_H
#define FLEC_RUNTIME_EFFECTS_H

#include "runtime/format/format.h"

typedef struct rt_effects {
    fl_arena *a;
    const rt_compile *in;
    FL_VEC(rt_chain) chains; /* of the program */
    rt_error *err;
} rt_effects;

typedef struct rt_effect { /* what the rules do to the values of one field */
    const char *path;
    int chain;           /* rules that run, -1: none */
    bool all_pass;       /* each of them passes failures on */
    const rt_rule *rule; /* the first of them */
    const rt_rule *idle; /* a rule that hits and does not run, or NULL */
} rt_effect;

/* Does the rule meet the field at hand? The format knows its names and its tags. */
typedef bool (*rt_hits)(void *ctx, const rt_rule *r);

/* Collects the rules that meet the field. Reading undoes them in reverse. */
rt_code rt_effect_find(rt_effects *f, const char *path, rt_hits hits, void *ctx, rt_effect *e);

/* RT_REFUSED: subject, field, rule and why. */
rt_code rt_effect_refuse(rt_effects *f, const rt_effect *e, const rt_rule *r, const char *why);

/* Sealing: refuses a field that a rule meets which does not run, where no other seals it: it would be written in clear.
 */
rt_code rt_effect_check_idle(rt_effects *f, const rt_effect *e);

/* A value that no rule can encrypt, of a type in words, stands where the effect's rules should seal. Clients fail on it
 * when they write, and pass it when they read: *fails where the record fails when it occurs (all failures pass), else
 * refused. */
rt_code rt_effect_not_encryptable(rt_effects *f, const rt_effect *e, const char *kind, bool *fails);

/* A rule by tag meets a field that holds records (objects, messages): clients read that differently (docs/wire.md 6),
 * so it is refused. */
rt_code rt_effect_on_record(rt_effects *f, const rt_effect *e);

#endif
