/* runtime.h: all that others use of runtime/: the engine that executes a build directory. */
#ifndef FLEC_RUNTIME_H
#define FLEC_RUNTIME_H

#include "runtime/config.h"      /* settings, references to secrets */
#include "runtime/engine.h"      /* codecs: records in, records out */
#include "runtime/keys.h"        /* data keys of one client */
#include "runtime/plan.h"        /* plan.json */
#include "runtime/records.h"     /* streams of records */
#include "runtime/registry.h"    /* the seam of the registry, the embedded one */
#include "runtime/testing/run.h" /* tests of a policy */
#include "runtime/topic.h"       /* topics: memory, Kafka */

#endif
