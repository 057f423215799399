/* SPDX-License-Identifier: GPL-2.0-or-later
 * Option tcpwrap: hosts_access(5) through libwrap, which is loaded when an address asks for it; so
 * nobody else needs it installed. The library keeps its file names in globals and may look up host
 * names, hence the lock and the helper thread. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/library.h"
#include "catena/options.h"
#include "catena/wait.h"
#include "endpoint/address/range.h"
#include "endpoint/options/opts_listen.h"

/* The library fills its struct request_info (872 bytes where this was written); room for far more,
 * so that its header is not needed for building. Keys of request_init() are part of its ABI. */
struct wrap_request {
    _Alignas(max_align_t) unsigned char room[8192];
};
enum { WRAP_FILE = 1, WRAP_DAEMON = 2, WRAP_CLIENT_NAME = 4, WRAP_CLIENT_ADDR = 5 };

struct wrap_library {
    struct wrap_request *(*request_init)(struct wrap_request *, ...);
    void (*sock_host)(struct wrap_request *);
    int (*hosts_access)(struct wrap_request *);
    char **allow_table, **deny_table;
};

struct job {
    int fd; /* its own, since the check may outlast the connection; -1: it is about that peer */
    struct sockname peer;
    char *daemon, *allow, *deny;
    bool allowed;
    int unreadable; /* errno of a table that is there and cannot be read, or 0 */
};

static pthread_mutex_t wrap_lock = PTHREAD_MUTEX_INITIALIZER; /* the library's globals */
static struct wrap_library wrap;                              /* filled when it is loaded */

static const struct library_symbol symbols[] = {
    {"request_init", &wrap.request_init},   {"sock_host", &wrap.sock_host},
    {"hosts_access", &wrap.hosts_access},   {"hosts_allow_table", &wrap.allow_table},
    {"hosts_deny_table", &wrap.deny_table}, {0},
};
static struct library library = {"libwrap.so.0", symbols, false, "libwrap0"};

int tcpwrap_load(struct err *e) { return library_load(&library, e) < 0 ? err_wrap(e, "option tcpwrap") : 0; }

extern const struct library_about about_tcpwrap[];
const struct library_about about_tcpwrap[] = {{"libwrap", NULL, tcpwrap_load, NULL}, {0}};

static void job_drop(void *arg)
{
    struct job *job = arg;

    if (job->fd >= 0)
        close(job->fd);
    free(job->daemon);
    free(job->allow);
    free(job->deny);
    free(job);
}

/* The library takes a table that it cannot read for an empty one, and so for "let in". One that is
 * not there is empty indeed. Gives 0 or errno. */
static int table_error(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error = 0;
    char byte;

    if (fd < 0)
        return errno == ENOENT ? 0 : errno;
    if (read(fd, &byte, 1) < 0)
        error = errno;
    close(fd);
    return error;
}

/* What the library does of its own accord for a socket: a name counts that leads back to the address. */
static void find_name(const struct sockname *peer, const char *number, char *name, size_t cap)
{
    struct addrinfo hints = {.ai_family = sockname_family(peer), .ai_socktype = SOCK_STREAM}, *found = NULL;
    char back[NI_MAXHOST];
    bool leads_back = false;

    if (getnameinfo(&peer->u.sa, peer->len, name, (socklen_t)cap, NULL, 0, NI_NAMEREQD) != 0) {
        (void)snprintf(name, cap, "unknown");
        return;
    }
    if (getaddrinfo(name, NULL, &hints, &found) == 0) {
        for (struct addrinfo *i = found; i && !leads_back; i = i->ai_next)
            leads_back = getnameinfo(i->ai_addr, i->ai_addrlen, back, sizeof back, NULL, 0, NI_NUMERICHOST) == 0 &&
                         strcmp(back, number) == 0;
        freeaddrinfo(found);
    }
    if (!leads_back)
        (void)snprintf(name, cap, "paranoid");
}

static void fill_request(const struct job *job, struct wrap_request *request, char number[NI_MAXHOST], char name[NI_MAXHOST])
{
    if (job->fd >= 0) {
        wrap.request_init(request, WRAP_FILE, job->fd, WRAP_DAEMON, job->daemon, 0);
        wrap.sock_host(request);
        return;
    }
    if (getnameinfo(&job->peer.u.sa, job->peer.len, number, NI_MAXHOST, NULL, 0, NI_NUMERICHOST) != 0)
        (void)snprintf(number, NI_MAXHOST, "unknown");
    find_name(&job->peer, number, name, NI_MAXHOST);
    wrap.request_init(request, WRAP_DAEMON, job->daemon, WRAP_CLIENT_ADDR, number, WRAP_CLIENT_NAME, name, 0);
}

/* With no table named by an option the library's own stay in force. */
static void job_run(void *arg)
{
    struct job *job = arg;
    struct wrap_request request;
    char *allow, *deny, number[NI_MAXHOST], name[NI_MAXHOST];

    memset(&request, 0, sizeof request);
    pthread_mutex_lock(&wrap_lock);
    allow = *wrap.allow_table;
    deny = *wrap.deny_table;
    if (job->allow)
        *wrap.allow_table = job->allow;
    if (job->deny)
        *wrap.deny_table = job->deny;
    job->unreadable = table_error(*wrap.allow_table);
    if (job->unreadable == 0)
        job->unreadable = table_error(*wrap.deny_table);
    if (job->unreadable == 0) {
        fill_request(job, &request, number, name);
        job->allowed = wrap.hosts_access(&request) != 0;
    }
    *wrap.allow_table = allow;
    *wrap.deny_table = deny;
    pthread_mutex_unlock(&wrap_lock);
}

/* The table an option names, or the one in the directory of tcpwrap-etc; NULL: the default. */
static int table_path(const struct addr *a, const struct option_desc *row, const char *file,
                      char **out)
{
    const char *given = opt_string(a, row, NULL), *etc = opt_string(a, &opt_tcpwrap_etc, NULL);

    *out = NULL;
    if (given)
        *out = strdup(given);
    else if (etc && asprintf(out, "%s/%s", etc, file) < 0)
        *out = NULL;
    return *out || (!given && !etc) ? 0 : -1;
}

static struct job *job_new(const struct addr *a, int fd, const struct sockname *peer, struct err *e)
{
    const char *name = opt_string(a, &opt_tcpwrap, NULL);
    struct job *job = calloc(1, sizeof *job);

    if (!job) {
        err_nomem(e);
        return NULL;
    }
    job->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    job->peer = *peer;
    job->daemon = strdup(name ? name : diag_prog());
    if (fd >= 0 && job->fd < 0) {
        err_sys(e, "tcpwrap: cannot duplicate the connection");
        job_drop(job);
        return NULL;
    }
    if (!job->daemon || table_path(a, &opt_tcpwrap_allow, "hosts.allow", &job->allow) < 0 ||
        table_path(a, &opt_tcpwrap_deny, "hosts.deny", &job->deny) < 0) {
        err_nomem(e);
        job_drop(job);
        return NULL;
    }
    return job;
}

int tcpwrap_check(const struct addr *a, struct run *r, int fd, const struct sockname *peer, struct err *e)
{
    struct job *job = job_new(a, fd, peer, e);
    int rc;

    if (!job)
        return -1;
    rc = wait_call(r, job_run, job_drop, job, e);
    if (rc < 0)
        return -1;
    if (job->unreadable != 0) {
        errno = job->unreadable;
        rc = err_sys(e, "tcpwrap: hosts.allow or hosts.deny cannot be read");
    } else {
        rc = job->allowed;
    }
    job_drop(job);
    return rc;
}
