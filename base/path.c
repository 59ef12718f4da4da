/* path.c: finding files, and paths as text. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

#define MAX_DEPTH 64
#define NAME_ROOM 200 /* of 255 bytes that file systems allow, less an ending and a temporary one */

/* ---- files below a folder ---- */

typedef struct finder {
    fl_arena *a;
    const char *suffix;
    FL_VEC(char *) found;
} finder;

static bool ends_in(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n > m && !strcmp(s + n - m, suffix);
}

static int find_below(finder *f, const char *dir, unsigned depth)
{
    if (depth > MAX_DEPTH)
        return ELOOP;
    DIR *d = opendir(dir);
    int e = 0;
    if (!d)
        return errno;
    for (struct dirent *entry; !e && (entry = readdir(d));) {
        struct stat st, target;
        if (entry->d_name[0] == '.' || fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
            continue;
        char *path = fl_printf(f->a, "%s/%s", dir, entry->d_name);
        bool link_to_file = S_ISLNK(st.st_mode) && !stat(path, &target) && S_ISREG(target.st_mode);
        if (S_ISDIR(st.st_mode))
            e = find_below(f, path, depth + 1);
        else if ((S_ISREG(st.st_mode) || link_to_file) && ends_in(entry->d_name, f->suffix))
            FL_PUSH(f->a, &f->found, path);
    }
    closedir(d);
    return e;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int fl_find_files(fl_arena *a, const char *dir, const char *suffix, char ***paths, size_t *n)
{
    finder f = {.a = a, .suffix = suffix};
    char *start = fl_strdup(a, dir);
    for (size_t len = strlen(start); len > 1 && start[len - 1] == '/';)
        start[--len] = 0;
    int e = find_below(&f, start, 0);
    if (!e && f.found.n)
        qsort(f.found.v, f.found.n, sizeof(char *), by_name);
    for (size_t i = 0; i < f.found.n && !strcmp(start, "."); i++)
        f.found.v[i] += 2; /* ./a.flec is a.flec */
    *paths = f.found.v;
    *n = f.found.n;
    return e;
}

/* ---- paths ---- */

char *fl_path_dir(fl_arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return !slash ? fl_strdup(a, ".") : slash == path ? fl_strdup(a, "/") : fl_strndup(a, path, (size_t)(slash - path));
}

/* Appends one step to out, whose `..` are taken off where something stands before them. */
static size_t step(char *out, size_t n, const char *s, size_t len, size_t root)
{
    if (len == 0 || (len == 1 && s[0] == '.'))
        return n;
    if (len == 2 && s[0] == '.' && s[1] == '.') {
        size_t cut = n;
        while (cut > root && out[cut - 1] != '/')
            cut--;
        bool up = n - cut == 2 && out[cut] == '.' && out[cut + 1] == '.';
        if (n > root && !up)
            return cut > root ? cut - 1 : cut;
        if (n == root && root)
            return n; /* above the root is the root */
    }
    if (n > root)
        out[n++] = '/';
    memcpy(out + n, s, len);
    return n + len;
}

char *fl_path_join(fl_arena *a, const char *base, const char *rel)
{
    char *both = rel[0] == '/' ? fl_strdup(a, rel) : fl_printf(a, "%s/%s", base, rel);
    char *out = fl_alloc(a, strlen(both) + 2);
    size_t root = both[0] == '/', n = root;
    if (root)
        out[0] = '/';
    for (const char *s = both; *s;) {
        size_t len = strcspn(s, "/");
        n = step(out, n, s, len, root);
        s += len + (s[len] == '/');
    }
    if (n == 0)
        out[n++] = '.';
    out[n] = 0;
    return out;
}

static bool plain(const char *name, size_t i)
{
    unsigned char c = (unsigned char)name[i];
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    return word || (c == '.' && i > 0 && name[i + 1]);
}

char *fl_file_name(fl_arena *a, const char *name)
{
    char *out = fl_alloc(a, strlen(name) * 3 + 1), *p = out;
    for (size_t i = 0; name[i]; i++) {
        if (plain(name, i)) {
            *p++ = name[i];
        } else {
            *p++ = '%';
            *p++ = "0123456789ABCDEF"[(unsigned char)name[i] >> 4];
            *p++ = "0123456789ABCDEF"[(unsigned char)name[i] & 15];
        }
    }
    if ((size_t)(p - out) <= NAME_ROOM)
        return out;
    char digest[65];
    size_t cut = NAME_ROOM - 17;
    while (cut > NAME_ROOM - 20 && (out[cut - 1] == '%' || out[cut - 2] == '%'))
        cut--;
    fl_sha256_hex(digest, name, strlen(name));
    return fl_printf(a, "%.*s-%.16s", (int)cut, out, digest);
}
