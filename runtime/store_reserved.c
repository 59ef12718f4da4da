/* store_reserved.c: `validateFields` of a config: names that the metadata's `confluent:reserved` lists, separated by
 * commas, may be no top-level field's, and stay in the list of later versions (confluentinc/schema-registry,
 * AbstractSchemaRegistry.validateReservedFields). Judged at every level, NONE as well. */
#include <string.h>

#include "runtime/canon.h"
#include "runtime/store.h"
#include "schema/proto.h"

#define RESERVED "confluent:reserved"

static void list_reserved(fl_arena *a, const rt_subject *s, rt_strings *out)
{
    rt_metadata *m;
    rt_error ignored;
    const char *list = NULL;
    if (!s || !s->metadata || !strstr(s->metadata, RESERVED) ||
        rt_canon_metadata(a, s->metadata, &m, &ignored) != RT_OK)
        return;
    for (size_t i = 0; i < m->properties.n; i++)
        if (!strcmp(m->properties.v[i].key, RESERVED))
            list = m->properties.v[i].value;
    while (list && *list) {
        size_t n = strcspn(list, ","), from = strspn(list, " \t\r\n"), to = n;
        while (to > from && strchr(" \t\r\n", list[to - 1]))
            to--;
        if (from < to)
            FL_PUSH(a, out, fl_strndup(a, list + from, to - from));
        list += n + (list[n] == ',');
    }
}

/* A list may be as long as a request: each name is looked for at once. */
static fl_map *names_of(const rt_strings *list)
{
    fl_map *names = fl_map_new();
    for (size_t i = 0; i < list->n; i++)
        fl_map_put(names, list->v[i], (void *)list->v[i]);
    return names;
}

static void conflict(fl_arena *a, const fl_map *reserved, const char *field, rt_strings *problems)
{
    if (fl_map_get(reserved, field))
        FL_PUSH(a, problems, fl_printf(a, "the field %s is reserved (%s)", field, RESERVED));
}

/* Of Protobuf the fields of all messages of the file. */
static void conflicts(fl_arena *a, const sch_schema *schema, const fl_map *reserved, rt_strings *problems)
{
    const proto_file *file = schema->proto ? schema->proto->file : NULL;
    for (size_t i = 0; file && i < file->nmessages; i++)
        for (size_t k = 0; k < file->messages[i].nfields; k++)
            conflict(a, reserved, file->messages[i].fields[k].name, problems);
    for (size_t i = 0; !file && i < schema->root->nfields; i++)
        conflict(a, reserved, schema->root->fields[i].name, problems);
}

rt_code rt_store_reserved(const rt_store *st, fl_arena *a, const rt_subject *s, const rt_subject *before,
                          rt_strings *problems, rt_error *err)
{
    rt_strings now = {0}, was = {0};
    rt_subject copy = *s;
    sch_schema *schema = NULL;
    list_reserved(a, s, &now);
    list_reserved(a, before, &was);
    fl_map *names = names_of(&now);
    for (size_t i = 0; i < was.n; i++)
        if (!fl_map_get(names, was.v[i]))
            FL_PUSH(a, problems, fl_printf(a, "%s is no longer reserved (%s)", was.v[i], RESERVED));
    rt_code code = now.n ? rt_store_judge(st, a, &copy, false, &schema, err) : RT_OK;
    if (code == RT_OK && schema)
        conflicts(a, schema, names, problems);
    fl_map_free(names);
    return code;
}
