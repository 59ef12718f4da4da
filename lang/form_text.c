/* form_text.c: a pattern as people read it, in messages and in the reference. */
#include <ctype.h>
#include <string.h>

#include "lang/pattern.h"

/* How each type is written; NULL: as the slot's own name in capitals. */
static const char *notation(const char *type, size_t n)
{
    static const struct {
        const char *type, *text;
    } table[] = {
        {"NAME", NULL},
        {"LITERAL", NULL},
        {"TAG", "TAG"},
        {"WORD", NULL},
        {"PATH", "PATH"},
        {"VERSION", "VERSION"},
        {"DATE", "DATE"},
        {"INT", "N"},
        {"PRINCIPAL", "TYPE:NAME"},
        {"VALUE", "VALUE"},
        {"SECRET", "SECRET"},
        {"JSON", "JSON"},
        {"DURATION(s)", "SECONDSs"},
        {"DURATION(d)|never", "DAYSd|never"},
        {"EXPR", "EXPR"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strlen(table[i].type) == n && memcmp(table[i].type, type, n) == 0)
            return table[i].text;
    return NULL;
}

static bool quoted(const char *type, size_t n)
{
    return (n == 4 && memcmp(type, "TEXT", 4) == 0) || (n == 5 && memcmp(type, "PLAIN", 5) == 0) ||
           (n == 6 && memcmp(type, "STRING", 6) == 0);
}

/* Is the type an enum, which is written as it is? */
static bool is_enum(const char *type, size_t n)
{
    return memchr(type, '|', n) || islower((unsigned char)type[0]);
}

static void add_slot(fl_buf *b, const lang_element *e)
{
    const char *text = notation(e->type, e->ntype);
    size_t slot = e->nslot - (e->many && e->nslot > 1 && e->slot[e->nslot - 1] == 's');
    if (text) {
        fl_buf_adds(b, text);
    } else if (is_enum(e->type, e->ntype)) {
        for (size_t i = 0; i < e->ntype; i++)
            if (e->type[i] != '!')
                fl_buf_addc(b, e->type[i]);
    } else {
        fl_buf_adds(b, quoted(e->type, e->ntype) ? "\"" : "");
        for (size_t i = 0; i < slot; i++)
            fl_buf_addc(b, (char)toupper((unsigned char)e->slot[i]));
        fl_buf_adds(b, quoted(e->type, e->ntype) ? "\"" : "");
    }
    fl_buf_adds(b, e->many ? ", …" : "");
}

static void add_element(fl_buf *b, const lang_element *e)
{
    switch (e->kind) {
    case LANG_P_SLOT:
        add_slot(b, e);
        break;
    case LANG_P_REST:
        fl_buf_addf(b, "%.*s[, ", (int)e->ntext, e->text);
        add_slot(b, e);
        fl_buf_adds(b, "]");
        break;
    case LANG_P_WORD:
        fl_buf_add(b, e->text, e->ntext);
        break;
    default:
        fl_buf_add(b, e->next - 1, 1);
    }
}

const char *lang_form_text(fl_arena *a, const lang_form *form)
{
    fl_buf b;
    fl_buf_init(&b, 4096);
    bool glue = true; /* no space before the next element */
    for (lang_element e = lang_pattern_next(form->pattern); e.kind != LANG_P_END; e = lang_pattern_next(e.next)) {
        if (!glue && e.kind != LANG_P_CLOSE)
            fl_buf_addc(&b, ' ');
        add_element(&b, &e);
        glue = e.kind == LANG_P_OPEN || e.kind == LANG_P_CHOICE;
    }
    if (form->flags & LANG_F_BLOCK)
        fl_buf_adds(&b, " [{…}]");
    if (form->flags & LANG_F_BLOCK_REQUIRED)
        fl_buf_adds(&b, " {…}");
    const char *text = fl_strndup(a, b.p ? b.p : "", b.len);
    fl_buf_free(&b);
    return text;
}
