/* registry_answers.h: what a registry answers over HTTP, from JSON to the structures of the seam. Each function refuses
 * (RT_IO) what is not of the form, or not what was asked for. All memory in the arena, but for key material. */
#ifndef FLEC_RUNTIME_REGISTRY_ANSWERS_H
#define FLEC_RUNTIME_REGISTRY_ANSWERS_H

#include "runtime/registry.h"

/* A schema with what goes with it. subject NULL, version 0, id 0: the answer need not say; it is not believed where it
 * contradicts what is set in *out beforehand. */
rt_code rt_answer_subject(fl_arena *a, const fl_json *j, rt_subject *out, rt_error *err);
rt_code rt_answer_kek(fl_arena *a, const fl_json *j, const char *name, rt_kek *out, rt_error *err);
/* out: kek, subject, alg as they were asked for; version 0: any. */
rt_code rt_answer_dek(fl_arena *a, const fl_json *j, rt_dek *out, rt_error *err);
/* Of a list of {"subject","version"}: that of the hint, else the first. false: it has none. */
bool rt_answer_use(const fl_json *list, const char *hint, const char **subject, int *version);

#endif
