/* SPDX-License-Identifier: GPL-2.0-or-later
 * The features at the border of the two chains: see border.h. */
#include "engine/relay/border.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/run.h"
#include "catena/wait.h"
#include "engine/relay/dump.h"

enum { HOW = O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK };
static const double LOOK_AGAIN = 0.1; /* seconds */

/* One that nobody reads yet is waited for; for sockets and devices ENXIO is the last word. */
static bool is_fifo(const char *path)
{
    struct stat st;
    bool fifo = stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
    errno = ENXIO;
    return fifo;
}

static int open_raw(struct run *r, const char *name, int *fd, struct err *e)
{
    char path[4096];
    *fd = -1;
    if (!name)
        return 0;
    if (dump_file_name(r, name, path, sizeof path, e) < 0)
        return -1;
    while ((*fd = open(path, HOW | O_CLOEXEC, 0644)) < 0 && errno == ENXIO && is_fifo(path))
        if (wait_seconds(r, LOOK_AGAIN, e) < 0)
            return -1;
    return *fd < 0 ? err_sys(e, "cannot open raw dump \"%s\"", path) : 0;
}

void border_init(struct border *b, struct run *r)
{
    const struct settings *s = r->settings;
    *b = (struct border){.run = r};
    b->flow[LEFT].raw_fd = b->flow[RIGHT].raw_fd = -1;
    b->active = s->text_dump || s->hex_dump || s->raw_left_right || s->raw_right_left;
    for (int i = 0; i < 2; i++) {
        const struct plan_border *p = &r->plan->eol[i];
        b->flow[i].limited = p->readbytes > 0;
        b->flow[i].left = p->readbytes;
        b->active |= p->readbytes > 0 || p->escape >= 0 || p->eol != EOL_KEEP;
    }
}

int border_open(struct border *b, struct err *e)
{
    const struct settings *s = b->run->settings;
    return open_raw(b->run, s->raw_left_right, &b->flow[LEFT].raw_fd, e) < 0 ||
                   open_raw(b->run, s->raw_right_left, &b->flow[RIGHT].raw_fd, e) < 0
               ? -1
               : 0;
}

bool border_may_wait(const struct border *b)
{
    struct stat st;
    for (int i = 0; i < 2; i++)
        if (b->flow[i].raw_fd >= 0 && (fstat(b->flow[i].raw_fd, &st) < 0 || !S_ISREG(st.st_mode)))
            return true;
    return false;
}

void border_fini(struct border *b)
{
    for (int i = 0; i < 2; i++) {
        if (b->flow[i].raw_fd >= 0)
            close(b->flow[i].raw_fd);
        b->flow[i].raw_fd = -1;
    }
}

size_t border_may_read(const struct border *b, int source, size_t n)
{
    const struct border_flow *f = &b->flow[source];
    return f->limited && f->left < n ? (size_t)f->left : n;
}

void border_count(struct border *b, int source, size_t n)
{
    atomic_fetch_add_explicit(&b->run->blocks[source], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&b->run->bytes[source], n, memory_order_relaxed);
}

/* readbytes and escape: how much of the block still belongs to the stream. */
static size_t allowed(struct border_flow *f, int escape, const unsigned char *p, size_t n)
{
    if (f->limited && n >= f->left) {
        n = (size_t)f->left;
        f->ended = true;
    }
    const unsigned char *mark = escape >= 0 && n > 0 ? memchr(p, escape, n) : NULL;
    if (mark) {
        n = (size_t)(mark - p);
        f->ended = true;
    }
    return n;
}

/* Line ends: what the source chain's option undoes, what the other chain's option makes. */
static size_t convert(const struct plan_border *from, const struct plan_border *to, unsigned char c,
                      unsigned char out[2])
{
    if (from->eol == EOL_CRNL && c == '\r')
        return 0;
    if (from->eol == EOL_CR && c == '\r')
        c = '\n';
    size_t n = 0;
    if (c == '\n' && to->eol == EOL_CRNL)
        out[n++] = '\r';
    out[n++] = c == '\n' && to->eol == EOL_CR ? '\r' : c;
    return n;
}

static size_t copy(const struct plan_border *from, const struct plan_border *to,
                   const unsigned char *p, size_t n, unsigned char *at, size_t room, size_t *given)
{
    size_t i = 0, o = 0;
    if (from->eol == to->eol) {
        i = n < room ? n : room;
        memcpy(at, p, i);
        *given = i;
        return i;
    }
    for (; i < n; i++) {
        unsigned char c[2];
        size_t k = convert(from, to, p[i], c);
        if (o + k > room)
            break;
        memcpy(at + o, c, k);
        o += k;
    }
    *given = o;
    return i;
}

static void save_raw(struct border *b, int source, const unsigned char *p, size_t n)
{
    struct border_flow *f = &b->flow[source];
    struct err e;
    while (f->raw_fd >= 0 && n > 0 && !b->run->ended_signal) {
        ssize_t w = write(f->raw_fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0 && errno == EAGAIN) {
            if (wait_fd(b->run, f->raw_fd, POLLOUT, -1, &e) < 0)
                return; /* the engine is told as well */
            continue;
        }
        if (w < 0) {
            (void)err_sys(&e, "raw dump: write()");
            run_fail(b->run, &e);
            close(f->raw_fd);
            f->raw_fd = -1;
            return;
        }
        p += w;
        n -= (size_t)w;
    }
}

void border_move(struct border *b, int source, struct buf *from, struct buf *to)
{
    struct border_flow *f = &b->flow[source];
    const struct plan_border *eol = b->run->plan->eol;
    const struct settings *s = b->run->settings;
    unsigned char *at;
    size_t room = buf_room(to, &at), given = 0;
    size_t n = allowed(f, eol[source].escape, buf_data(from), from->len);
    size_t taken = copy(&eol[source], &eol[!source], buf_data(from), n, at, room, &given);
    buf_consume(from, f->ended && taken == n ? from->len : taken);
    if (f->limited)
        f->left -= taken;
    if (given == 0)
        return;
    buf_commit(to, given);
    border_count(b, source, given);
    if (s->text_dump || s->hex_dump)
        dump_block(source == LEFT ? '>' : '<', f->offset, at, given, s->text_dump, s->hex_dump);
    save_raw(b, source, at, given);
    f->offset += given;
}
