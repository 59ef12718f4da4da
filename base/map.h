/* map.h: names to pointers, over uthash. Keys are copied; values are the caller's. Iteration is in insertion order. */
#ifndef FLEC_BASE_MAP_H
#define FLEC_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct fl_map fl_map;

fl_map *fl_map_new(void);
void fl_map_free(fl_map *m); /* NULL is allowed; values are not freed */
void *fl_map_get(const fl_map *m, const char *key);
/* Returns the value that stood under the key before, or NULL. */
void *fl_map_put(fl_map *m, const char *key, void *value);
void *fl_map_del(fl_map *m, const char *key); /* returns what was taken out */
size_t fl_map_count(const fl_map *m);
/* Calls fn for each pair until it returns false. The map must not change meanwhile. */
void fl_map_each(const fl_map *m, bool (*fn)(const char *key, void *value, void *ctx), void *ctx);

#endif
