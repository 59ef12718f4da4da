/* catalog.c: `flec catalog`: the connectors that policies may name, and their properties. */
#include <stdio.h>

#include "base/base.h"
#include "cli/io.h"
#include "cli/opt.h"
#include "cli/verbs.h"
#include "compiler/catalog/catalog.h"

static const char *const type_names[] = {"STRING", "BOOLEAN", "SHORT", "INT",     "LONG",
                                         "DOUBLE", "LIST",    "CLASS", "PASSWORD"};

static const char *kind(const cat_connector *c)
{
    return c->source ? "source" : "sink";
}

/* ---- text ---- */

static void list_text(FILE *out)
{
    size_t n;
    const cat_connector *all = cat_connectors(&n);
    fprintf(out, "%-34s %-7s %-8s %-8s %s\n", "type", "kind", "from", "on 8.x", "connector");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%-34s %-7s %-8s %-8s %s\n", all[i].id, kind(&all[i]), all[i].csfle ? all[i].min_version : "never",
                all[i].min_version_cp8 ? all[i].min_version_cp8 : "-", all[i].name);
}

static void texts(fl_jw *w, const char *key, const char *const *v, size_t n)
{
    fl_jw_key(w, key);
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++)
        fl_jw_string(w, v[i]);
    fl_jw_end_array(w);
}

static void constraint_text(const cat_constraint *k, void *out)
{
    fprintf(out, "  - %s\n", k->text);
}

static void constraint_json(const cat_constraint *k, void *w)
{
    static const char *const how[] = {"all", "any", "none"};
    fl_jw_object(w);
    if (k->when)
        fl_jw_kstring(w, "when", k->when);
    texts(w, how[k->how], k->conditions, k->nconditions);
    fl_jw_kstring(w, "text", k->text);
    fl_jw_kstring(w, "source", k->source);
    fl_jw_end_object(w);
}

static void head_text(FILE *out, const cat_connector *c)
{
    fprintf(out, "%s: %s\n\n  class    %s\n  plugin   %s\n  kind     %s\n", c->id, c->name, c->cls, c->plugin, kind(c));
    if (c->csfle)
        fprintf(out, "  version  %s or later; on Platform 8.0 and later %s\n", c->min_version, c->min_version_cp8);
    else
        fprintf(out, "  version  none has field level encryption\n");
    fprintf(out, "  topics   %s\n  formats ", c->topic_from);
    for (size_t i = 0; i < c->nconverters; i++)
        fprintf(out, " %s", c->converters[i]);
    fputs("\n", out);
    for (size_t i = 0; i < c->nnotes; i++)
        fprintf(out, "%s  - %s\n", i ? "" : "\n", c->notes[i]);
    fputs("\nMust hold between its properties:\n", out);
    cat_each_constraint(c, constraint_text, out);
    fputs("\n", out);
}

typedef struct printer {
    FILE *out;
    fl_jw *w;
    const cat_connector *c;
} printer;

static void values_text(FILE *out, const cat_property *p)
{
    for (size_t i = 0; i < p->nvalues; i++)
        fprintf(out, "%s%s", i ? " | " : "    one of ", p->values[i]);
    if (p->nvalues)
        fputs("\n", out);
    if (p->has_min && p->has_max)
        fprintf(out, "    from %.15g to %.15g\n", p->min, p->max);
    else if (p->has_min)
        fprintf(out, "    from %.15g\n", p->min);
    else if (p->has_max)
        fprintf(out, "    up to %.15g\n", p->max);
}

static void shorts_text(FILE *out, const cat_connector *c, const cat_property *p)
{
    const char *names[32];
    size_t n = cat_short_names(c, p->name, names, 32);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s", i ? ", " : "    in short: ", names[i]);
    if (n)
        fputs("\n", out);
}

static bool property_text(const cat_property *p, void *ctx)
{
    printer *x = ctx;
    const char *why = NULL;
    cat_owner owner = cat_property_owner(x->c, p->name, &why);
    if (cat_find_property(x->c, p->name) != p && !p->pattern)
        return true; /* the connector's own entry stands for it */
    fprintf(x->out, "%s  %s", p->name, type_names[p->type]);
    if (p->fallback && *p->fallback)
        fprintf(x->out, "  default %s", p->fallback);
    if (p->required)
        fputs("  required", x->out);
    else if (p->required_if)
        fprintf(x->out, "  required where %s", p->required_if);
    fputs(p->secret ? "  secret\n" : "\n", x->out);
    fprintf(x->out, "    %s\n", p->doc);
    values_text(x->out, p);
    shorts_text(x->out, x->c, p);
    if (owner != CAT_FREE)
        fprintf(x->out, "    Not for `config`: %s.\n", why);
    return true;
}

/* ---- JSON ---- */

static void optional(fl_jw *w, const char *key, const char *value)
{
    if (value)
        fl_jw_kstring(w, key, value);
}

