/* SPDX-License-Identifier: GPL-2.0-or-later
 * RECODE: characters of one set become those of another, as iconv(3) knows them. */
#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "catena/features.h"
#include "catena/inter.h"
#include "inter/recode/opts_recode.h"

enum on_error { FAIL, REPLACE, SKIP };
static const char *const words[] = {"fail", "replace", "skip"};
enum { NWORDS = sizeof words / sizeof words[0] };

static int on_error(const struct addr *a, struct err *e)
{
    const char *name = opt_string(a, &opt_on_error, words[0]);
    for (int i = 0; i < NWORDS && name; i++)
        if (strcmp(words[i], name) == 0)
            return i;
    return err_at(e, opt_find(a, &opt_on_error)->at, "on-error \"%s\" is none of fail, replace, skip",
                  name ? name : "");
}

static int recode_check(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < a->nparams; i++)
        if (a->params[i][0] == '\0') /* iconv takes it for the locale's */
            return err_at(e, a->param_at[i], "here is no name of a character set");
    return on_error(a, e) < 0 ? -1 : 0;
}

/* ---- iconv ---- */

static const iconv_t none = (iconv_t)-1;

static struct span place_of(const struct addr *a, const char *name)
{
    return a->nparams < 2 ? (struct span){0} : a->param_at[name == a->params[1]];
}

static iconv_t converter(const struct addr *a, const char *from, const char *to, struct err *e)
{
    iconv_t cd = iconv_open(to, from);
    if (cd != none)
        return cd;
    int sys = errno;
    if (sys != EINVAL) {
        (void)err_sys(e, "no conversion from %s to %s", from, to);
        return none;
    }
    const char *names[] = {from, to};
    for (int i = 0; i < 2; i++) {
        iconv_t known = iconv_open("UTF-8", names[i]);
        if (known == none) {
            (void)err_set(e, ERR_ABSENT, "character set \"%s\" is not known here", names[i]);
            (void)err_hint(e, "iconv -l lists those that are");
            (void)err_points_at(e, place_of(a, names[i]));
            return none;
        }
        (void)iconv_close(known);
    }
    (void)err_set(e, ERR_ABSENT, "no conversion from %s to %s is known here", from, to);
    return none;
}

/* ---- one direction ---- */

enum {
    LONGEST = 16, /* bytes of a character */
    UNIT = 4,     /* bytes of one in UTF-32 */
    PORTION = 512,
    MOST = 4 * PORTION, /* characters that this may become: of some bytes it is several */
};
#define BETWEEN "UTF-32LE"

/* In two steps, with UTF-32 between them: so it is known which character another set lacks, and what stands
 * for it is said in the state that set is in. */
struct recoder {
    iconv_t reads, writes;
    const char *from, *to;
    enum on_error on_error;
    bool open;
    unsigned char carry[LONGEST]; /* a character that has not come whole */
    size_t ncarry;
    bool lacks; /* ... as far as is known: it wants another byte */
    unsigned char between[UNIT * MOST];
    size_t first, nbetween;
    unsigned char stage[64]; /* what finds no room elsewhere */
    size_t off, len;
    unsigned long long offset, count; /* of the next byte to be read; characters written */
    bool read_all, wrote_all;
};

static int init(struct recoder *r, const struct addr *a, const char *from, const char *to, struct err *e)
{
    r->from = from;
    r->to = to;
    r->on_error = (enum on_error)on_error(a, e);
    r->reads = converter(a, from, BETWEEN, e);
    if (r->reads == none)
        return -1;
    r->writes = converter(a, BETWEEN, to, e);
    if (r->writes == none) {
        (void)iconv_close(r->reads);
        return -1;
    }
    r->open = true;
    return 0;
}

static int init_there(void *st, const struct addr *a, struct err *e)
{
    return init(st, a, a->params[0], a->params[1], e);
}

static int init_back(void *st, const struct addr *a, struct err *e)
{
    return init(st, a, a->params[1], a->params[0], e);
}

