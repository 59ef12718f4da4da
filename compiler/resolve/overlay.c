/* overlay.c: defaults and environments: the block of a thing as it counts, statement by statement, later wins:
 * `defaults KIND`, `defaults KIND TYPE`, the block itself, the environment (docs/language.md 6).
 *
 * Where nothing is said elsewhere, the block is the one that is written. Else it is a new one, whose statements from
 * elsewhere are copies that know where they come from (copy.c). */
#include <string.h>

#include "compiler/catalog/catalog.h"
#include "compiler/resolve/resolve.h"
#include "lang/forms.h"

/* What stands around one block: from where, and in which words a message says so. */
typedef struct layer {
    const lang_block *block;
    const char *why; /* NULL: the block itself, which is not copied */
    fl_span at;      /* of the origin */
    const res_row *what;
} layer;

typedef struct stmts {
    lang_stmt **v;
    size_t n, cap;
} stmts;

static void merge(res *r, stmts *into, const layer *l, lang_bkind kind);

/* ---- one statement onto others ---- */

/* Blocks of names, and blocks that hold more than one thing to say: they are merged. All others are replaced. */
static bool merges(const lang_stmt *s)
{
    lang_bkind k = s->form->child;
    return k == LANG_CONFIG || k == LANG_IDS || k == LANG_CONVERTERS || k == LANG_PROPERTIES || k == LANG_REGISTRY ||
           k == LANG_KAFKA;
}

static bool free_names(lang_bkind k)
{
    return k == LANG_CONFIG || k == LANG_IDS || k == LANG_CONVERTERS || k == LANG_PROPERTIES;
}

static bool is_unset(const lang_stmt *s)
{
    return lang_is(s, "overlay.unset") || lang_is(s, "config.unset");
}

/* Does the later statement take the place of the earlier one? `refresh 5s` is about both sides, `refresh key 5s` about
 * one. */
static bool replaces(const lang_stmt *later, const lang_stmt *earlier)
{
    if (lang_is(later, "kek.shared") || lang_is(later, "kek.private"))
        return lang_is(earlier, "kek.shared") || lang_is(earlier, "kek.private");
    if (strcmp(later->form->id, earlier->form->id))
        return false;
    if (!lang_is(later, "connector.refresh"))
        return true;
    const lang_value *a = lang_get1(later, "side"), *b = lang_get1(earlier, "side");
    return !a || (b && !strcmp(a->name.text, b->name.text));
}

static lang_stmt *with_block(res *r, const lang_stmt *s, const stmts *inner, lang_bkind kind)
{
    lang_stmt *out = FL_NEW(r->a, lang_stmt);
    lang_block *b = FL_NEW(r->a, lang_block);
    fl_span end = s->span;
    end.from = end.to;
    *out = *s;
    if (s->block)
        *b = *s->block;
    else
        *b = (lang_block){.open = end, .close = end};
    b->kind = kind;
    b->stmts = inner->v;
    b->n = inner->n;
    out->block = b;
    return out;
}

/* The later statement with a block that has both of theirs. */
static lang_stmt *merged(res *r, const lang_stmt *earlier, const lang_stmt *later)
{
    stmts inner = {0};
    lang_bkind kind = later->form->child;
    if (earlier && earlier->block)
        merge(r, &inner, &(layer){.block = earlier->block}, kind);
    if (later->block)
        merge(r, &inner, &(layer){.block = later->block}, kind);
    return with_block(r, later, &inner, kind);
}

/* Takes away what the statement replaces. Its place is taken by the later one, at the end: order has a meaning for
 * `refresh` alone. Returns the last of them. */
static const lang_stmt *take_away(stmts *all, const lang_stmt *later)
{
    const lang_stmt *last = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (replaces(later, all->v[i]))
            last = all->v[i];
        else
            all->v[kept++] = all->v[i];
    }
    all->n = kept;
    return last;
}

/* ---- unset ---- */

