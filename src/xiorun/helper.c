/* SPDX-License-Identifier: GPL-2.0-or-later
 * Requests and verdicts: see helper.h. Nothing here waits; what takes time has a thread of its own. */
#include "xiorun/helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- words ---- */

void helper_say(const struct preload_request *q, const struct target *t, const char *text)
{
    char line[1600];
    const char *left = t && t->version == 6 ? "[" : "", *right = t && t->version == 6 ? "]" : "";
    if (q->quiet)
        return;
    int n = t ? snprintf(line, sizeof line, "xiorun: %.15s[%d]: %s%s%s:%u%s: %s\n", q->program, (int)q->pid, left, t->host,
                         right, t->port, t->packets ? "/udp" : "", text)
              : snprintf(line, sizeof line, "xiorun: %.15s[%d]: %s\n", q->program, (int)q->pid, text);
    n = n < (int)sizeof line ? n : (int)sizeof line - 1;
    for (int i = 0; i < n - 1; i++) /* what strangers have said reaches a terminal as text alone */
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    if (write(2, line, (size_t)n) < 0)
        return;
}

bool helper_target(struct helper *h, const struct preload_request *q, struct target *t)
{
    char scope[16] = "";
    *t = (struct target){.version = q->version == 4 ? 4 : 6, .port = q->port, .packets = q->packets};
    memcpy(t->addr, q->addr, sizeof t->addr);
    if (names_find(h->names, t->version, t->addr, t->host)) {
        t->version = 0;
        return t->host[0] != '\0';
    }
    (void)inet_ntop(t->version == 4 ? AF_INET : AF_INET6, t->addr, t->host, sizeof t->host);
    if (q->scope)
        (void)snprintf(scope, sizeof scope, "%%%u", q->scope);
    memcpy(t->host + strlen(t->host), scope, strlen(scope) + 1);
    return true;
}

/* ---- answers ---- */

bool answer_send(int fd, const struct preload_answer *a, const int *given, size_t n)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct iovec v = {(void *)(uintptr_t)a, sizeof *a};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    if (n > 0) {
        struct cmsghdr *c = &control.header;
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n * sizeof *given);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof *given);
        memcpy(CMSG_DATA(c), given, n * sizeof *given);
    }
    return sendmsg(fd, &m, MSG_NOSIGNAL) == sizeof *a;
}

static void answer(int fd, struct preload_answer *a, enum preload_verdict verdict, int error)
{
    a->magic = PRELOAD_MAGIC;
    a->verdict = (uint8_t)verdict;
    a->error = error;
    (void)answer_send(fd, a, NULL, 0);
    close(fd);
}

/* ---- what is opened ---- */

/* So that whoever holds the gate may write. */
static void drain(int fd)
{
    char c;
    while (recv(fd, &c, sizeof c, MSG_DONTWAIT) > 0)
        ;
}

/* The answer comes before the gate can be written to. It brings our end of the gate, too, which so goes when the
 * gate goes. After a failure something stays unread in our end, which hangs up with an error so. */
static void tell_gate(void *arg, int fd, int error)
{
    int gate = (int)(intptr_t)arg;
    const struct preload_answer a = {.magic = PRELOAD_MAGIC, .verdict = fd < 0 ? SAYS_FAILED : SAYS_OPEN, .error = error};
    const int given[2] = {fd, gate};
    if (answer_send(gate, &a, given, fd < 0 ? 0 : 2) && fd >= 0)
        drain(gate);
    close(gate);
}

static void open_chain(struct helper *h, const struct preload_request *q, const struct target *t, const char *chain, int fd)
{
    const struct preload_answer a = {.magic = PRELOAD_MAGIC, .verdict = SAYS_OPENING};
    if (answer_send(fd, &a, NULL, 0))
        opening_begin(h, q, t, chain, tell_gate, (void *)(intptr_t)fd);
    else
        close(fd);
}

/* ---- requests ---- */

static struct verdict refused(const struct preload_request *q, const struct target *t, int error, const char *text)
{
    helper_say(q, t, text);
    return (struct verdict){THEN_REFUSE, error, NULL};
}

