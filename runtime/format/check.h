/* check.h: a record that is checked and not copied: where a payload rule seals the whole body, and no rule a field. */
#ifndef FLEC_RUNTIME_CHECK_H
#define FLEC_RUNTIME_CHECK_H

#include "runtime/format/format.h"

/* No rule meets a field of the program: what is walked comes out as it went in. */
static inline bool rt_program_keeps_all(const rt_program *p)
{
    return !p->chains && !p->rewrites;
}

/* RT_BAD_INPUT: in is not one value of the program's schema. For programs that keep all. */
rt_code rt_walk_check(rt_walk *w, const rt_program *p, const uint8_t *in, size_t n, rt_error *err);

#endif
