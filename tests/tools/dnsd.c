/* SPDX-License-Identifier: GPL-2.0-or-later
 * A name server for tests: answers what its arguments say, over UDP and TCP, and tells of each
 * question what was asked.
 *
 *   dnsd <IPv4 address>:<port> <name>=<answer>...
 *
 * An answer is an IPv4 or IPv6 address; a name may be given several times. "<name>=silent": no
 * answer at all. "<name>=cut": over UDP the answers are marked as truncated. What is in none of them
 * does not exist. Standard output: "ready", then a line for each question, "<udp|tcp> <name> <type>
 * <rd|->" (rd: recursion is wanted), and "tcp connection" for each of these. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 512, HEADER = 12, CONNECTIONS = 16, TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1 };
enum { FLAG_RD = 0x01, FLAG_TC = 0x02, FLAG_AA = 0x04, FLAG_QR = 0x80, RA = 0x80, NXDOMAIN = 3 };

struct zone {
    char **records;
    int n;
};

static void die(const char *what)
{
    fprintf(stderr, "dnsd: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The text behind "<name>=" in a record of that name, or NULL. */
static const char *answer_of(const char *record, const char *name)
{
    size_t n = strlen(name);
    return strncasecmp(record, name, n) == 0 && record[n] == '=' ? record + n + 1 : NULL;
}

static bool has_answer(const struct zone *z, const char *name, const char *answer)
{
    for (int i = 0; i < z->n; i++) {
        const char *text = answer_of(z->records[i], name);
        if (text != NULL && (answer == NULL || strcmp(text, answer) == 0))
            return true;
    }
    return false;
}

/* The name of the question with dots, and where it ends; 0 when it is none. */
static size_t question_name(const unsigned char *q, size_t len, char *name)
{
    size_t at = HEADER, put = 0;

    while (at < len && q[at] != 0) {
        size_t part = q[at++];
        if (part > 63 || at + part >= len || put + part + 1 >= 256)
            return 0;
        if (put > 0)
            name[put++] = '.';
        memcpy(name + put, q + at, part);
        put += part;
        at += part;
    }
    name[put] = '\0';
    return at + 5 <= len ? at + 1 : 0;
}

/* Appends one resource record; gives the new length. */
static size_t put_address(unsigned char *a, size_t at, int type, const char *text)
{
    unsigned char ip[16], size = type == TYPE_A ? 4 : 16;

    if (inet_pton(type == TYPE_A ? AF_INET : AF_INET6, text, ip) != 1 || at + 12 + size > MESSAGE)
        return at;
    /* the name of the question, type, class, an hour, length */
    const unsigned char head[12] = {0xc0, HEADER, 0, (unsigned char)type, 0, CLASS_IN,
                                    0, 0, 0x0e, 0x10, 0, size};
    memcpy(a + at, head, sizeof head);
    memcpy(a + at + sizeof head, ip, size);
    a[7]++;
    return at + sizeof head + size;
}

/* The length of the answer to the question, or 0 for none. */
static size_t answer(const struct zone *z, bool tcp, const unsigned char *q, size_t len,
                     unsigned char *a)
{
    char name[256];
    size_t end = len > HEADER ? question_name(q, len, name) : 0;
    int type;

    if (end == 0)
        return 0;
    type = q[end] << 8 | q[end + 1];
    printf("%s %s %s %s\n", tcp ? "tcp" : "udp", name,
           type == TYPE_A ? "A" : type == TYPE_AAAA ? "AAAA" : "other", q[2] & FLAG_RD ? "rd" : "-");
    fflush(stdout);
    if (has_answer(z, name, "silent"))
        return 0;
    end += 4;
    memcpy(a, q, end);
    a[2] = (unsigned char)(FLAG_QR | FLAG_AA | (q[2] & FLAG_RD));
    a[3] = RA;
    memset(a + 6, 0, 6); /* records: none yet, and none of those the question came with */
    if (!has_answer(z, name, NULL))
        a[3] |= NXDOMAIN;
    if (!tcp && has_answer(z, name, "cut"))
        a[2] |= FLAG_TC;
    for (int i = 0; i < z->n; i++) {
        const char *text = answer_of(z->records[i], name);
        if (text != NULL && (type == TYPE_A || type == TYPE_AAAA))
            end = put_address(a, end, type, text);
    }
    return end;
}

static void serve_udp(const struct zone *z, int fd)
{
    unsigned char q[MESSAGE], a[MESSAGE];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(fd, q, sizeof q, 0, (struct sockaddr *)&from, &len);
    size_t size = n > 0 ? answer(z, false, q, (size_t)n, a) : 0;

    if (size > 0 && sendto(fd, a, size, 0, (struct sockaddr *)&from, len) < 0)
        die("sendto");
}

static bool receive_all(int fd, unsigned char *to, size_t n)
{
    return recv(fd, to, n, MSG_WAITALL) == (ssize_t)n;
}

/* One question of a connection; false: it has ended. */
static bool serve_tcp(const struct zone *z, int fd)
{
    unsigned char q[MESSAGE], a[2 + MESSAGE], head[2];
    size_t size, n;

    if (!receive_all(fd, head, 2))
        return false;
    n = (size_t)head[0] << 8 | head[1];
    if (n > sizeof q || !receive_all(fd, q, n))
        return false;
    size = answer(z, true, q, n, a + 2);
    a[0] = (unsigned char)(size >> 8);
    a[1] = (unsigned char)size;
    return size == 0 || send(fd, a, size + 2, MSG_NOSIGNAL) == (ssize_t)size + 2;
}

static int bound(int type, const struct sockaddr_in *to)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)to, sizeof *to) < 0)
        die("bind");
    return fd;
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct zone z = {argv + 2, argc - 2};
    char *colon = argc > 1 ? strchr(argv[1], ':') : NULL;
    struct pollfd fds[2 + CONNECTIONS]; /* UDP, listening, connections */
    nfds_t n = 2;

    if (colon == NULL)
        die("usage: dnsd <address>:<port> <name>=<answer>...");
    *colon = '\0';
    to.sin_port = htons((in_port_t)atoi(colon + 1));
    if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
        die("address");
    fds[0] = (struct pollfd){bound(SOCK_DGRAM, &to), POLLIN, 0};
    fds[1] = (struct pollfd){bound(SOCK_STREAM, &to), POLLIN, 0};
    if (listen(fds[1].fd, CONNECTIONS) < 0)
        die("listen");
    puts("ready");
    fflush(stdout);

    while (poll(fds, n, -1) > 0) {
        if (fds[0].revents != 0)
            serve_udp(&z, fds[0].fd);
        for (nfds_t i = n; i-- > 2;) {
            if (fds[i].revents == 0 || serve_tcp(&z, fds[i].fd))
                continue;
            close(fds[i].fd);
            fds[i] = fds[--n];
        }
        if (fds[1].revents != 0 && n < 2 + CONNECTIONS) {
            puts("tcp connection");
            fflush(stdout);
            fds[n++] = (struct pollfd){accept(fds[1].fd, NULL, NULL), POLLIN, 0};
        }
    }
    return 0;
}
