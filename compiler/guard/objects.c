/* objects.c: finding rows of the table of kinds; objects, what holds them, what they are called. */
#include <string.h>

#include "compiler/guard/model.h"

static const guard_property *find_in(const guard_property *v, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(v[i].name, name))
            return &v[i];
    return NULL;
}

const guard_property *guard_find_property(guard_kind k, const char *name)
{
    const guard_property *p = find_in(guard_kinds[k].properties, guard_kinds[k].nproperties, name);
    return p ? p : find_in(guard_common, guard_ncommon, name);
}

const guard_list *guard_find_list(guard_kind k, const char *name)
{
    for (size_t i = 0; i < guard_kinds[k].nlists; i++)
        if (!strcmp(guard_kinds[k].lists[i].name, name))
            return &guard_kinds[k].lists[i];
    return NULL;
}

bool guard_find_kind(const char *name, size_t n, guard_kind *out)
{
    for (guard_kind k = GUARD_TOPIC; k < GUARD_KINDS; k++)
        if (strlen(guard_kinds[k].name) == n && !strncmp(guard_kinds[k].name, name, n)) {
            *out = k;
            return true;
        }
    return false;
}

/* ---- what holds an object ---- */

static bool in_a_side(guard_kind k)
{
    return k == GUARD_FIELD || k == GUARD_ENCRYPTION;
}

bool guard_holds(guard_kind inner, guard_kind outer)
{
    return inner == outer || (outer == GUARD_SIDE && in_a_side(inner)) ||
           (outer == GUARD_TOPIC && (inner == GUARD_SIDE || in_a_side(inner)));
}

guard_object guard_holder(const guard_object *o, guard_kind outer)
{
    if (o->kind == outer)
        return *o;
    if (outer == GUARD_SIDE)
        return (guard_object){GUARD_SIDE, o->side, o->side};
    return (guard_object){.kind = GUARD_TOPIC, .is = o->side->topic};
}

/* ---- words and places ---- */

void guard_title(const guard_object *o, fl_buf *out)
{
    if (o->side)
        fl_buf_addf(out, "topic %s, %s", o->side->topic->name.s, est_side_name(o->side));
    switch (o->kind) {
    case GUARD_TOPIC:
        fl_buf_addf(out, "topic %s", ((const est_topic *)o->is)->name.s);
        break;
    case GUARD_FIELD:
        fl_buf_addf(out, ", field %s", ((const est_leaf *)o->is)->hit.path);
        break;
    case GUARD_ENCRYPTION:
        fl_buf_addf(out, ", encryption %s", ((const est_encrypt *)o->is)->name.s);
        break;
    case GUARD_KEK:
        fl_buf_addf(out, "kek %s", ((const est_kek *)o->is)->name.s);
        break;
    case GUARD_CONNECTOR:
        fl_buf_addf(out, "connector %s", ((const est_connector *)o->is)->name.s);
        break;
    case GUARD_PRINCIPAL:
        fl_buf_addf(out, "principal %s", ((const guard_principal *)o->is)->full);
        break;
    default: /* of a side all is said */
        break;
    }
}

fl_span guard_place(const guard_object *o)
{
    const est_leaf *l = o->is;
    switch (o->kind) {
    case GUARD_TOPIC:
        return ((const est_topic *)o->is)->at;
    case GUARD_FIELD:
        return l->line ? l->line->at : o->side->at;
    case GUARD_ENCRYPTION:
        return ((const est_encrypt *)o->is)->at;
    case GUARD_KEK:
        return ((const est_kek *)o->is)->at;
    case GUARD_CONNECTOR:
        return ((const est_connector *)o->is)->at;
    case GUARD_PRINCIPAL:
        return ((const guard_principal *)o->is)->at;
    default:
        return o->side->at;
    }
}
