/* json_schema_fuzz.c: any text as a JSON Schema, a second behind a line of `---` as the schema it refers to under the
 * name `other.json`. What is read must make a tree that can be walked, matched and edited; what isn't must say why. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/schema.h"
#include "tests/fuzz/must.h"

static bool any_matches(const char *const *keys, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (sch_key_matches(keys[i], name))
            return true;
    return false;
}

/* The path of a leaf selects it, the way leads to it, and its keys match all names that clients have for it. */
static void use_leaf(fl_arena *a, const sch_schema *s, const sch_hit *h)
{
    const char *keys[SCH_MAX_KEYS], *names[SCH_MAX_KEYS];
    const sch_step *steps;
    sch_hits again;
    char message[160];
    size_t nkeys = sch_match_keys(s, h, a, keys), nnames = sch_client_names(s, h, a, names);
    for (size_t i = 0; nkeys && i < nnames; i++)
        MUST(any_matches(keys, nkeys, names[i]));
    MUST(sch_way(s, a, h, &steps) > 0 || !*h->path);
    if (!h->field || strstr(h->path, "\"\"") || strlen(h->path) > 1000)
        return; /* an empty name has no spelling */
    MUST(sch_select(s, a, h->path, &again, message) == SCH_PATH_OK || strstr(message, "steps"));
    bool found = again.truncated || *message;
    for (size_t i = 0; i < again.n && !found; i++)
        found = again.v[i].field == h->field && again.v[i].type == h->type;
    MUST(found);
}

/* A tag that is written is read again. */
static void use_tag(fl_arena *a, const sch_schema *s, const sch_hit *h, const sch_ref *refs, size_t nrefs)
{
    static const char *tags[] = {"T"};
    const sch_edit edit = {h->field, tags, 1};
    fl_buf out;
    sch_error err;
    if (!h->field || sch_is_foreign(h->field))
        return;
    fl_buf_init(&out, 64 << 20);
    sch_write_tags(s, &edit, 1, &out);
    MUST(!out.full && out.len >= s->len);
    MUST(sch_json_parse(a, "again.json", out.p, out.len, refs, nrefs, &err));
    fl_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena *a = fl_arena_new();
    const char *text = fl_strndup(a, (const char *)data, size), *cut = strstr(text, "\n---\n");
    size_t len = cut ? (size_t)(cut - text) : size, nrefs = cut != NULL;
    const sch_ref ref = {"other.json", cut ? cut + 5 : "", cut ? strlen(cut + 5) : 0};
    sch_error err = {0};
    const sch_schema *s = sch_json_parse(a, "fuzz.json", text, len, &ref, nrefs, &err);
    MUST(s || *err.message);
    MUST(err.offset <= size);
    sch_hits leaves = {0};
    if (s)
        sch_leaves(s, a, &leaves);
    for (size_t i = 0; i < leaves.n && i < 20; i++) {
        use_leaf(a, s, &leaves.v[i]);
        use_tag(a, s, &leaves.v[i], &ref, nrefs);
    }
    fl_arena_free(a);
    return 0;
}
