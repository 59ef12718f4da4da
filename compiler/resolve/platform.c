/* platform.c: where the estate runs. */
#include <string.h>

#include "compiler/resolve/resolve.h"

static void registry(res *r, est_platform *p, const lang_block *b)
{
    const lang_stmt *s = lang_find(b, "platform.registry"), *auth;
    p->registry_url = res_slot(r, s, "url");
    auth = lang_find(s->block, "registry.auth");
    if (auth) {
        p->registry_auth_type = res_slot(r, auth, "kind");
        p->registry_auth = res_prop(r, (est_text){"auth", auth->head.span}, lang_get1(auth, "secret"));
    }
    RES_SET(p->registry_config, res_properties(r, res_block(s->block, "registry.config")));
}

static void converter(res *r, est_platform *p, const lang_stmt *s)
{
    static const struct {
        const char *name;
        est_format format;
    } known[] = {{"avro", EST_AVRO},
                 {"json", EST_JSON},
                 {"protobuf", EST_PROTOBUF},
                 {"string", EST_STRING},
                 {"bytes", EST_BYTES}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(s->head.name.text, known[i].name)) {
            p->converter[known[i].format] = res_slot(r, s, "class");
            return;
        }
}

static void providers(res *r, est_platform *p, const lang_block *b)
{
    const lang_stmt *s = lang_find(b, "platform.providers");
    const lang_list *list = s ? lang_get(s, "providers") : NULL;
    p->providers_stated = s != NULL;
    RES_SET(p->providers, res_list(r, list, res_text_of));
    for (size_t i = 0; list && i < list->n; i++)
        if (!res_text_of(r, &list->items[i]).s)
            p->providers_stated = false; /* one cannot be told, so none can be called missing */
}

static void ids(res *r, est_platform *p, const lang_block *b)
{
    for (size_t i = 0; b && i < b->n; i++) {
        const lang_stmt *s = b->stmts[i];
        const char *name = s->head.name.text;
        est_text value = res_text_of(r, s->value);
        if (!strcmp(name, "environment"))
            p->id_environment = value;
        else if (!strcmp(name, "registry"))
            p->id_registry = value;
        else if (!strcmp(name, "kafka"))
            p->id_kafka = value;
        else
            p->id_connect = value;
    }
}

static bool states(res *r, const lang_block *b, const char *form, const char *slot, const char *value)
{
    est_text t = res_stated(r, b, form, slot);
    return t.s && !strcmp(t.s, value);
}

static void fill(res *r, est_platform *p, const lang_stmt *s)
{
    const lang_block *b = s->block, *converters = res_block(b, "platform.converters");
    p->at = res_at(s);
    p->cloud = !strcmp(res_slot(r, s, "where").s, "cloud");
    p->workers = res_stated(r, b, "platform.workers", "version");
    registry(r, p, b);
    p->kafka = res_stated(r, b, "platform.kafka", "bootstrap");
    RES_SET(p->kafka_config, res_properties(r, res_block(res_block(b, "platform.kafka"), "kafka.config")));
    for (size_t i = 0; converters && i < converters->n; i++)
        converter(r, p, converters->stmts[i]);
    providers(r, p, b);
    p->kms_documented = !states(r, b, "platform.kms-parameters", "kms-parameters", "prefixed");
    p->kms_prefixed = !states(r, b, "platform.kms-parameters", "kms-parameters", "documented");
    p->grants_least = states(r, b, "platform.grants", "grants", "least");
    ids(r, p, res_block(b, "platform.ids"));
}

static void one(res *r, const lang_stmt *s)
{
    est_platform *p = &r->e->platform;
    if (r->e->has_platform) {
        fl_diag *d = res_error(r, "duplicate-name", res_at(s), "there are two platforms");
        fl_diag_again(r->diags, d, p->at);
        return;
    }
    r->e->has_platform = true;
    fill(r, p, res_overlay_platform(r, s));
}

void res_platform(res *r)
{
    res_each(r, "top.platform", one);
    if (r->e->has_platform)
        return;
    fl_diag *d = res_error(r, "syntax", (fl_span){r->e->files.v[0]->source, 0, 0}, "the estate has no `platform`");
    fl_diag_help(r->diags, d,
                 "`platform cloud { … }` or `platform onprem { … }` says where it runs, in one file of the estate; was "
                 "that file given?");
}
