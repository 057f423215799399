/* SPDX-License-Identifier: GPL-2.0-or-later
 * Drivers in threads of their own, and which of them gets the next engine: see hub.h. */
#include "engine/relay/hub.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/thread.h"
#include "engine/port/closer.h"

enum { HUBS_MOST = 8, CLOSING_MOST = 256, STACK = 256 * 1024 };

struct hub {
    pthread_t thread;
    bool running;
    struct driver driver;
    struct driver_watch end; /* an eventfd: all that is there ends */
};

struct hubs {
    struct closer *closer;
    pthread_mutex_t lock; /* guards next and the starting of threads */
    size_t n, next;
    const struct diag_peer *about; /* whom the threads are for between two lines */
    struct hub hub[];
};

static void end_all(struct driver_watch *w)
{
    struct hub *h = w->arg;
    (void)eventfd_read(w->fd, &(eventfd_t){0});
    driver_drop_all(&h->driver);
}

static int hub_init(struct hub *h, struct err *e)
{
    *h = (struct hub){.end = {.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .act = end_all, .arg = h}};
    if (h->end.fd < 0)
        return err_sys(e, "eventfd()");
    return driver_init_many(&h->driver, e) < 0 ? -1 : driver_watch_many(&h->driver, &h->end, e);
}

struct hubs *hubs_new(struct err *e)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cpus < 1 ? 1 : cpus > HUBS_MOST ? HUBS_MOST : (size_t)cpus;
    struct hubs *h = calloc(1, sizeof *h + n * sizeof h->hub[0]);
    if (!h) {
        (void)err_nomem(e);
        return NULL;
    }
    (void)pthread_mutex_init(&h->lock, NULL);
    h->about = diag_whom();
    h->closer = closer_new(CLOSING_MOST, e);
    if (!h->closer) {
        hubs_free(h, NULL);
        return NULL;
    }
    for (; h->n < n; h->n++) {
        if (hub_init(&h->hub[h->n], e) < 0) {
            h->n++;
            hubs_free(h, NULL);
            return NULL;
        }
        h->hub[h->n].driver.closer = h->closer;
    }
    return h;
}

static void *hub_main(void *arg)
{
    struct hub *h = arg;
    driver_run(&h->driver);
    return NULL;
}

static bool start(struct hub *h, const struct diag_peer *about)
{
    if (!h->running)
        h->running = thread_start(&h->thread, STACK, about, hub_main, h) == 0;
    return h->running;
}

bool hubs_add(struct hubs *h, struct seat *seat)
{
    pthread_mutex_lock(&h->lock);
    struct hub *hub = &h->hub[h->next++ % h->n];
    bool running = start(hub, h->about);
    pthread_mutex_unlock(&h->lock);
    return running && driver_seat_from_afar(&hub->driver, seat);
}

static void end(struct hub *h)
{
    if (h->running) {
        (void)eventfd_write(h->end.fd, 1);
        (void)pthread_join(h->thread, NULL);
    }
    driver_fini_many(&h->driver);
    if (h->end.fd >= 0)
        close(h->end.fd);
}

void hubs_free(struct hubs *h, struct run *r)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->n; i++)
        end(&h->hub[i]);
    closer_end(h->closer, r);
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
}
