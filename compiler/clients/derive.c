/* derive.c: constructs.json out of cases.json: one line a case. */
#include "compiler/clients/derive.h"

#include <stdio.h>

#include "compiler/clients/instance.h"

static void put_set(fl_jw *w, const char *key, const cl_set *s)
{
    fl_jw_key(w, key);
    fl_jw_array(w);
    for (unsigned c = 0; c < CL_NCONSTRUCTS; c++)
        if (cl_has(s, c))
            fl_jw_string(w, cl_construct_rows[c].key);
    fl_jw_end_array(w);
}

static void put_instance(fl_jw *w, const cl_instance *in)
{
    fl_jw_key(w, "leaves");
    fl_jw_array(w);
    for (size_t i = 0; i < in->leaves.n; i++) {
        const cl_leaf *l = &in->leaves.v[i];
        fl_jw_object(w);
        fl_jw_kstring(w, "path", l->path);
        fl_jw_kbool(w, "expected", l->expected);
        put_set(w, "tag", &l->tag);
        put_set(w, "way", &l->way);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
    put_set(w, "record", &in->record);
}

static bool put_case(fl_arena *a, const char *text, const fl_json *kase, fl_buf *out, char message[512])
{
    cl_instance in;
    fl_jw w;
    fl_jw_init(&w, out, false);
    if (!cl_instance_of(a, text, kase, false, &in, message))
        return false;
    fl_jw_object(&w);
    fl_jw_kstring(&w, "name", fl_json_str(kase, "name"));
    put_instance(&w, &in);
    if (fl_json_get(kase, "java_schema")) {
        if (!cl_instance_of(a, text, kase, true, &in, message))
            return false;
        fl_jw_key(&w, "java");
        fl_jw_object(&w);
        put_instance(&w, &in);
        fl_jw_end_object(&w);
    }
    fl_jw_end_object(&w);
    return true;
}

bool cl_derive(fl_arena *a, const char *cases, size_t len, fl_buf *out, char message[512])
{
    fl_json_error err;
    const fl_json *root = fl_json_parse(a, cases, len, 0, &err);
    const fl_json *list = fl_json_get(root, "cases");
    if (!list)
        return snprintf(message, 512, "no list of cases"), false;
    fl_buf_adds(out, "{\n\"made_by\": \"make clients: the constructs of each case in cases.json\",\n\"cases\": [\n");
    for (const fl_json *c = list->child; c; c = c->next) {
        if (!put_case(a, cases, c, out, message))
            return false;
        fl_buf_adds(out, c->next ? ",\n" : "\n");
    }
    fl_buf_adds(out, "]\n}\n");
    return true;
}