static void not_set(res *r, const lang_value *name)
{
    fl_diag *d =
        res_error(r, "unknown-name", name->span, "`%s` is not inherited, so nothing can take it away", name->name.text);
    fl_diag_help(r->diags, d, "take the line out");
}

/* `unset NAME` in a block of statements. */
static void unset_stmt(res *r, stmts *all, const lang_stmt *s)
{
    const lang_value *name = lang_get1(s, "name");
    size_t kept = 0, gone = 0;
    for (size_t i = 0; i < all->n; i++) {
        bool named = !strcmp(all->v[i]->head.name.text, name->name.text) && !all->v[i]->value;
        bool required = named && all->v[i]->form->flags & (LANG_F_REQUIRED | LANG_F_ONE_OF);
        gone += named;
        if (!named || required)
            all->v[kept++] = all->v[i];
        if (!required)
            continue;
        fl_diag *d =
            res_error(r, "syntax", name->span, "`%s` is required, so nothing can take it away", name->name.text);
        fl_diag_relate(r->diags, d, res_at(all->v[i]), "stated here");
        fl_diag_help(r->diags, d, "state another one in its place");
    }
    all->n = kept;
    if (!gone)
        not_set(r, name);
}

/* ---- blocks ---- */

/* In a block of names every statement has a name of its own. A name that is taken away leaves NULL behind. */
static void merge_names(res *r, stmts *into, const layer *l)
{
    fl_map *at = fl_map_new();
    size_t kept = 0;
    for (size_t i = 0; i < into->n; i++)
        fl_map_put(at, into->v[i]->head.name.text, &into->v[i]);
    stmts added = {0};
    for (size_t i = 0; i < l->block->n; i++) {
        lang_stmt *s = l->block->stmts[i];
        bool unset = is_unset(s);
        const lang_value *name = unset ? lang_get1(s, "name") : NULL;
        lang_stmt **old = fl_map_get(at, unset ? name->name.text : s->head.name.text);
        if (unset && (!old || !*old))
            not_set(r, name);
        else if (unset || old)
            *old = unset ? NULL : s;
        else
            FL_PUSH(r->a, &added, s);
    }
    fl_map_free(at);
    for (size_t i = 0; i < into->n; i++)
        if (into->v[i])
            into->v[kept++] = into->v[i];
    into->n = kept;
    for (size_t i = 0; i < added.n; i++)
        FL_PUSH(r->a, into, added.v[i]);
}

static void merge(res *r, stmts *into, const layer *l, lang_bkind kind)
{
    if (free_names(kind)) {
        merge_names(r, into, l);
        return;
    }
    for (size_t i = 0; i < l->block->n; i++) {
        lang_stmt *s = l->block->stmts[i];
        if (is_unset(s)) {
            unset_stmt(r, into, s);
        } else if (s->form->flags & LANG_F_REPEAT) {
            FL_PUSH(r->a, into, s);
        } else {
            const lang_stmt *old = take_away(into, s);
            FL_PUSH(r->a, into, merges(s) ? merged(r, old, s) : s);
        }
    }
}

static const lang_block *from_elsewhere(res *r, const layer *l)
{
    if (!l->why || !l->block->n)
        return l->block;
    const fl_source *src = l->block->open.src;
    res_copy c = {r->a, fl_source_because_of(r->a, src, l->at, l->why, l->what), NULL};
    return res_copy_block(&c, l->block);
}

/* The statement with a block of all layers, in order. */
static lang_stmt *layered(res *r, const lang_stmt *s, const layer *layers, size_t n, lang_bkind kind)
{
    stmts all = {0};
    for (size_t i = 0; i < n; i++) {
        if (!layers[i].block)
            continue;
        layer l = layers[i];
        l.block = from_elsewhere(r, &l);
        merge(r, &all, &l, kind);
    }
    return with_block(r, s, &all, kind);
}

/* ---- defaults ---- */

