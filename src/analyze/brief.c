/* SPDX-License-Identifier: GPL-2.0-or-later
 * The brief form: one word for the type, then a name: a path, a terminal, socket addresses. */
#include "analyze/analyze.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catena/sockaddr.h"

enum { PATH_ROOM = 4096 };

static int socket_number(int fd, int option)
{
    int value;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -1 : value;
}

static const char *protocol_name(int protocol)
{
    static const struct {
        int protocol;
        const char *name;
    } names[] = {{IPPROTO_TCP, "tcp"},   {IPPROTO_UDP, "udp"},   {IPPROTO_UDPLITE, "udplite"},
                 {IPPROTO_SCTP, "sctp"}, {IPPROTO_DCCP, "dccp"}, {IPPROTO_MPTCP, "mptcp"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].protocol == protocol)
            return names[i].name;
    return "ip";
}

static const char *kind_name(int fd)
{
    static const char *const names[] = {
        [SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram",         [SOCK_RAW] = "raw",
        [SOCK_RDM] = "rdm",       [SOCK_SEQPACKET] = "seqpacket", [SOCK_DCCP] = "dccp"};
    int type = socket_number(fd, SO_TYPE);
    bool known = type >= 0 && (size_t)type < sizeof names / sizeof *names && names[type];
    return known ? names[type] : "unknown";
}

static void put_address(FILE *f, const struct sockname *n)
{
    char host[SOCKNAME_TEXT];
    analyze_name(f, sockname_host(n, host));
    if (sockname_port(n) >= 0)
        fprintf(f, ":%d", sockname_port(n));
}

static void put_addresses(FILE *f, const struct sockname *local, const struct sockname *peer,
                          char between)
{
    put_address(f, local);
    if (sockname_family(peer) == AF_UNSPEC) /* there is none */
        return;
    putc(between, f);
    put_address(f, peer);
}

static void put_ip(FILE *f, int fd, const struct sockname *local, const struct sockname *peer,
                   enum brief how)
{
    bool listening = socket_number(fd, SO_ACCEPTCONN) > 0;
    fprintf(f, "%s%s", protocol_name(socket_number(fd, SO_PROTOCOL)),
            sockname_family(local) == AF_INET6 ? "6" : "");
    if (how == BRIEF_SIMPLE) {
        fputs(listening ? "(listening) " : " ", f);
        put_addresses(f, local, peer, ' ');
    } else {
        putc(' ', f);
        put_addresses(f, local, peer, '-');
        fprintf(f, " (%s) %s", kind_name(fd), listening ? "(listening)" : "");
    }
}

static void put_unix(FILE *f, int fd, const struct sockname *local, const struct sockname *peer,
                     enum brief how)
{
    bool listening = socket_number(fd, SO_ACCEPTCONN) > 0;
    bool datagram = socket_number(fd, SO_TYPE) == SOCK_DGRAM;
    if (how == BRIEF_SIMPLE) {
        fprintf(f, "unix%s%s ", datagram ? "datagram" : "", listening ? "(listening)" : "");
        put_address(f, local);
    } else {
        fputs("unix ", f);
        put_addresses(f, local, peer, '-');
        fprintf(f, " %s %s", kind_name(fd), listening ? "(listening)" : "");
    }
}

static void put_socket(FILE *f, int fd, enum brief how)
{
    struct sockname local, peer;
    sockname_local(&local, fd);
    sockname_peer(&peer, fd);
    switch (sockname_family(&local)) {
    case AF_INET:
    case AF_INET6: put_ip(f, fd, &local, &peer, how); break;
    case AF_UNIX: put_unix(f, fd, &local, &peer, how); break;
    default: fprintf(f, "socket(family/domain=%d)", sockname_family(&local)); break;
    }
}

/* The name the system knows, if it is one in the file system; that of a pipe is of no use. */
static void put_other(FILE *f, int fd, mode_t mode)
{
    char proc[64], name[PATH_ROOM];
    if (isatty(fd) && ttyname_r(fd, name, sizeof name) == 0) {
        fputs("tty ", f);
        analyze_name(f, name);
        return;
    }
    const char *type = analyze_type(mode);
    fprintf(f, "%s ", type);
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(proc, name, sizeof name - 1);
    if (n <= 0)
        return;
    name[n] = '\0';
    if (name[0] == '/' || strcmp(type, "undef") == 0) /* anon_inode:[eventfd] and the like */
        analyze_name(f, name);
}

bool analyze_fd_brief(FILE *f, int fd, enum brief how, int width)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    if (width > 0)
        fprintf(f, "%*d ", width, fd);
    if (S_ISSOCK(st.st_mode))
        put_socket(f, fd, how);
    else
        put_other(f, fd, st.st_mode);
    putc('\n', f);
    return true;
}
