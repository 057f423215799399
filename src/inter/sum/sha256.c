/* SPDX-License-Identifier: GPL-2.0-or-later
 * SHA256: lets everything pass as it is, and tells at the end what its sum is, or compares it. A flow that
 * does not come to its end has no sum. */
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/run.h"
#include "catena/sink.h"
#include "inter/libraries/libraries.h"
#include "inter/sum/opts_sum.h"
#include "inter/tap/opts_tap.h"

enum { BYTES = 32, DIGITS = 2 * BYTES };

static const struct {
    const char *name;
    bool to_right, to_left;
} directions[] = {{"both", true, true}, {"right", true, false}, {"left", false, true}};
enum { NDIRECTIONS = sizeof directions / sizeof directions[0] };

/* Its number among those, or -1. */
static int direction(const struct addr *a, struct err *e)
{
    const char *name = opt_string(a, &opt_direction, directions[0].name);
    for (int i = 0; i < NDIRECTIONS && name; i++)
        if (strcmp(directions[i].name, name) == 0)
            return i;
    return err_at(e, opt_find(a, &opt_direction)->at, "direction \"%s\" is none of both, right, left",
                  name ? name : "");
}

static int sum_check(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_expect);
    int way = direction(a, e);
    if (way < 0)
        return -1;
    if (a->nparams > 0 && !*a->params[0])
        return err_at(e, a->at, "the name of a file is missing: sha256:<file>, or sha256 alone for standard error");
    if (!o)
        return 0;
    if (!o->v.s || strlen(o->v.s) != DIGITS || o->v.s[strspn(o->v.s, "0123456789abcdefABCDEF")])
        return err_at(e, o->at, "expect \"%s\" is no sum of %d hexadecimal digits", o->v.s ? o->v.s : "", DIGITS);
    if (way == 0 && a->left == CTX_B)
        return err_at(e, o->at, "there is a sum for each direction: expect needs direction=right or direction=left");
    return 0;
}

struct sum {
    EVP_MD_CTX *md;
    const struct addr *addr;
    struct run *run;
    struct sink sink;
    const char *expect;
    bool to_right;
    bool looks, done; /* this flow has a sum; it has been told */
};

static int sum_init(void *st, const struct addr *a, struct err *e)
{
    struct sum *s = st;
    s->sink = SINK_NONE;
    s->addr = a;
    s->expect = opt_string(a, &opt_expect, NULL);
    if (libraries_load_crypto(e) < 0)
        return -1;
    s->md = EVP_MD_CTX_new();
    if (!s->md || !EVP_DigestInit_ex(s->md, EVP_sha256(), NULL))
        return err_nomem(e);
    return 0;
}

static int sum_start(void *st, const struct codec_place *where, struct err *e)
{
    struct sum *s = st;
    int way = direction(where->addr, e);
    const char *file = where->addr->nparams > 0 ? where->addr->params[0] : NULL;
    s->run = where->run;
    s->addr = where->addr;
    s->to_right = where->to_right;
    s->looks = way >= 0 && (s->to_right ? directions[way].to_right : directions[way].to_left);
    if (!s->looks || (s->expect && !file))
        return 0;
    return sink_open(&s->sink, s->run, "file for sums", file, e) < 0 ? err_points_at(e, where->addr->param_at[0]) : 0;
}

static const char *flow(const struct sum *s)
{
    return s->to_right ? "right" : "left";
}

/* As sha256sum has it, and the flow for a name. */
static void tell(struct sum *s, const char *digits)
{
    const char *label = opt_string(s->addr, &opt_label, NULL);
    char line[512];
    int n = snprintf(line, sizeof line, "%s  %s%s%s\n", digits, label ? label : "", label ? " " : "", flow(s));
    if (sink_is_open(&s->sink))
        sink_write(&s->sink, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

static int finish(struct sum *s, struct err *e)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    char digits[DIGITS + 1];
    s->done = true;
    if (!EVP_DigestFinal_ex(s->md, sum, NULL))
        return err_set(e, ERR_OTHER, "the sum cannot be calculated");
    for (size_t i = 0; i < BYTES; i++)
        (void)snprintf(digits + 2 * i, 3, "%02x", sum[i]);
    tell(s, digits);
    if (!s->expect || strcasecmp(s->expect, digits) == 0)
        return 0;
    return err_set(e, ERR_DAMAGED, "the sum of what went to the %s is %s, expected was %s", flow(s), digits,
                   s->expect);
}

static int sum_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct sum *s = st;
    if (in->len > 0 && out->len > 0) /* a block stays a block */
        return 0;
    if (in->len > 0) {
        if (s->looks && !EVP_DigestUpdate(s->md, buf_data(in), in->len))
            return err_set(e, ERR_OTHER, "the sum cannot be calculated");
        buf_swap(in, out);
    }
    if (mode == CODEC_END && s->looks && !s->done && finish(s, e) < 0)
        return -1;
    return mode != CODEC_RUN;
}

/* It was cut, or nobody took the rest: what cannot be compared does not match. */
static void tell_missing(const struct sum *s)
{
    struct err e;
    if (!s->expect) {
        diag(DIAG_WARN, "%s: no sum: what went to the %s did not come to its end", s->addr->label, flow(s));
        return;
    }
    (void)err_set(&e, ERR_CUT, "the sum of what went to the %s cannot be compared: it did not come to its end",
                  flow(s));
    (void)err_wrap(&e, "%s", s->addr->label);
    run_fail(s->run, &e);
}

static void sum_fini(void *st)
{
    struct sum *s = st;
    if (s->looks && !s->done && atomic_load(&s->run->transferring))
        tell_missing(s);
    sink_close(&s->sink);
    if (s->md)
        EVP_MD_CTX_free(s->md);
    s->md = NULL;
}

static const struct codec_ops sum_ops = {.looks = true,
                                         .state_size = sizeof(struct sum),
                                         .init = sum_init,
                                         .start = sum_start,
                                         .push = sum_push,
                                         .fini = sum_fini};
static const struct codec_pair sum_pair = {.encode = &sum_ops, .decode = &sum_ops};

extern const struct form forms_sha256[];
const struct form forms_sha256[] = {
    CODEC_FORM("SHA256", options_sum, sum_check, sum_pair,
               "passes the stream on unchanged and tells its SHA-256 sum at the end, or compares it",
               .params = "[:<file>]", .max_params = 1),
    {0},
};