typedef struct defaults {
    const lang_stmt *connector, *topic, *value, *encrypt;
    fl_map *types; /* of connectors */
} defaults;

static void second_default(res *r, const lang_stmt *s, const lang_stmt *first)
{
    fl_diag *d =
        res_error(r, "duplicate-name", res_at(s), "there are two `defaults %s%s%s`", lang_get1(s, "kind")->name.text,
                  lang_get1(s, "type") ? " " : "", lang_get1(s, "type") ? lang_get1(s, "type")->name.text : "");
    fl_diag_again(r->diags, d, res_at(first));
    fl_diag_help(r->diags, d, "put all of it into one block");
}

static void default_of_type(res *r, defaults *d, const lang_stmt *s)
{
    est_text type = res_slot(r, s, "type");
    if (!type.s)
        return;
    if (!cat_find(type.s))
        res_unknown_type(r, type);
    const lang_stmt *first = fl_map_get(d->types, type.s);
    if (first)
        second_default(r, s, first);
    else
        fl_map_put(d->types, type.s, (void *)s);
}

static void default_of_kind(res *r, defaults *d, const lang_stmt *s)
{
    const char *kind = lang_get1(s, "kind")->name.text;
    const lang_stmt **place = !strcmp(kind, "connector") ? &d->connector
                              : !strcmp(kind, "topic")   ? &d->topic
                              : !strcmp(kind, "value")   ? &d->value
                                                         : &d->encrypt;
    if (lang_get1(s, "type"))
        default_of_type(r, d, s);
    else if (*place)
        second_default(r, s, *place);
    else
        *place = s;
}

static defaults find_defaults(res *r)
{
    defaults d = {.types = fl_map_new()};
    for (size_t i = 0; i < r->top.n; i++)
        if (lang_is(r->top.v[i], "top.defaults"))
            default_of_kind(r, &d, r->top.v[i]);
    return d;
}

typedef enum { OF_CONNECTOR, OF_TOPIC, OF_VALUE, OF_KEY, OF_ENCRYPT } default_of;

/* thing: the connector, the topic; at: what the default went to. */
static layer default_layer(res *r, const lang_stmt *s, default_of of, const lang_stmt *thing, fl_span at)
{
    static const char *const things[] = {"connector", "topic"}, *const words[] = {
                                                                    "connector ", "topic ", "the value of topic ",
                                                                    "the key of topic ", "`encrypt` in topic "};
    if (!s)
        return (layer){0};
    res_row *what = FL_NEW(r->a, res_row);
    *what = (res_row){
        .names = &things[of != OF_CONNECTOR], .n = 1, .texts = FL_NEW_N(r->a, const char *, 1), .is_default = true};
    const lang_name *name = &lang_get1(thing, "name")->name;
    what->texts[0] = est_expand(r->e, name);
    what->label = fl_printf(r->a, "%s%s", words[of], res_shown(r, name));
    return (layer){s->block, fl_printf(r->a, "a default of %s", what->label), at, what};
}

/* ---- topics ---- */

static lang_stmt *encrypt_with_defaults(res *r, const defaults *d, const lang_stmt *s, const lang_stmt *topic)
{
    layer layers[2] = {default_layer(r, d->encrypt, OF_ENCRYPT, topic, res_at(s)), {.block = s->block}};
    return layered(r, s, layers, 2, LANG_ENCRYPT);
}

static bool is_encrypt(const lang_stmt *s)
{
    return lang_is(s, "side.encrypt") || lang_is(s, "side.encrypt-payload");
}

