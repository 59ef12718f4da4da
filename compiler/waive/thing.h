/* thing.h: internal to waive/: the things that waivers and diagnostics speak of. */
#ifndef FLEC_COMPILER_WAIVE_THING_H
#define FLEC_COMPILER_WAIVE_THING_H

#include "compiler/waive/waive.h"

fl_thing waive_thing(const est_waiver *w);
/* CHECK and thing as one text, in the arena: equal texts, equal things. */
const char *waive_key(fl_arena *a, const char *check, const fl_thing *t);
/* As a policy writes it: topic crm.customers key field ssn. */
const char *waive_thing_text(fl_arena *a, const fl_thing *t);
/* Is there such a thing? Else it is reported; *guesses counts the near misses looked for, so that a long list of wrong
 * waivers costs no more than a few. */
bool waive_thing_exists(const est_estate *e, const est_waiver *w, unsigned *guesses, fl_diags *diags);

#endif
