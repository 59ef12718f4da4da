/* properties.c: lines as java.util.Properties reads them: ISO 8859-1 with escapes (its class comment, method load). */
#include <string.h>

#include "compiler/emit/emit.h"

static void unit(fl_buf *out, unsigned u)
{
    fl_buf_addf(out, "\\u%04X", u);
}

static void code_point(fl_buf *out, uint32_t cp)
{
    if (cp < 0x10000) {
        unit(out, cp);
        return;
    }
    unit(out, 0xD800 + ((cp - 0x10000) >> 10));
    unit(out, 0xDC00 + ((cp - 0x10000) & 0x3FF));
}

/* A space ends a name, and is skipped before a value. */
static void escaped(fl_buf *out, const char *s, bool name)
{
    bool leading = true;
    while (*s) {
        uint32_t cp;
        s += fl_utf8_next(s, &cp);
        if (cp == ' ' && (name || leading))
            fl_buf_adds(out, "\\ ");
        else if (cp < 0x80 && strchr("\\:=#!", (int)cp))
            fl_buf_addf(out, "\\%c", (char)cp);
        else if (cp < 0x20 || cp > 0x7e)
            code_point(out, cp);
        else
            fl_buf_addc(out, (char)cp);
        leading = leading && cp == ' ';
    }
}

void emit_java_properties(const emit_line *lines, size_t n, fl_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        escaped(out, lines[i].name, true);
        fl_buf_addc(out, '=');
        escaped(out, lines[i].value, false);
        fl_buf_addc(out, '\n');
    }
}