/* A primitive has no schema, so nothing that is inherited would mean anything. */
static const lang_stmt *side_with_defaults(res *r, const defaults *d, const lang_stmt *s, const lang_stmt *topic)
{
    bool key = lang_is(s, "topic.key");
    if (res_format_of(lang_get1(s, "format")->name.text) > EST_PROTOBUF || (!d->value && !d->encrypt))
        return s;
    layer layers[2] = {default_layer(r, d->value, key ? OF_KEY : OF_VALUE, topic, res_at(s)), {.block = s->block}};
    lang_stmt *out = layered(r, s, layers, 2, LANG_SIDE);
    for (size_t i = 0; d->encrypt && i < out->block->n; i++)
        if (is_encrypt(out->block->stmts[i]))
            out->block->stmts[i] = encrypt_with_defaults(r, d, out->block->stmts[i], topic);
    return out;
}

static void topic_with_defaults(res *r, const defaults *d, res_decl *topic)
{
    if (!d->topic && !d->value && !d->encrypt)
        return;
    layer layers[2] = {default_layer(r, d->topic, OF_TOPIC, topic->stmt, res_at(topic->stmt)),
                       {.block = topic->stmt->block}};
    lang_stmt *out = layered(r, topic->stmt, layers, 2, LANG_TOPIC);
    for (size_t i = 0; i < out->block->n; i++) {
        const lang_stmt *s = out->block->stmts[i];
        if (lang_is(s, "topic.key") || lang_is(s, "topic.value"))
            out->block->stmts[i] = (lang_stmt *)side_with_defaults(r, d, s, topic->stmt);
    }
    topic->stmt = out;
}

/* ---- connectors ---- */

static void connector_with_defaults(res *r, const defaults *d, res_decl *c)
{
    const char *type = res_slot(r, c->stmt, "type").s;
    const lang_stmt *typed = type ? fl_map_get(d->types, type) : NULL;
    fl_span at = res_at(c->stmt);
    layer layers[3] = {default_layer(r, d->connector, OF_CONNECTOR, c->stmt, at),
                       default_layer(r, typed, OF_CONNECTOR, c->stmt, at),
                       {.block = c->stmt->block}};
    if (d->connector || typed)
        c->stmt = layered(r, c->stmt, layers, 3, LANG_CONNECTOR);
}

/* ---- environments ---- */

static layer overlay_layer(res *r, const lang_stmt *s)
{
    const lang_value *name = lang_get1(r->environment, "name");
    return (layer){s->block, fl_printf(r->a, "in environment %s", name->name.text), res_at(r->environment), NULL};
}

/* The thing that an environment's statement is about. */
static res_decl *overlaid(res *r, const lang_stmt *s, res_kind kind, const char *word)
{
    est_text name = res_slot(r, s, "name");
    res_decl *d = name.s ? res_declared(r, kind, name.s) : NULL;
    if (name.s && !d && !r->unnamed[kind]) {
        struct res_names names = res_names(r, kind);
        res_unknown(r, name.at, word, name.s, names.v, names.n);
        fl_diag *diag = r->diags->list.v[r->diags->list.n - 1];
        if (!diag->help)
            fl_diag_help(r->diags, diag, "an environment says what differs in a thing that is declared outside of it");
    }
    return d;
}

/* A key of another KMS without a word on who holds its credentials would be used with those of the first. */
static bool same_kms(res *r, const lang_stmt *base, const lang_stmt *s)
{
    const lang_stmt *was = lang_find(base->block, "kek.kms"), *is = lang_find(s->block, "kek.kms");
    if (!was || !is || lang_find(s->block, "kek.shared") || lang_find(s->block, "kek.private"))
        return true;
    const char *from = lang_get1(was, "type")->name.text, *to = lang_get1(is, "type")->name.text;
    if (!strcmp(from, to))
        return true;
    fl_diag *d =
        res_error(r, "syntax", res_at(is), "a key of `%s` instead of `%s` must say `shared` or `private`", to, from);
    fl_diag_relate(r->diags, d, res_at(was), "outside of the environment");
    fl_diag_help(r->diags, d, "credentials of one KMS are never taken to another: write `shared` or `private` here");
    return false;
}

