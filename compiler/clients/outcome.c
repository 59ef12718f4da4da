/* outcome.c: reads "clear: a[0].b x (in 8 of 9 JVM starts)" and the like. */
#include "compiler/clients/outcome.h"

#include <string.h>

const char *const cl_column_names[CL_NCOLUMNS] = {"python", "javascript", "go", "go-map", "java", "java-map"};

bool cl_names(const char **list, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(list[i], path))
            return true;
    return false;
}

/* Words up to `;` or the end; what stands in brackets behind a word ("(always)", "(in 8 of 9 JVM starts)") qualifies
 * it. A path may itself hold brackets, but does not begin with one. */
static const char *read_paths(fl_arena *a, const char *p, const char ***list, size_t *n)
{
    FL_VEC(const char *) found = {0};
    while (*p && *p != ';') {
        size_t len = *p == '(' ? strcspn(p, ")") + 1 : strcspn(p, " ;");
        if (*p != '(')
            FL_PUSH(a, &found, fl_strndup(a, p, len));
        p += len;
        p += strspn(p, " ");
    }
    *list = found.v;
    *n = found.n;
    return p;
}

/* "otherwise: a=EXTRA b=MISSING": the record came out as another one, unless all of it is what `wider` has said. */
static void read_otherwise(fl_arena *a, const char *p, cl_outcome *out)
{
    const char **items;
    size_t n;
    read_paths(a, p, &items, &n);
    for (size_t i = 0; i < n; i++) {
        const char *is = strrchr(items[i], '=');
        if (!is || strcmp(is, "=EXTRA") != 0)
            out->fail = CL_DESTROYS;
    }
}

static bool read_readers(const char *p, unsigned *mask)
{
    while (*p) {
        size_t len = strcspn(p, " "), c = 0;
        while (c < CL_NCOLUMNS && (strlen(cl_column_names[c]) != len || strncmp(cl_column_names[c], p, len) != 0))
            c++;
        if (c == CL_NCOLUMNS)
            return false;
        *mask |= 1u << c;
        p += len;
        p += strspn(p, " ");
    }
    return true;
}

static bool after(const char **p, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(*p, prefix, n) != 0)
        return false;
    *p += n;
    return true;
}

bool cl_read_outcome(fl_arena *a, const char *text, bool cross_read, cl_outcome *out)
{
    const char *p = text;
    *out = (cl_outcome){.measured = true};
    if (after(&p, "not measured"))
        return out->measured = false, !*p;
    if (after(&p, "error"))
        return out->fail = CL_ERROR, *p == ':' || *p == ' ';
    if (after(&p, "as expected")) {
        out->branch_names = after(&p, " (values carry branch names)");
        out->read_known = cross_read;
        return after(&p, "; not read by ") ? read_readers(p, &out->not_read) : !*p;
    }
    if (after(&p, "clear: "))
        p = read_paths(a, p, &out->left, &out->nleft);
    else if (after(&p, "wider: "))
        p = read_paths(a, p, &out->wider, &out->nwider);
    if (after(&p, "; otherwise: ") || (p == text && after(&p, "otherwise: "))) {
        read_otherwise(a, p, out);
        p = "";
    }
    return p != text && !*p;
}
