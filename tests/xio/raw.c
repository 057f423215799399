/* SPDX-License-Identifier: GPL-2.0-or-later
 * Built static, a program that no preload library reaches: what it tries, a line each. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in there(const char *host, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, host, &a.sin_addr);
    return a;
}

static void tell(const char *what, long rc)
{
    printf("%s: %s\n", what, rc < 0 ? strerrorname_np(errno) : "ok");
    fflush(stdout);
}

static void stream(const char *what, int flags)
{
    struct sockaddr_in a = there("192.0.2.1", 80);
    char text[1000] = "";
    size_t n = 0;
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    tell(what, connect(fd, (struct sockaddr *)&a, sizeof a));
    fcntl(fd, F_SETFL, 0);
    if (write(fd, "GET /page HTTP/1.0\r\n\r\n", 22) == 22)
        for (ssize_t got; n < sizeof text - 1 && (got = read(fd, text + n, sizeof text - 1 - n)) > 0;)
            n += (size_t)got;
    printf("%s: %s\n", what, n > 6 && strcmp(text + n - 6, "hello\n") == 0 ? "hello" : text);
    close(fd);
}

static void first_bytes(void)
{
    struct sockaddr_in a = there("192.0.2.1", 80);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    tell("fast open", sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&a, sizeof a));
    close(fd);
}

static void packets(void)
{
    struct sockaddr_in a = there("192.0.2.1", 123), loop = there("127.0.0.1", 9);
    struct iovec v = {"x", 1};
    struct mmsghdr m = {.msg_hdr = {.msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &v, .msg_iovlen = 1}};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    tell("sendto", sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof a));
    tell("sendmsg", sendmsg(fd, &m.msg_hdr, 0));
    tell("sendmmsg", sendmmsg(fd, &m, 1, 0));
    a.sin_family = AF_UNSPEC;
    tell("no family", sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof a));
    a.sin_family = AF_INET;
    tell("udp connect", connect(fd, (struct sockaddr *)&a, sizeof a));
    tell("direct", sendto(fd, "x", 1, 0, (struct sockaddr *)&loop, sizeof loop));
    close(fd);
}

static void question(void)
{
    static const char ask[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3far\7example\0\0\1\0\1";
    struct sockaddr_in a = there("192.0.2.53", 53);
    unsigned char answer[500];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct iovec v = {(void *)(unsigned long)ask, sizeof ask - 1};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    tell("resolver", connect(fd, (struct sockaddr *)&a, sizeof a));
    tell("question", sendmmsg(fd, &m, 1, 0));
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    printf("answer: %d.%d, %u sent\n", answer[n - 4], answer[n - 3] & 0xfe, m.msg_len);
    close(fd);
}

/* Nothing that is no matter of the Internet is any different: a descriptor goes through a socket by its name. */
static void local(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "sock"};
    union {
        struct cmsghdr h;
        char room[CMSG_SPACE(sizeof(int))];
    } c = {.h = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    char big[300000] = "", text[8] = "";
    struct iovec v = {"x", 1}, large = {big, sizeof big};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
    struct msghdr more = {.msg_iov = &large, .msg_iovlen = 1};
    int l = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0), pair[2], status = 1;
    if (bind(l, (struct sockaddr *)&name, sizeof name) < 0 || listen(l, 1) < 0 || pipe(pair) < 0)
        tell("local", -1);
    memcpy(CMSG_DATA(&c.h), &pair[1], sizeof pair[1]);
    tell("connect by name", connect(fd, (struct sockaddr *)&name, sizeof name));
    int there_ = accept(l, NULL, NULL);
    tell("descriptor", sendmsg(fd, &m, 0));
    pid_t child = fork();
    if (child == 0) {
        char byte, rest[4096];
        struct iovec in = {&byte, 1};
        struct msghdr got = {.msg_iov = &in, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
        int given = -1;
        size_t sum = 0;
        close(fd);
        if (recvmsg(there_, &got, 0) == 1)
            memcpy(&given, CMSG_DATA(&c.h), sizeof given);
        for (ssize_t n; (n = read(there_, rest, sizeof rest)) > 0;)
            sum += (size_t)n;
        _exit(write(given, "given\n", 6) == 6 && sum == sizeof big ? 0 : 1);
    }
    close(there_);
    for (size_t sent = 0; sent < sizeof big; sent += (size_t)sendmsg(fd, &more, 0)) /* waits for the reader */
        large = (struct iovec){big + sent, sizeof big - sent};
    close(fd);
    waitpid(child, &status, 0);
    printf("child: %d, %.*s", status, (int)read(pair[0], text, sizeof text), text);
    unlink("sock");
}

int main(void)
{
    stream("waiting", 0);
    stream("not waiting", SOCK_NONBLOCK);
    first_bytes();
    packets();
    question();
    local();
    tell("ring", syscall(SYS_io_uring_setup, 1, NULL));
    return 5;
}