static bool same_type(res *r, const lang_stmt *base, const lang_stmt *s)
{
    est_text was = res_slot(r, base, "type"), is = res_slot(r, s, "type");
    if (!was.s || !is.s || !strcmp(was.s, is.s))
        return true;
    fl_diag *d = res_error(r, "overlay-refused", is.at, "an environment cannot make a connector of type `%s` a `%s`",
                           was.s, is.s);
    fl_diag_relate(r->diags, d, was.at, "its type");
    fl_diag_help(r->diags, d, "write `%s` here, or declare another connector", was.s);
    return false;
}

/* The version may differ. */
static void set_version(res *r, lang_stmt *out, const lang_stmt *base, const lang_stmt *s, const char *why)
{
    const lang_list *old = lang_get(base, "version");
    size_t n = lang_slots(base->form);
    res_copy c = {r->a, fl_source_because(r->a, s->span.src, res_at(r->environment), why), NULL};
    const lang_list *version = lang_get(res_copy_stmt(&c, s), "version"),
                    **slots = FL_NEW_N(r->a, const lang_list *, n);
    for (size_t i = 0; i < n; i++)
        slots[i] = base->slots[i] == old ? version : base->slots[i];
    out->slots = slots;
}

static void overlay_thing(res *r, const lang_stmt *s, res_kind kind, const char *word, lang_bkind block, fl_map *seen)
{
    res_decl *d = overlaid(r, s, kind, word);
    if (!d)
        return;
    const char *id = fl_printf(r->a, "%s %s", word, d->name.s);
    const lang_stmt *first = fl_map_get(seen, id), *base = d->stmt;
    if (first) {
        fl_diag *diag = res_error(r, "duplicate-name", res_at(s), "this environment says twice what differs in %s `%s`",
                                  word, d->name.s);
        fl_diag_again(r->diags, diag, res_at(first));
        return;
    }
    fl_map_put(seen, id, (void *)s);
    layer layers[2] = {{.block = base->block}, overlay_layer(r, s)};
    if ((kind == RES_KEK && !same_kms(r, base, s)) || (kind == RES_CONNECTOR && !same_type(r, base, s)))
        return;
    lang_stmt *out = layered(r, base, layers, 2, block);
    if (kind == RES_CONNECTOR)
        set_version(r, out, base, s, layers[1].why);
    d->stmt = out;
}

static void environment(res *r)
{
    fl_map *seen = fl_map_new();
    for (size_t i = 0; i < r->environment->block->n; i++) {
        const lang_stmt *s = r->environment->block->stmts[i];
        if (lang_is(s, "environment.kek"))
            overlay_thing(r, s, RES_KEK, "KEK", LANG_KEK, seen);
        else if (lang_is(s, "environment.connector"))
            overlay_thing(r, s, RES_CONNECTOR, "connector", LANG_CONNECTOR, seen);
        else if (lang_is(s, "environment.topic"))
            overlay_thing(r, s, RES_TOPIC, "topic", LANG_TOPIC, seen);
    }
    fl_map_free(seen);
}

const lang_stmt *res_overlay_platform(res *r, const lang_stmt *s)
{
    const lang_stmt *o = r->environment ? lang_find(r->environment->block, "environment.platform") : NULL;
    if (!o)
        return s;
    layer layers[2] = {{.block = s->block}, overlay_layer(r, o)};
    return layered(r, s, layers, 2, LANG_PLATFORM);
}

void res_overlay(res *r)
{
    defaults d = find_defaults(r);
    for (size_t i = 0; i < r->kinds[RES_TOPIC].n; i++)
        topic_with_defaults(r, &d, &r->kinds[RES_TOPIC].v[i]);
    for (size_t i = 0; i < r->kinds[RES_CONNECTOR].n; i++)
        connector_with_defaults(r, &d, &r->kinds[RES_CONNECTOR].v[i]);
    fl_map_free(d.types);
    if (r->environment && r->environment->block)
        environment(r);
}
