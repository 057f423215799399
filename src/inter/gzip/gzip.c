/* SPDX-License-Identifier: GPL-2.0-or-later
 * GZIP and GUNZIP: gzip format on one side, the plain stream on the other. Two transforms over
 * zlib, deflater and inflater; which of them is which direction's is all the addresses differ in.
 */
#include "inter/gzip/gzip.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "inter/gzip/opts_gzip.h"

enum { MOST_THREADS = 64 };

static const char *const flush_names[] = {"idle", "always", "never"};

unsigned gzip_portion(size_t n)
{
    return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

static int flush_policy(const struct addr *a, enum gzip_flush *policy, struct err *e)
{
    const char *name = opt_string(a, &opt_flush, "idle");

    for (unsigned i = 0; i < sizeof flush_names / sizeof flush_names[0]; i++)
        if (name && strcmp(name, flush_names[i]) == 0) {
            *policy = (enum gzip_flush)i;
            return 0;
        }
    return err_at(e, opt_find(a, &opt_flush)->at, "flush \"%s\" is not one of idle, always, never",
                  name != NULL ? name : "");
}

/* 0 if the option is not there, or within 0 and most. */
static int in_range(const struct addr *a, const struct option_desc *row, const char *what, int most,
                    struct err *e)
{
    const struct opt *o = opt_find(a, row);

    if (!o || (o->v.i >= 0 && o->v.i <= most))
        return 0;
    return err_at(e, o->at, "%s %lld is not a number from 0 to %d", what, o->v.i, most);
}

static unsigned processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (unsigned)n;
}

int gzip_settings(const struct addr *a, struct gzip_settings *s, struct err *e)
{
    if (in_range(a, &opt_level, "compression level", 9, e) < 0 ||
        in_range(a, &opt_threads, "number of threads", MOST_THREADS, e) < 0 ||
        flush_policy(a, &s->flush, e) < 0)
        return -1;
    s->level = (int)opt_int(a, &opt_level, Z_DEFAULT_COMPRESSION);
    s->threads = (unsigned)opt_int(a, &opt_threads, 1);
    if (s->threads == 0)
        s->threads = processors();
    return 0;
}

static int gzip_check(const struct addr *a, struct err *e)
{
    struct gzip_settings s;

    return gzip_settings(a, &s, e);
}

static const struct codec_pair gzip_pair = {.encode = &gzip_deflater, .decode = &gzip_inflater};
static const struct codec_pair gunzip_pair = {.encode = &gzip_inflater, .decode = &gzip_deflater};

extern const struct form forms_gzip[];
const struct form forms_gzip[] = {
    {
        .keyword = "GZIP",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_gzip,
        .help = "compresses from left to right, expands on the way back (gzip format)",
        .check = gzip_check,
        .heavy = true,
        .kind = FORM_CODEC,
        .ops.codec = &gzip_pair,
    },
    {
        .keyword = "GUNZIP",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_gzip,
        .help = "expands from left to right, compresses on the way back (gzip format)",
        .check = gzip_check,
        .heavy = true,
        .kind = FORM_CODEC,
        .ops.codec = &gunzip_pair,
    },
    {0},
};
