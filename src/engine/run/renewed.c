/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is made of files again when they change: see catena/renewed.h. */
#include "catena/renewed.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/options.h"
#include "catena/plan.h"
#include "catena/wait.h"

struct made {
    struct made *next;
    void *what;
    size_t users; /* connections, and the place in front */
};
/* A file as it was when it was read last; of a directory the files in it, too. */
struct stamp {
    const struct opt *option;
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed, modified;
    uint64_t inside;
};
struct renewed {
    const struct renewed_ops *ops;
    const struct addr *addr;
    pid_t owner;
    bool reloads;
    int64_t pause;        /* ms between looks */
    pthread_mutex_t lock; /* guards what follows */
    struct made *made;    /* the one that counts in front, and those that are still in use */
    int64_t looked;
    unsigned hups; /* SIGHUPs seen */
    size_t nfiles;
    struct stamp files[];
};

/* ---- files ---- */

static bool is_file(const struct opt *o)
{
    return (o->desc->file || o->desc->secret == SECRET_FILE) && o->v.s && *o->v.s;
}

static uint64_t mix(uint64_t sum, uint64_t n)
{
    return (sum ^ n) * 0x9e3779b97f4a7c15u ^ sum >> 29;
}

/* What is in a directory, in whatever order it is listed. What is written into a file there leaves the directory as it
 * is, and so does a rename where its links lead. */
static uint64_t sum_of(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd); /* whose it is then */
    uint64_t sum = 0;
    for (const struct dirent *f; d && (f = readdir(d));) {
        struct stat st;
        if (f->d_name[0] == '.' || fstatat(fd, f->d_name, &st, 0) < 0)
            continue;
        uint64_t one = mix(mix(mix(1, st.st_dev), st.st_ino), (uint64_t)st.st_size);
        one = mix(mix(one, (uint64_t)st.st_ctim.tv_sec), (uint64_t)st.st_ctim.tv_nsec);
        one = mix(mix(one, (uint64_t)st.st_mtim.tv_sec), (uint64_t)st.st_mtim.tv_nsec);
        for (const char *c = f->d_name; *c; c++)
            one = mix(one, (unsigned char)*c);
        sum += one;
    }
    if (d)
        (void)closedir(d);
    else if (fd >= 0)
        (void)close(fd);
    return sum;
}

static struct stamp stamp_of(const struct opt *o)
{
    struct stat st;
    struct stamp s = {.option = o};
    if (stat(o->v.s, &st) == 0) {
        s.dev = st.st_dev;
        s.ino = st.st_ino;
        s.size = st.st_size;
        s.changed = st.st_ctim;
        s.modified = st.st_mtim;
        s.inside = S_ISDIR(st.st_mode) ? sum_of(o->v.s) : 0;
    }
    return s;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && same_time(&a->changed, &b->changed) &&
           same_time(&a->modified, &b->modified) && a->inside == b->inside;
}

/* Takes down how they are now. Which one differs from before; NULL: none does. */
static const struct opt *look(struct renewed *n)
{
    const struct opt *changed = NULL;
    for (size_t i = 0; i < n->nfiles; i++) {
        struct stamp now = stamp_of(n->files[i].option);
        if (!is_same(&now, &n->files[i]))
            changed = now.option;
        n->files[i] = now;
    }
    return changed;
}

