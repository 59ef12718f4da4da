/* build_dir.h: a build directory as it lies: its MANIFEST, and which files are no longer as they were built. */
#ifndef FLEC_RUNTIME_TESTING_BUILD_DIR_H
#define FLEC_RUNTIME_TESTING_BUILD_DIR_H

#include "runtime/error.h"

typedef struct rt_build_dir {
    const char *dir;
    const fl_json *manifest;
    FL_VEC(const char *) edited; /* changed or missing, in order of path */
} rt_build_dir;

/* Does a path that a file of the build names stay inside the directory, as text? */
bool rt_build_inside(const char *path);

/* RT_IO: unreadable. RT_BAD_INPUT: no MANIFEST of flec, a newer one, one that lists paths outside. RT_REFUSED: a
 * partial build. */
rt_code rt_build_dir_open(fl_arena *a, const char *dir, rt_build_dir *out, rt_error *err);

#endif