static void fini(void *st)
{
    struct recoder *r = st;
    if (!r->open)
        return;
    (void)iconv_close(r->reads);
    (void)iconv_close(r->writes);
    r->open = false;
}

/* ---- writing ---- */

static bool unstage(struct recoder *r, struct buf *out)
{
    size_t n = r->len > 0 ? buf_put(out, r->stage + r->off, r->len) : 0;
    r->off += n;
    r->len -= n;
    if (r->len == 0)
        r->off = 0;
    return r->len == 0;
}

static void put_unit(unsigned char *to, unsigned long c)
{
    for (int i = 0; i < UNIT; i++)
        to[i] = (unsigned char)(c >> 8 * i);
}

static unsigned long unit(const unsigned char *p)
{
    return (unsigned long)p[3] << 24 | (unsigned long)p[2] << 16 | (unsigned long)p[1] << 8 | p[0];
}

enum { REPLACEMENT = 0xfffd };

/* The target lacks the first of the characters between: another one takes its place, or it goes. */
static int lacking(struct recoder *r, struct err *e)
{
    unsigned char *p = r->between + r->first;
    unsigned long c = unit(p);
    if (r->on_error == FAIL)
        return err_set(e, ERR_DAMAGED, "character %llu, U+%04lX, is none of %s", r->count + 1, c, r->to);
    if (r->on_error == REPLACE && c != '?') {
        put_unit(p, c == REPLACEMENT ? '?' : REPLACEMENT);
        return 0;
    }
    r->first += UNIT;
    r->nbetween -= UNIT;
    r->count++;
    return 0;
}

/* A small C library puts '*' where the target lacks a character, and only counts it. */
enum { PUTS_OTHERS = !HAVE_ALL_CALLS };

/* What is between leaves, for out or, where that is short, for the empty stage. */
static int write_on(struct recoder *r, struct buf *out, struct err *e)
{
    unsigned char *to;
    size_t room = buf_room(out, &to), nin = r->nbetween;
    bool staged = room < sizeof r->stage;
    char *in = (char *)r->between + r->first, *at = (char *)(staged ? r->stage : to);
    size_t cap = staged ? sizeof r->stage : room, left = cap;
    size_t rc = iconv(r->writes, &in, &nin, &at, &left), done = r->nbetween - nin;
    int sys = rc == (size_t)-1 ? errno : 0;

    if (PUTS_OTHERS && sys == 0 && rc > 0 && r->on_error == FAIL)
        return err_set(e, ERR_DAMAGED, "behind character %llu, one is none of %s", r->count, r->to);
    if (staged)
        r->len = cap - left;
    else
        buf_commit(out, cap - left);
    r->first += done;
    r->nbetween = nin;
    r->count += done / UNIT;
    return sys == 0 || left < cap || (sys == E2BIG && !staged) ? 0 : lacking(r, e);
}

/* ---- reading ---- */

/* Converts what it can of n bytes at p, nothing being between. Gives how many are done with, or -1; *lacks:
 * the rest is the beginning of a character. */
static int read_on(struct recoder *r, unsigned char *p, size_t n, bool *lacks, struct err *e)
{
    char *in = (char *)p, *to = (char *)r->between;
    size_t nin = n < PORTION ? n : PORTION, had = nin, left = sizeof r->between;
    int sys = iconv(r->reads, &in, &nin, &to, &left) == (size_t)-1 ? errno : 0;
    size_t done = had - nin;

    r->first = 0;
    r->nbetween = sizeof r->between - left;
    r->offset += done;
    *lacks = sys == EINVAL && nin < LONGEST;
    if (sys == 0 || *lacks || r->nbetween > 0) /* what is wrong is looked at when that is out */
        return (int)done;
    if (r->on_error == FAIL)
        return err_set(e, ERR_DAMAGED, "byte 0x%02x at offset %llu is no %s", p[done], r->offset, r->from);
    if (r->on_error == REPLACE) {
        put_unit(r->between, REPLACEMENT);
        r->nbetween = UNIT;
    }
    r->offset++;
    return (int)done + 1;
}

