/* properties.h: the lines of a Java-properties text, for config.c alone. */
#ifndef FLEC_RUNTIME_PROPERTIES_H
#define FLEC_RUNTIME_PROPERTIES_H

#include "runtime/error.h"

/* Called once a property, in order. key and value are decoded, end with a NUL and hold none; they are gone after the
 * call. */
typedef void rt_property(const char *key, const char *value, void *ctx);

/* name is for messages. The texts pass through buffers that are wiped. */
rt_code rt_properties_read(const char *name, const char *text, size_t len, rt_property *fn, void *ctx, rt_error *err);

#endif
