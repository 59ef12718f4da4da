/* guard.h: guardrails: what a policy demands of itself (docs/language.md 9). A small typed expression language over the
 * resolved estate of one environment. Everything is bounded by the estate's size times the size of the expression;
 * nothing is allocated for an object that holds. */
#ifndef FLEC_COMPILER_GUARD_H
#define FLEC_COMPILER_GUARD_H

#include "compiler/estate.h"

/* Judges every guardrail of the estate: a condition that makes no sense is reported at its place, once a guardrail, one
 * that does not hold at each object that breaks it. Sets est_guardrail.reached. */
void guard_run(const est_estate *e, fl_diags *diags);

/* `idle-guardrail`: guardrails that no object reached in any of these estates, one for each environment. Says nothing
 * unless every environment of the policy is among them, since a guardrail may be meant for another. Behind guard_run
 * of each. */
void guard_idle(const est_estate *const *all, size_t n, fl_diags *diags);

/* The table of kinds and their properties for docs/language.md. */
void guard_reference(fl_buf *out);

#endif
