/* SPDX-License-Identifier: GPL-2.0-or-later
 * Planned chains: see chain.h. A program opens the same few again and again, and planning a plain one costs
 * more than opening it, so the last ones are kept. */
#include "xio/chain.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/facts.h"
#include "engine/plan/secret.h"
#include "engine/serve/passage.h"
#include "xio/end.h"
#include "xio/error.h"

enum { LONGEST = 65535, KEPT = 8, LINGER_MS = 10000 };

/* ---- wishes ---- */

/* All of them, before any is taken. */
static int check_facts(const char *const *facts, struct err *e)
{
    for (size_t i = 0; facts && facts[i]; i += 2) {
        const struct fact_desc *f = fact_lookup(facts[i], strlen(facts[i]));
        if (!f)
            return err_set(e, ERR_USAGE, "there is no fact \"%.60s\": catena-addresses(7) lists them", facts[i]);
        if (!facts[i + 1])
            return err_set(e, ERR_USAGE, "the fact \"%s\" has no value", facts[i]);
        const struct saying said = {facts[i + 1], strlen(facts[i + 1]), "the caller"};
        if (fact_check(f, &said, IN_URI, e) < 0)
            return -1;
    }
    return 0;
}

int chain_check(const struct xio_opts *given, struct xio_opts *out, struct err *e)
{
    struct xio_opts o = {0};
    if (given && (given->size < offsetof(struct xio_opts, background) || given->size > 4096))
        return err_set(e, ERR_USAGE, "xio_opts.size is %zu: sizeof(struct xio_opts) is expected, which is %zu",
                       given->size, sizeof o);
    if (given)
        memcpy(&o, given, given->size < sizeof o ? given->size : sizeof o);
    else
        o.flags = O_RDWR;
    if (o.flags & ~(O_ACCMODE | O_NONBLOCK | O_CLOEXEC) || (o.flags & O_ACCMODE) == O_ACCMODE)
        return err_set(e, ERR_USAGE, "flags 0%o: O_RDONLY, O_WRONLY or O_RDWR is expected, with O_NONBLOCK and "
                                     "O_CLOEXEC", (unsigned)o.flags);
    if (o.deadline < 0 || o.linger < 0 || o.idle < 0)
        return err_set(e, ERR_USAGE, "a time of less than nothing: deadline, linger and idle are milliseconds from 0");
    if (o.log_level != 0 && (o.log_level < XIO_LOG_ERROR || o.log_level > XIO_LOG_DEBUG))
        return err_set(e, ERR_USAGE, "log_level %d: XIO_LOG_ERROR (%d) to XIO_LOG_DEBUG (%d) are expected", o.log_level,
                       XIO_LOG_ERROR, XIO_LOG_DEBUG);
    if (check_facts(o.facts, e) < 0)
        return -1;
    o.size = sizeof o;
    o.linger = o.linger ? o.linger : LINGER_MS;
    o.log_level = o.log_level ? o.log_level : XIO_LOG_WARNING;
    *out = o;
    return 0;
}

/* ---- the log ---- */

static void take_message(void *arg, enum diag_level level, const char *text)
{
    const struct chain *c = arg;
    if (c->opts.log)
        c->opts.log(c->opts.log_arg, (int)level + XIO_LOG_ERROR - DIAG_ERROR, text);
}

/* ---- making ---- */

static void free_strings(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static char **copy_strings(const char *const *from)
{
    size_t n = 0;
    while (from && from[n])
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++) {
        if (!(copy[i] = strdup(from[i]))) {
            free_strings(copy);
            return NULL;
        }
    }
    return copy;
}

/* The names of the facts, which the planner may count on. */
static char *names_of(char *const *facts)
{
    size_t n = 1;
    for (size_t i = 0; facts[i]; i += 2)
        n += strlen(facts[i]) + 1;
    char *names = calloc(n, 1), *end = names;
    for (size_t i = 0; names && facts[i]; i += 2)
        end = stpcpy(stpcpy(end, facts[i]), " ");
    return names;
}

static void free_chain(struct chain *c)
{
    if (c->plan)
        passage_release(c->plan, c->shared);
    free(c->shared);
    plan_free(c->plan);
    arena_free(&c->modules.memory);
    free_strings(c->environment);
    free_strings(c->facts);
    free(c->told);
    catena_fini(&c->catena);
    if (c->shown && c->text)
        explicit_bzero(c->text, strlen(c->text));
    free(c->shown);
    free(c->text);
    free(c);
}

static void unused(struct catena *c)
{
    free_chain((struct chain *)((char *)c - offsetof(struct chain, catena)));
}

void chain_hold(struct chain *c)
{
    atomic_fetch_add(&c->catena.threads, 1);
}

void chain_drop(struct chain *c)
{
    if (c && atomic_fetch_sub(&c->catena.threads, 1) == 1)
        free_chain(c);
}

static struct chain *new_chain(const char *text, const struct xio_opts *o)
{
    struct chain *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    double idle = o->idle ? (double)o->idle / 1000 : -1;
    *c = (struct chain){
        .catena = {.log = {.prog = "xio", .level = (enum diag_level)(o->log_level - XIO_LOG_ERROR + DIAG_ERROR),
                           .taker = {take_message, NULL, c}},
                   .known = &handle_registry,
                   .limits = {o->block, o->message, o->threads ? o->threads + 1 : 0},
                   .threads = 1,
                   .unused = unused},
        .nobody.catena = &c->catena,
        .settings = {.catena = &c->catena, .to_right = (o->flags & O_ACCMODE) != O_RDONLY,
                     .to_left = (o->flags & O_ACCMODE) != O_WRONLY, .block = 8192, .linger = -1, .idle = idle,
                     .ip_version = -1, .comm = 'S', .env_prefix = "SOCAT", .called = {"handle", "chain"}},
        .opts = *o};
    if (!o->log) /* nobody wants to hear it */
        c->catena.log.level = DIAG_FATAL;
    c->text = text ? strdup(text) : strdup(HANDLE_OF_BYTES);
    c->environment = copy_strings((const char *const *)(o->environment ? o->environment : environ));
    c->catena.environment = c->environment;
    c->facts = copy_strings(o->facts);
    c->told = c->facts ? names_of(c->facts) : NULL;
    c->settings.facts = c->told;
    if (c->text && c->environment && c->told)
        return c;
    free_chain(c);
    return NULL;
}

