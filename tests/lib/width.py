#!/usr/bin/env python3
"""width.py: writes base/width_ranges.h: the code points that take no column, and two. From the Unicode tables of this Python.

No column: marks that do not advance (Mn, Me), format characters (Cf) but the soft hyphen, and the vowels and finals that Hangul stacks
(U+1160-11FF). Two: East Asian Wide and Fullwidth. usage: width.py > base/width_ranges.h"""
import sys, unicodedata


def none(c):
    return (unicodedata.category(chr(c)) in ("Mn", "Me", "Cf") and c != 0xAD) or 0x1160 <= c <= 0x11FF


def two(c):
    return unicodedata.east_asian_width(chr(c)) in "WF" and not none(c)


def ranges(test):
    start = None
    for c in range(0x300, sys.maxunicode + 2):
        inside = c <= sys.maxunicode and test(c)
        if inside and start is None:
            start = c
        elif not inside and start is not None:
            yield start, c - 1
            start = None


def table(name, test):
    cells = [f"{{0x{a:04X}, 0x{b:04X}}}," for a, b in ranges(test)]
    lines = [" ".join(cells[i : i + 5]) for i in range(0, len(cells), 5)]
    return f"static const width_range {name}[] = {{\n" + "".join(f"    {l}\n" for l in lines) + "};\n"


print(f"""/* width_ranges.h: code points that take no column of a terminal, and two, in order. Made by tests/lib/width.py from
 * Unicode {unicodedata.unidata_version}. */
#ifndef FLEC_BASE_WIDTH_RANGES_H
#define FLEC_BASE_WIDTH_RANGES_H

#include <stdint.h>

typedef struct width_range {{
    uint32_t from, to;
}} width_range;

/* clang-format off */
{table("width_none", none)}
{table("width_two", two)}/* clang-format on */

#endif""")
