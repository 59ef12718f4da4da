/* link.h: what a client of a registry takes from its settings, in the vendor clients' names: the same for the program
 * and for the C library. */
#ifndef FLEC_RUNTIME_LINK_H
#define FLEC_RUNTIME_LINK_H

#include "runtime/config.h"
#include "runtime/plan.h"
#include "runtime/registry.h"

/* A setting of a rule's executor: rule.executors._default_.param.NAME, or NAME alone. NULL: neither, or no settings. */
const char *rt_link_setting(const rt_config *c, const char *name);

/* The vendor's cache.expiry.secs: -1 is for ever; *out stays as it is where nothing is said. */
rt_code rt_link_expiry(const rt_config *c, int64_t *out, rt_error *err);

/* Where the registry is: what was given, settings, environment, plan: the first that says. NULL: nobody. Not resolved
 * yet. config and plan may be NULL. */
const char *rt_link_registry(const char *given, const rt_config *c, const rt_plan *plan);

typedef struct rt_link {
    fl_secret url;         /* resolved */
    bool remote;           /* it is asked over HTTP */
    bool passing;          /* refused since it is mem:, which ends with the process, and its keys with it */
    rt_registry *registry; /* takes several threads */
} rt_link;

/* text may have references. Registers nothing. opt may be NULL. What was opened is for the caller to close
 * (rt_link_close), after a failure as well; *out is all zero before. */
rt_code rt_link_open(const char *text, const rt_config *c, const rt_plan *plan, const rt_registry_options *opt,
                     rt_link *out, rt_error *err);
void rt_link_close(rt_link *link);

/* The file in which encryptions are counted: as the settings have it, else beside an embedded registry; NULL: none. */
const char *rt_link_seals_file(fl_arena *a, const rt_config *c, const rt_link *link);

#endif