struct verdict helper_decide(struct helper *h, const struct preload_request *q, const struct target *t)
{
    const struct rule *rule = rulebook_match(h->rules, t);
    if (!rule)
        return refused(q, t, ENETUNREACH, t->packets ? "no rule is about UDP there" : "no rule is about that, and there is no chain");
    if (rule->then == THEN_REFUSE)
        return refused(q, t, t->packets ? ENETUNREACH : ECONNREFUSED, "refused, as a rule says");
    if (rule->then == THEN_RESOLVE && !h->resolver)
        return refused(q, t, ENETUNREACH, "there is no resolver");
    /* who may do nothing himself does not get to look it up either; and our own way leads through another xiorun */
    if (rule->then == THEN_DIRECT && (h->within || (h->strict && t->version == 0 && !t->packets)))
        return (struct verdict){THEN_CHAIN, 0, t->packets ? "udp:{host}:{port}" : "tcp:{host}:{port}"};
    return (struct verdict){rule->then, 0, rule->chain};
}

static void decide(struct helper *h, const struct preload_request *q, int fd)
{
    struct preload_answer a = {0};
    struct target t;
    if (!helper_target(h, q, &t)) {
        (void)inet_ntop(q->version == 4 ? AF_INET : AF_INET6, q->addr, t.host, sizeof t.host);
        helper_say(q, &t, "this address stands for no name");
        answer(fd, &a, SAYS_FAILED, EHOSTUNREACH);
        return;
    }
    struct verdict v = helper_decide(h, q, &t);
    if (v.then == THEN_CHAIN) {
        open_chain(h, q, &t, v.chain, fd);
        return;
    }
    a.port = h->resolver;
    if (t.version == 0)
        memcpy(a.name, t.host, sizeof a.name);
    answer(fd, &a, v.then == THEN_DIRECT ? SAYS_DIRECT : v.then == THEN_RESOLVE ? SAYS_RESOLVER : SAYS_FAILED, v.error);
}

static void find_address(struct helper *h, struct preload_request *q, int fd)
{
    struct preload_answer a = {0};
    q->name[sizeof q->name - 1] = '\0';
    bool leaves = rulebook_leave(h->rules, q->name);
    if (leaves && (!h->within || rulebook_means_us(q->name)))
        answer(fd, &a, SAYS_DIRECT, 0);
    else
        answer(fd, &a, names_stand_in(h->names, q->name, a.v4, a.v6) ? SAYS_NAME : SAYS_FAILED, ENOENT);
}

static void find_name(struct helper *h, const struct preload_request *q, int fd)
{
    struct preload_answer a = {0};
    bool found = names_find(h->names, q->version == 4 ? 4 : 6, q->addr, a.name) && a.name[0];
    answer(fd, &a, found ? SAYS_NAME : SAYS_FAILED, ENOENT);
}

static void take(struct helper *h, struct preload_request *q, int fd)
{
    q->program[sizeof q->program - 1] = '\0';
    switch (q->ask) {
    case ASK_OPEN: decide(h, q, fd); return;
    case ASK_NAME: find_address(h, q, fd); return;
    case ASK_ADDRESS: find_name(h, q, fd); return;
    default: close(fd);
    }
}

/* ---- the lease ---- */

/* 1; 0: nobody is there any more. Whatever else comes with a request is closed. */
static int receive(int lease, struct preload_request *q, int *fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof *fd)];
    } control;
    struct iovec v = {q, sizeof *q};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *fd = -1;
    ssize_t n = recvmsg(lease, &m, MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EINTR || errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    if (n == 0)
        return 0;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(sizeof *fd))
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    if (*fd >= 0 && (n != sizeof *q || q->magic != PRELOAD_MAGIC)) {
        close(*fd);
        *fd = -1;
    }
    return 1;
}

static void allow_many_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

char *helper_modules(void)
{
    const char *list = getauxval(AT_SECURE) ? NULL : getenv("CATENA_MODULES");
    bool installed = access(CATENA_MODULE_DIR, R_OK | X_OK) == 0;
    char *all = NULL;
    if (!list && !installed)
        return NULL;
    return asprintf(&all, "%s:%s", list ? list : "", installed ? CATENA_MODULE_DIR : "") < 0 ? NULL : all;
}

int helper_begin(struct helper *h)
{
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->ended, NULL);
    allow_many_descriptors();
    h->names = names_new();
    if (!h->names)
        return -1;
    h->modules = helper_modules();
    (void)resolver_begin(h);
    return 0;
}

void helper_run(struct helper *h)
{
    struct preload_request q;
    int fd;
    while (receive(h->lease, &q, &fd))
        if (fd >= 0)
            take(h, &q, fd);
    pthread_mutex_lock(&h->lock);
    while (h->lines > 0) /* what they have written is on its way */
        pthread_cond_wait(&h->ended, &h->lock);
    pthread_mutex_unlock(&h->lock);
}