/* Modules call functions that are ours, and find them only if everybody does. */
static int load_modules(struct chain *c, struct err *e)
{
    static const char here;
    Dl_info us;
    if (!c->opts.modules)
        return 0;
    if (dladdr(&here, &us) && us.dli_fname)
        (void)dlopen(us.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
    c->modules.known = c->catena.known;
    if (modules_load_list(&c->modules, c->opts.modules, e) < 0)
        return -1;
    c->catena.known = c->modules.known;
    return 0;
}

/* Values of secret options are told nobody, not even who wrote them. */
static int hide_secrets(struct chain *c, struct err *e)
{
    c->shown = strdup(c->text);
    if (!c->shown)
        return err_nomem(e);
    if (secret_mask(c->catena.known, c->shown, false, e) < 0)
        return -1;
    if (strcmp(c->shown, c->text) != 0) {
        diag_show_instead(c->text, c->shown);
        return 0;
    }
    free(c->shown);
    c->shown = NULL;
    return 0;
}

/* The stream that packets would become is told to nobody: they stay packets. */
static int plan_it(struct chain *c, bool two, struct err *e)
{
    for (int i = 0; i < 2; i++) {
        const char *left = i ? HANDLE_OF_RECORDS : HANDLE_OF_BYTES;
        if (plan_make(&c->settings, left, two ? left : c->text, &c->plan, e) < 0)
            return -1;
        c->records = i == 1;
        if (i == 1 || (!c->plan->merged[LEFT] && !c->plan->merged[RIGHT]))
            break;
        plan_free(c->plan);
        c->plan = NULL;
    }
    return plan_look_up(c->plan, e);
}

static bool changes_nothing(const struct plan *p)
{
    size_t stations = 0;
    for (size_t i = 0; i < p->nitems; i++) {
        const struct plan_item *it = &p->items[i];
        stations += it->kind == ITEM_STATION;
        if ((it->kind == ITEM_STATION && it->link) || (it->link && it->link->wire == LEFT))
            return false;
    }
    const struct plan_border *b = &p->eol[RIGHT];
    return stations == 1 && b->eol == EOL_KEEP && b->readbytes == 0 && b->escape < 0;
}

/* Nothing in it is another one's the next time: a secret, a user's number, what programs inherit. */
static bool may_be_kept(const struct chain *c)
{
    return c->plain && !c->shown && !c->plan->names && !c->plan->wants_facts && !c->opts.environment && !c->opts.facts && !c->opts.modules;
}

static int make(const char *text, const struct xio_opts *o, struct chain **out, bool *keep, struct err *e)
{
    struct chain *c = new_chain(text, o);
    if (!c)
        return err_nomem(e);
    (void)diag_about(&c->nobody);
    if (load_modules(c, e) < 0 || hide_secrets(c, e) < 0 || plan_it(c, !text, e) < 0) {
        diag_err(DIAG_ERROR, e);
        error_settle(c, e);
        (void)diag_about(NULL);
        chain_drop(c);
        return -1;
    }
    for (const struct plan_note *n = c->plan->notes; n; n = n->next)
        diag_err(n->level, &n->what);
    (void)diag_about(NULL);
    c->plain = changes_nothing(c->plan);
    c->talks = c->plan->nproofs > 0;
    *keep = may_be_kept(c);
    /* xiofact() asks for them later; of a plain one its socket will do */
    c->plan->wants_facts |= !c->plain;
    *out = c;
    return 0;
}

/* ---- the last ones ---- */

static struct kept {
    pthread_mutex_t lock;
    struct chain *chain[KEPT];
    unsigned next;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct chain *find_kept(const char *text, const struct xio_opts *o)
{
    struct chain *found = NULL;
    pthread_mutex_lock(&kept.lock);
    for (size_t i = 0; i < KEPT && !found; i++) {
        struct chain *c = kept.chain[i];
        if (c && strcmp(c->text, text) == 0 && memcmp(&c->opts, o, sizeof *o) == 0)
            chain_hold(found = c);
    }
    pthread_mutex_unlock(&kept.lock);
    return found;
}

static void keep_chain(struct chain *c)
{
    chain_hold(c);
    pthread_mutex_lock(&kept.lock);
    struct chain *gone = kept.chain[kept.next];
    kept.chain[kept.next] = c;
    kept.next = (kept.next + 1) % KEPT;
    pthread_mutex_unlock(&kept.lock);
    chain_drop(gone);
}

int chain_make(const char *text, const struct xio_opts *opts, struct chain **out, struct err *e)
{
    bool keep = false;
    if (text && !*text)
        return err_set(e, ERR_USAGE, "the chain is empty; \"tcp:host:port\" would be one");
    if (text && strnlen(text, LONGEST + 1) > LONGEST)
        return err_set(e, ERR_USAGE, "the chain has more than %d bytes", LONGEST);
    *out = text ? find_kept(text, opts) : NULL;
    if (*out)
        return 0;
    if (make(text, opts, out, &keep, e) < 0)
        return -1;
    if (text && keep)
        keep_chain(*out);
    return 0;
}
