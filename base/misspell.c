/* misspell.c: which known word was meant. */
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define LONGEST 128 /* letters; longer words are near only when equal */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Optimal string alignment: insert, delete, replace, exchange of neighbours, each 1. Three rows are enough. */
unsigned fl_distance(const char *a, const char *b, unsigned max)
{
    size_t la = strlen(a), lb = strlen(b);
    if (strcmp(a, b) == 0)
        return 0;
    if (la > LONGEST || lb > LONGEST || (la > lb ? la - lb : lb - la) > max)
        return max + 1;
    unsigned rows[3][LONGEST + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= lb; j++)
        last[j] = (unsigned)j;
    memset(before, 0, sizeof rows[0]);
    for (size_t i = 1; i <= la; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[lb] <= max ? last[lb] : max + 1;
}

const char *fl_nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t len = strlen(word);
    unsigned allowed = len <= 4 ? 1 : len <= 8 ? 2 : 3;
    if (allowed >= len) /* one letter: everything would be near */
        allowed = 0;
    const char *best = NULL;
    unsigned least = allowed + 1;
    for (size_t i = 0; i < n && least > 0; i++) {
        unsigned d = strcasecmp(word, candidates[i]) == 0 ? 0 : fl_distance(word, candidates[i], allowed);
        if (d < least) {
            least = d;
            best = candidates[i];
        }
    }
    return best;
}
