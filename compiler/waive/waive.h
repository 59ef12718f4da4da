/* waive.h: waivers: `allow CHECK on THING because "…"` takes a finding out of the report (docs/language.md 10).
 *
 * One thing, no pattern: a waiver covers what a diagnostic is about (fl_diag.about) exactly. On a whole topic it covers
 * findings about the value as a whole, or about the topic; with `key` those about the key as a whole; never those about
 * single fields, which are named by `field PATH`. So a finding about a field that is added next year is seen. */
#ifndef FLEC_COMPILER_WAIVE_H
#define FLEC_COMPILER_WAIVE_H

#include "compiler/estate.h"

/* Reports waivers that are wrong in themselves, or past their day (`expired-waiver`), and marks them
 * (est_waiver.refused). */
void waive_judge(est_estate *e, fl_diags *diags);

/* Behind waive_judge and all checks and guardrails of one environment: moves what the waivers name from the list of
 * diagnostics to fl_diags.waived, and marks those that did (est_waiver.used). */
void waive_apply(est_estate *e, fl_diags *diags);

/* `unused-waiver`: those that silence nothing in any of these estates, one for each environment. A waiver of the top
 * level is judged only if every environment of the policy is among them, since it may be meant for another. */
void waive_unused(const est_estate *const *all, size_t n, fl_diags *diags);

/* How many waivers have silenced something. */
size_t waive_in_force(const fl_diags *diags);

#endif
