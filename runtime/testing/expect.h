/* expect.h: the families of expectations. Each: true, or false with *why in the world's arena. A message names record
 * and path; values of encrypted fields are shown as their length. */
#ifndef FLEC_RUNTIME_TESTING_EXPECT_H
#define FLEC_RUNTIME_TESTING_EXPECT_H

#include "runtime/testing/world.h"

bool rt_expect_wire(rt_world *w, const rt_step *s, const char **why);
bool rt_expect_reader(rt_world *w, const rt_step *s, const char **why);
bool rt_expect_no_leak(rt_world *w, const rt_step *s, const char **why);
bool rt_expect_delivered(rt_world *w, const rt_step *s, const char **why);

#endif