static void head_json(fl_jw *w, const cat_connector *c)
{
    fl_jw_kstring(w, "id", c->id);
    fl_jw_kstring(w, "name", c->name);
    fl_jw_kstring(w, "kind", kind(c));
    fl_jw_kstring(w, "class", c->cls);
    fl_jw_kstring(w, "plugin", c->plugin);
    fl_jw_kbool(w, "csfle", c->csfle);
    optional(w, "minVersion", c->min_version);
    optional(w, "minVersionPlatform8", c->min_version_cp8);
    texts(w, "formats", c->converters, c->nconverters);
}

static void number(fl_jw *w, const char *key, double v)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%.15g", v);
    fl_jw_key(w, key);
    fl_jw_raw(w, text, (size_t)n);
}

static bool property_json(const cat_property *p, void *ctx)
{
    printer *x = ctx;
    if (cat_find_property(x->c, p->name) != p && !p->pattern)
        return true;
    fl_jw_object(x->w);
    fl_jw_kstring(x->w, "name", p->name);
    fl_jw_kstring(x->w, "type", type_names[p->type]);
    fl_jw_kbool(x->w, "required", p->required);
    optional(x->w, "requiredIf", p->required_if);
    fl_jw_kbool(x->w, "secret", p->secret);
    optional(x->w, "default", p->fallback);
    if (p->nvalues)
        texts(x->w, "values", p->values, p->nvalues);
    const char *names[32];
    size_t n = cat_short_names(x->c, p->name, names, 32);
    if (n)
        texts(x->w, "shortNames", names, n);
    if (p->has_min)
        number(x->w, "min", p->min);
    if (p->has_max)
        number(x->w, "max", p->max);
    fl_jw_kbool(x->w, "generated", cat_property_owner(x->c, p->name, NULL) != CAT_FREE);
    fl_jw_kstring(x->w, "doc", p->doc);
    fl_jw_kstring(x->w, "source", p->source);
    fl_jw_end_object(x->w);
    return true;
}

static void list_json(fl_jw *w)
{
    size_t n;
    const cat_connector *all = cat_connectors(&n);
    fl_jw_object(w);
    fl_jw_key(w, "connectors");
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++) {
        fl_jw_object(w);
        head_json(w, &all[i]);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
    fl_jw_end_object(w);
}

static void one_json(fl_jw *w, const cat_connector *c)
{
    printer x = {.w = w, .c = c};
    fl_jw_object(w);
    head_json(w, c);
    fl_jw_kstring(w, "topics", c->topic_from);
    texts(w, "notes", c->notes, c->nnotes);
    texts(w, "docs", c->docs, c->ndocs);
    fl_jw_key(w, "constraints");
    fl_jw_array(w);
    cat_each_constraint(c, constraint_json, w);
    fl_jw_end_array(w);
    fl_jw_key(w, "properties");
    fl_jw_array(w);
    cat_each_property(c, property_json, &x);
    fl_jw_end_array(w);
    fl_jw_end_object(w);
}

/* ---- the command ---- */

static const cat_connector *find(const cli_command *cmd, const char *id)
{
    size_t n;
    const cat_connector *c = cat_find(id), *all = cat_connectors(&n);
    const char *names[64];
    for (size_t i = 0; i < n && i < 64; i++)
        names[i] = all[i].id;
    if (c)
        return c;
    const char *near = fl_nearest(id, names, n < 64 ? n : 64);
    if (near)
        cli_usage(cmd, "the catalogue has no connector `%s`; did you mean `%s`?", id, near);
    else
        cli_usage(cmd, "the catalogue has no connector `%s`; without a name it lists them", id);
    return NULL;
}

static void print_json(const cat_connector *c)
{
    fl_buf out;
    fl_jw w;
    fl_buf_init(&out, 16 << 20);
    fl_jw_init(&w, &out, true);
    if (c)
        one_json(&w, c);
    else
        list_json(&w);
    fl_buf_addc(&out, '\n');
    fwrite(out.p, 1, out.len, stdout);
    fl_buf_free(&out);
}

static void print_text(const cat_connector *c)
{
    printer x = {.out = stdout, .c = c};
    if (!c) {
        list_text(stdout);
        return;
    }
    head_text(stdout, c);
    cat_each_property(c, property_text, &x);
}

int cli_catalog(int argc, char **argv)
{
    int format = CLI_TEXT_FORMAT;
    const cli_opt opts[] = {{"format", 0, CLI_ENUM, cli_formats, NULL, "how to print", &format}, {0}};
    const cli_command cmd = {"catalog", "[CONNECTOR]", "lists the connectors, or the properties of one", opts, 0, 1};
    cli_args args;
    int status = cli_parse(&cmd, argc, argv, &args);
    if (status >= 0)
        return status;
    const cat_connector *c = args.n ? find(&cmd, args.v[0]) : NULL;
    if (args.n && !c)
        return FL_USAGE;
    if (format == CLI_JSON_FORMAT)
        print_json(c);
    else
        print_text(c);
    return cli_finish(FL_OK);
}