/* A character that comes in pieces. */
static int read_carry(struct recoder *r, struct buf *in, struct err *e)
{
    if (r->lacks) {
        r->carry[r->ncarry++] = *buf_data(in);
        buf_consume(in, 1);
    }
    int done = read_on(r, r->carry, r->ncarry, &r->lacks, e);
    if (done < 0)
        return -1;
    r->ncarry -= (size_t)done;
    memmove(r->carry, r->carry + done, r->ncarry);
    return 0;
}

static int read_in(struct recoder *r, struct buf *in, struct err *e)
{
    bool lacks;
    size_t n = in->len;
    int done = read_on(r, buf_data(in), n, &lacks, e);
    if (done < 0)
        return -1;
    buf_consume(in, (size_t)done);
    if (lacks && n <= PORTION) { /* else only the portion ended there, and what follows may complete it */
        memcpy(r->carry, buf_data(in), in->len);
        r->ncarry = in->len;
        r->lacks = true;
        buf_consume(in, in->len);
    }
    return 0;
}

/* Nothing more comes. Gives 1 when all is said, 0 to go on, -1. */
static int finish(struct recoder *r, struct err *e)
{
    char *between = (char *)r->between, *stage = (char *)r->stage;
    size_t left = sizeof r->between, room = sizeof r->stage;
    r->first = 0;
    if (!r->read_all) { /* a character may have been waiting for its accents */
        (void)iconv(r->reads, NULL, NULL, &between, &left);
        r->nbetween = sizeof r->between - left;
        r->read_all = true;
    } else if (r->ncarry > 0) {
        if (r->on_error == FAIL)
            return err_set(e, ERR_CUT, "the end comes in the middle of a character of %s, at offset %llu",
                           r->from, r->offset);
        put_unit(r->between, REPLACEMENT);
        r->nbetween = r->on_error == REPLACE ? UNIT : 0;
        r->ncarry = 0;
    } else if (!r->wrote_all) { /* back to the first state */
        (void)iconv(r->writes, NULL, NULL, &stage, &room);
        r->len = sizeof r->stage - room;
        r->wrote_all = true;
    } else {
        return 1;
    }
    return 0;
}

static int push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct recoder *r = st;
    while (unstage(r, out)) {
        int rc;
        if (r->nbetween > 0 && out->len == out->cap)
            return 0;
        if (r->nbetween > 0)
            rc = write_on(r, out, e);
        else if (r->ncarry > 0 && (!r->lacks || in->len > 0))
            rc = read_carry(r, in, e);
        else if (in->len > 0)
            rc = read_in(r, in, e);
        else
            rc = mode == CODEC_END ? finish(r, e) : 1;
        if (rc < 0)
            return -1;
        if (rc == 1)
            return mode != CODEC_RUN;
    }
    return 0;
}

static const struct codec_ops there = {
    .state_size = sizeof(struct recoder), .init = init_there, .push = push, .fini = fini};
static const struct codec_ops back = {
    .state_size = sizeof(struct recoder), .init = init_back, .push = push, .fini = fini};
static const struct codec_pair recode_pair = {.encode = &there, .decode = &back};

/* A dry run: are the names known? */
static int recode_foresee(const struct addr *a, struct err *e)
{
    iconv_t cd = converter(a, a->params[0], a->params[1], e);
    if (cd == none)
        return -1;
    (void)iconv_close(cd);
    return 0;
}

extern const struct form forms_recode[];
const struct form forms_recode[] = {
    CODEC_FORM("RECODE", options_recode, recode_check, recode_pair,
               "turns characters of one set into those of another from left to right, and back",
               .params = ":<from>:<to>", .min_params = 2, .max_params = 2, .foresee = recode_foresee),
    {0},
};
