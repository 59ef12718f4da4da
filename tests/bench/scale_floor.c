/* scale_floor.c: the least that a check of an estate must do: scans its policy files and parses each schema file with
 * jansson, nothing else. usage: scale_floor FOLDER */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "lang/syntax.h"

#define MAX (16u << 20)

static size_t scan(fl_arena *a, const char *path)
{
    char *text;
    size_t n;
    fl_diags diags;
    lang_reader r = {.a = a, .tree = a, .scratch = a, .diags = &diags};
    fl_diags_init(&diags, a);
    if (fl_read_regular(a, path, MAX, &text, &n))
        return 0;
    lang_read_text(&r, path, text, n);
    lang_scan(&r);
    return r.raw.n;
}

static size_t parse(fl_arena *a, const char *path)
{
    char *text;
    size_t n;
    if (fl_read_regular(a, path, MAX, &text, &n))
        return 0;
    json_t *json = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    size_t members = json_object_size(json);
    json_decref(json);
    return members;
}

int main(int argc, char **argv)
{
    char **paths;
    size_t n, tokens = 0, members = 0, files = 0;
    fl_arena *list = fl_arena_new();
    for (int kind = 0; argc == 2 && kind < 2; kind++) {
        if (fl_find_files(list, argv[1], kind ? ".avsc" : ".flec", &paths, &n))
            return 4;
        for (size_t i = 0; i < n; i++, files++) {
            fl_arena *a = fl_arena_new();
            if (kind)
                members += parse(a, paths[i]);
            else
                tokens += scan(a, paths[i]);
            fl_arena_free(a);
        }
    }
    printf("%zu files, %zu tokens, %zu members\n", files, tokens, members);
    fl_arena_free(list);
    return files && tokens && members ? 0 : 4;
}