/* Who can be read only once cannot be read again. */
static int check_files(const struct renewed *n, struct err *e)
{
    for (size_t i = 0; i < n->nfiles; i++) {
        const struct opt *o = n->files[i].option;
        struct stat st;
        if (stat(o->v.s, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
            return err_at(e, o->at, "%s=%s: with reload it has to be a file, which can be read again", o->desc->name, o->v.s);
    }
    return 0;
}

/* ---- what is made of them ---- */

/* Under the lock, or before there is anybody. */
static int make(struct renewed *n, struct run *r, struct err *e)
{
    struct made *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(e);
    if (n->ops->make(n->addr, r, &m->what, e) < 0) {
        free(m);
        return -1;
    }
    m->users = 1;
    m->next = n->made;
    n->made = m;
    return 0;
}

/* Under the lock. */
static void drop(struct renewed *n, const void *what)
{
    struct made **at = &n->made;
    while ((*at)->what != what)
        at = &(*at)->next;
    struct made *m = *at;
    if (--m->users > 0)
        return;
    *at = m->next;
    n->ops->release(m->what);
    free(m);
}

static void make_again(struct renewed *n, struct run *r, const char *why)
{
    struct err e;
    void *before = n->made->what;
    if (make(n, r, &e) == 0) {
        drop(n, before);
        diag(DIAG_NOTICE, "%s: %s: read again, and counts for new connections", n->addr->label, why);
        return;
    }
    (void)err_wrap(&e, "%s: %s", n->addr->label, why);
    diag_err(DIAG_WARN, &e);
    diag(DIAG_WARN, "%s: what was read before still counts", n->addr->label);
}

static void look_again(struct renewed *n, struct run *r)
{
    unsigned hups = atomic_load(&r->settings->catena->hups);
    int64_t now = wait_now();
    bool asked = hups != n->hups;
    if (!asked && now - n->looked < n->pause)
        return;
    n->hups = hups;
    n->looked = now;
    const struct opt *changed = look(n);
    if (changed)
        make_again(n, r, changed->v.s);
    else if (asked)
        make_again(n, r, "SIGHUP");
}

void renewed_look(void *renewed, struct run *r)
{
    struct renewed *n = renewed;
    if (!n->reloads || getpid() != n->owner)
        return;
    pthread_mutex_lock(&n->lock);
    look_again(n, r);
    pthread_mutex_unlock(&n->lock);
}

void *renewed_take(struct renewed *n, struct run *r)
{
    renewed_look(n, r);
    pthread_mutex_lock(&n->lock);
    n->made->users++;
    void *what = n->made->what;
    pthread_mutex_unlock(&n->lock);
    return what;
}

void renewed_give(struct renewed *n, const void *what)
{
    pthread_mutex_lock(&n->lock);
    drop(n, what);
    pthread_mutex_unlock(&n->lock);
}

/* ---- making and freeing ---- */

static struct renewed *allocate(const struct addr *a)
{
    struct renewed *n = calloc(1, sizeof *n + a->nopts * sizeof n->files[0]);
    if (!n || pthread_mutex_init(&n->lock, NULL) != 0) {
        free(n);
        return NULL;
    }
    for (size_t i = 0; i < a->nopts; i++)
        if (is_file(&a->opts[i]))
            n->files[n->nfiles++].option = &a->opts[i];
    return n;
}

int renewed_new(const struct renewed_ops *ops, const struct addr *a, struct run *r, struct renewed **out, struct err *e)
{
    const struct opt *reload = opt_find(a, &opt_reload);
    struct renewed *n = allocate(a);
    if (!n)
        return err_nomem(e);
    n->ops = ops;
    n->addr = a;
    n->owner = getpid();
    n->reloads = reload != NULL;
    n->pause = reload && reload->v.given ? reload->v.i * 1000 : 0;
    n->hups = atomic_load(&r->settings->catena->hups);
    n->looked = wait_now();
    int rc = n->reloads ? check_files(n, e) : 0;
    if (rc == 0 && n->reloads)
        (void)look(n); /* before they are read: what changes meanwhile is read again */
    if (rc == 0)
        rc = make(n, r, e);
    if (rc == 0)
        *out = n;
    else
        renewed_free(n);
    return rc;
}

void renewed_free(void *renewed)
{
    struct renewed *n = renewed;
    for (struct made *m = n ? n->made : NULL, *next; m; m = next) {
        next = m->next;
        n->ops->release(m->what);
        free(m);
    }
    if (n)
        (void)pthread_mutex_destroy(&n->lock);
    free(n);
}
