/* personal_match.c: names of fields against the list of words that look personal. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/personal.h"

#define MAX_WORDS 12 /* of a name; a longer one is judged by its first ones */
#define MAX_NAME  96 /* bytes of a name that are looked at */
#define MAX_ENTRY 64 /* bytes of an entry without its spaces */

struct chk_personal {
    fl_map *entries; /* without spaces, to the text of `what` */
    size_t longest;
    size_t lead[256]; /* entries that begin with this byte: most names are settled by that alone */
};

/* ---- the list ---- */

/* Lower case, without spaces; false if it is empty, too long, or has other signs than letters and digits. */
static bool fold(const char *text, size_t n, char out[MAX_ENTRY + 1])
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == ' ' || c == '_' || c == '-')
            continue;
        c = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!fits || k == MAX_ENTRY)
            return false;
        out[k++] = c;
    }
    out[k] = '\0';
    return k > 0;
}

static void add(chk_personal *p, const char *entry, const char *what)
{
    size_t n = strlen(entry);
    if (fl_map_put(p->entries, entry, (void *)what))
        return;
    p->longest = n > p->longest ? n : p->longest;
    p->lead[(unsigned char)entry[0]]++;
}

static bool add_line(chk_personal *p, const char *line, size_t n)
{
    char entry[MAX_ENTRY + 1];
    const char *comment = memchr(line, '#', n);
    n = comment ? (size_t)(comment - line) : n;
    while (n && strchr(" \t\r", line[n - 1]))
        n--;
    while (n && strchr(" \t", *line))
        line++, n--;
    if (!n)
        return true;
    bool out = *line == '!';
    if (!fold(line + out, n - out, entry))
        return false;
    if (out)
        fl_map_del(p->entries, entry);
    else
        add(p, entry, "something that your list calls personal");
    return true;
}

chk_personal *chk_personal_new(const char *extra, size_t *bad_line)
{
    chk_personal *p = fl_xcalloc(1, sizeof *p);
    char entry[MAX_ENTRY + 1];
    size_t line = 1;
    p->entries = fl_map_new();
    for (size_t i = 0; i < chk_personal_nwords; i++)
        if (fold(chk_personal_words[i].words, strlen(chk_personal_words[i].words), entry))
            add(p, entry, chk_personal_words[i].what);
    for (const char *at = extra; at && *at; line++) {
        size_t n = strcspn(at, "\n");
        if (!add_line(p, at, n)) {
            *bad_line = line;
            chk_personal_free(p);
            return NULL;
        }
        at += n + (at[n] == '\n');
    }
    return p;
}

void chk_personal_free(chk_personal *p)
{
    if (!p)
        return;
    fl_map_free(p->entries);
    free(p);
}

/* ---- names ---- */

/* A name as its words, one behind the other in `text`, each beginning at start[i]; start[n] is the end. */
typedef struct words {
    char text[MAX_NAME + 1];
    size_t start[MAX_WORDS + 1], n;
} words;

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Does a word begin at s[i]? Behind a separator, between letters and digits, at a capital behind a small letter, and at
 * the last capital of a run that a small letter follows (`IBANNumber`). */
static bool begins(const char *s, size_t i)
{
    if (i == 0 || !(is_lower(s[i - 1]) || is_upper(s[i - 1])))
        return true;
    if (is_digit(s[i]) != is_digit(s[i - 1]))
        return true;
    return is_upper(s[i]) && (is_lower(s[i - 1]) || (s[i + 1] >= 'a' && s[i + 1] <= 'z'));
}

/* Accents off: U+00C0 to U+00FF, the letters of Western Europe, by the second byte of their UTF-8; "?": no letter.
 * Other letters are passed over. */
static void plain(const char *name, char out[MAX_NAME + 1])
{
    static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOO?OUUUUYTsaaaaaaaceeeeiiiidnooooo?ouuuuyty";
    size_t k = 0;
    for (size_t i = 0; name[i] && k < MAX_NAME; i++) {
        unsigned char next = (unsigned char)name[i + 1];
        bool accent = (unsigned char)name[i] == 0xC3 && next >= 0x80 && next <= 0xBF;
        out[k++] = accent ? latin[next - 0x80] : name[i];
        if (accent && next == 0x9F && k < MAX_NAME)
            out[k++] = 's';
        i += accent;
    }
    out[k] = '\0';
}

static void split(const char *given, words *w)
{
    char name[MAX_NAME + 1];
    size_t k = 0;
    w->n = 0;
    plain(given, name);
    for (size_t i = 0; name[i]; i++) {
        if (!is_lower(name[i]) && !is_upper(name[i]))
            continue;
        if (begins(name, i)) {
            if (w->n == MAX_WORDS)
                break;
            w->start[w->n++] = k;
        }
        w->text[k++] = (char)(is_upper(name[i]) ? name[i] + 32 : name[i]);
    }
    w->text[k] = '\0';
    w->start[w->n] = k;
}

/* An entry, as it is or with a plural s. */
static const char *lookup(const chk_personal *p, const char *text, size_t n)
{
    char key[MAX_ENTRY + 1];
    if (!n || n > p->longest + 1)
        return NULL;
    memcpy(key, text, n);
    key[n] = '\0';
    const char *what = fl_map_get(p->entries, key);
    if (what || n < 4 || key[n - 1] != 's')
        return what;
    key[n - 1] = '\0';
    return fl_map_get(p->entries, key);
}

const char *chk_personal_name(const chk_personal *p, const char *name)
{
    words w;
    split(name, &w);
    for (size_t from = 0; from < w.n; from++) {
        if (!p->lead[(unsigned char)w.text[w.start[from]]])
            continue;
        for (size_t to = w.n; to > from; to--) {
            const char *what = lookup(p, w.text + w.start[from], w.start[to] - w.start[from]);
            if (what)
                return what;
        }
    }
    return NULL;
}

const char *chk_personal_format(const char *format)
{
    for (size_t i = 0; format && i < chk_personal_nformats; i++)
        if (!strcmp(format, chk_personal_formats[i].words))
            return chk_personal_formats[i].what;
    return NULL;
}
