/* reference.c: the table of kinds and properties as a table of docs/language.md. */
#include <string.h>

#include "compiler/guard/model.h"

static const char *type_word(guard_type t)
{
    static const char *const all[] = {"bool", "text", "number", "duration", "date", "version", "set of text", "secret"};
    return all[t];
}

static void put_words(fl_buf *out, const guard_property *p, const guard_world *w)
{
    size_t n;
    const char *const *words = p->words(w, &n);
    for (size_t i = 0; i < n; i++)
        fl_buf_addf(out, "%s`\"%s\"`", i ? " " : ": ", words[i]);
}

static void put_properties(fl_buf *out, const guard_property *v, size_t n, const guard_world *w)
{
    for (size_t i = 0; i < n; i++) {
        fl_buf_addf(out, "%s`%s` %s", i ? ", " : "", v[i].name, type_word(v[i].type));
        if (v[i].words)
            put_words(out, &v[i], w);
    }
}

void guard_reference(fl_buf *out)
{
    est_estate nothing = {.arena = fl_arena_new()}; /* words that the policy declares are none */
    guard_world w = {.e = &nothing, .a = nothing.arena};
    fl_buf_adds(out, "| kind | properties | lists |\n|---|---|---|\n| all | ");
    put_properties(out, guard_common, guard_ncommon, &w);
    fl_buf_adds(out, " | |\n");
    for (guard_kind k = GUARD_TOPIC; k < GUARD_KINDS; k++) {
        fl_buf_addf(out, "| `%s` | ", guard_kinds[k].name);
        put_properties(out, guard_kinds[k].properties, guard_kinds[k].nproperties, &w);
        fl_buf_adds(out, k == GUARD_CONNECTOR ? ", `config[\"NAME\"]` as the catalogue has it | " : " | ");
        for (size_t i = 0; i < guard_kinds[k].nlists; i++)
            fl_buf_addf(out, "%s`%s` (%s)", i ? ", " : "", guard_kinds[k].lists[i].name,
                        guard_kinds[guard_kinds[k].lists[i].item].plural);
        fl_buf_adds(out, " |\n");
    }
    fl_arena_free(nothing.arena);
}
