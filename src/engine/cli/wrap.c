/* SPDX-License-Identifier: GPL-2.0-or-later
 * Text for terminals: see wrap.h. */
#include "engine/cli/wrap.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

size_t wrap_width(void)
{
    struct winsize w;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

/* How much of a line of n bytes stands on the first row; a word that is too long for any row is not cut. */
static size_t row_of(const char *line, size_t n, size_t room)
{
    size_t end = 0;
    for (size_t i = 1; i < n; i++)
        if (line[i] == ' ' && line[i - 1] != ' ' && (end == 0 || i <= room))
            end = i;
    return n <= room || end == 0 ? n : end;
}

static void print_line(FILE *f, const char *line, size_t n, size_t width, size_t deeper)
{
    size_t indent = strspn(line, " ");
    indent = indent < n ? indent : 0;
    fprintf(f, "%*s", (int)indent, "");
    line += indent;
    n -= indent;
    for (size_t margin = indent;; margin = indent + deeper) {
        size_t row = width > margin ? row_of(line, n, width - margin) : n;
        fprintf(f, "%.*s\n", (int)row, line);
        row += strspn(line + row, " ");
        if (row >= n)
            return;
        line += row;
        n -= row;
        fprintf(f, "%*s", (int)(indent + deeper), "");
    }
}

void wrap_print(FILE *f, const char *text, size_t width, size_t deeper)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        print_line(f, text, n, width, deeper);
        text += n + (text[n] == '\n');
    }
}
