/* parallel.h: one piece of work after the other on all processors.
 *
 * What makes results come out alike on any number of threads is the caller's: each piece has its own arena and its own
 * diagnostics, and they are joined in order of the pieces (fl_arena_adopt, fl_diags_join). */
#ifndef FLEC_BASE_PARALLEL_H
#define FLEC_BASE_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

/* Calls fn for each piece 0 … n-1, in any order and at the same time, and returns when all are done: in `most` threads,
 * this one among them, and no more than there are processors. Where there is one processor, one piece or no thread to
 * be had, in order in this thread. What a piece needs while it is worked on is needed by so many at once. */
void fl_parallel(size_t n, size_t most, void (*fn)(size_t piece, void *ctx), void *ctx);

/* Of `n` things the first and the number of those in a piece, of `pieces` about as large. */
typedef struct fl_piece {
    size_t from, n;
} fl_piece;
fl_piece fl_piece_of(size_t n, size_t pieces, size_t piece);

#endif
