/* map.c: string keys to pointers, over uthash (which keeps insertion order). */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/status.h"

#define uthash_fatal(message) fl_die(FL_COULD_NOT_RUN, "out of memory")
#define uthash_malloc(n)      fl_xmalloc(n)
#include <uthash.h>

typedef struct entry {
    UT_hash_handle hh;
    void *value;
    char key[];
} entry;

struct fl_map {
    entry *entries;
};

fl_map *fl_map_new(void)
{
    return fl_xcalloc(1, sizeof(fl_map));
}

void fl_map_free(fl_map *m)
{
    if (!m)
        return;
    entry *first = m->entries;
    HASH_CLEAR(hh, m->entries);
    for (entry *e = first, *next; e; e = next) {
        next = e->hh.next;
        free(e);
    }
    free(m);
}

static entry *find(const fl_map *m, const char *key)
{
    entry *e;
    HASH_FIND_STR(m->entries, key, e);
    return e;
}

void *fl_map_get(const fl_map *m, const char *key)
{
    const entry *e = find(m, key);
    return e ? e->value : NULL;
}

void *fl_map_put(fl_map *m, const char *key, void *value)
{
    entry *e = find(m, key);
    if (e) {
        void *before = e->value;
        e->value = value;
        return before;
    }
    size_t n = strlen(key) + 1;
    e = fl_xcalloc(1, sizeof *e + n);
    memcpy(e->key, key, n);
    e->value = value;
    HASH_ADD_KEYPTR(hh, m->entries, e->key, n - 1, e);
    return NULL;
}

void *fl_map_del(fl_map *m, const char *key)
{
    entry *e = find(m, key);
    if (!e)
        return NULL;
    void *value = e->value;
    HASH_DEL(m->entries, e);
    free(e);
    return value;
}

size_t fl_map_count(const fl_map *m)
{
    return HASH_COUNT(m->entries);
}

void fl_map_each(const fl_map *m, bool (*fn)(const char *key, void *value, void *ctx), void *ctx)
{
    for (const entry *e = m->entries; e; e = e->hh.next)
        if (!fn(e->key, e->value, ctx))
            return;
}
