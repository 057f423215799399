/* SPDX-License-Identifier: GPL-2.0-or-later
 * Bulk transfer through a relay: plays both of its ends.
 *
 *   flow [-w near|back|both] [-b bytes] [-a] [-f] [-m] [-o file] <near> <far>
 *
 * Ends as in ends.h. Prints "ready" when it listens, waits for a line, then sends <bytes> from near
 * to far, back, or both ways at once, each followed by a half-close, and prints the result as JSON.
 *   -a  the receiver answers with 64 KiB after the end of file, which must arrive: half-close works
 *   -f  every byte is compared; else 8 of each 4 KiB, the ends of each block read, and the count
 *   -m  ">" and "<" are marks put in by the relay, and no data
 *   -o  what arrives is saved instead of compared and counted as such (<bytes> is of no interest)
 * The pattern has no byte below 0x80 and repeats each 256 KiB, so sending costs no more than
 * write(2). */
#include "ends.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER = 64 * 1024, SAMPLE = 4096, LIMIT_SECONDS = 120 };

/* One direction. */
struct way {
    const char *name;
    struct end *from, *to;
    uint64_t bytes;    /* to be sent and expected */
    uint64_t got;      /* data received */
    uint64_t complete; /* when the last byte had come */
    char fault[96];
    unsigned char pattern[CHUNK];
};

/* What one end does with its two directions, and in which order. */
struct side {
    struct way *out, *in;
    enum order { SEND_FIRST, RECEIVE_FIRST, TOGETHER } order;
};

struct flow {
    bool full, marks;
    int save;
    struct end near, far;
    struct way forward, back;
    struct side near_side, far_side;
};

static struct flow flow = {.save = -1};

/* The first surprise of a way, be it at its sender or at its receiver. */
static void fault(struct way *way, const char *text)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&lock);
    if (!way->fault[0])
        snprintf(way->fault, sizeof(way->fault), "%s: %s after %" PRIu64 " of %" PRIu64 " bytes",
                 way->name, text, way->got, way->bytes);
    pthread_mutex_unlock(&lock);
}

static void pattern_make(struct way *way, uint64_t seed)
{
    for (size_t i = 0; i < CHUNK; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        way->pattern[i] = (unsigned char)(seed >> 56 | 0x80);
    }
}

static bool same(const struct way *way, const unsigned char *data, size_t n, uint64_t at)
{
    while (n > 0) {
        size_t from = (size_t)(at % CHUNK), part = n < CHUNK - from ? n : CHUNK - from;

        if (memcmp(data, way->pattern + from, part) != 0)
            return false;
        data += part;
        n -= part;
        at += part;
    }
    return true;
}

static bool sampled(const struct way *way, const unsigned char *data, size_t n, uint64_t at)
{
    size_t i = (size_t)(SAMPLE - at % SAMPLE) % SAMPLE, edge = n < 8 ? n : 8;

    for (; i + 8 <= n; i += SAMPLE)
        if (memcmp(data + i, way->pattern + (at + i) % CHUNK, 8) != 0)
            return false;
    return same(way, data, edge, at) && same(way, data + n - edge, edge, at + n - edge);
}

static void take(struct way *way, const unsigned char *data, size_t n)
{
    bool well = flow.full ? same(way, data, n, way->got) : sampled(way, data, n, way->got);

    if (!well)
        fault(way, "wrong content");
    way->got += n;
}

/* The data between the marks. */
static void take_marked(struct way *way, const unsigned char *data, size_t n, unsigned char mark)
{
    const unsigned char *end = data + n;

    while (data < end) {
        const unsigned char *at = memchr(data, mark, (size_t)(end - data));
        const unsigned char *stop = at ? at : end;

        if (stop > data)
            take(way, data, (size_t)(stop - data));
        data = at ? at + 1 : end;
    }
}

static void send_way(struct way *way)
{
    for (uint64_t left = way->bytes; left > 0;) {
        size_t n = left < CHUNK ? (size_t)left : CHUNK;

        if (!end_write(way->from, way->pattern, n)) {
            if (way->to->fd >= 0)
                fault(way, "sending failed");
            break;
        }
        left -= n;
    }
    end_shut(way->from);
}

static void receive_way(struct way *way)
{
    unsigned char *buf = malloc(CHUNK);
    ssize_t n;

    if (!buf)
        die("no memory", NULL);
    while ((n = end_read(way->to, buf, CHUNK)) > 0) {
        if (flow.save >= 0) {
            way->got += (size_t)n;
            way->complete = now_ns();
            if (!write_all(flow.save, buf, (size_t)n))
                die("cannot save", NULL);
            continue;
        }
        if (flow.marks)
            take_marked(way, buf, (size_t)n, way == &flow.forward ? '>' : '<');
        else
            take(way, buf, (size_t)n);
        if (way->got >= way->bytes && !way->complete)
            way->complete = now_ns();
    }
    free(buf);
    if (way->bytes == 0 || flow.save >= 0)
        return;
    if (n < 0 && errno == EAGAIN)
        fault(way, way->got < way->bytes ? "stands still" : "no end of file");
    else if (n < 0)
        fault(way, strerror(errno));
    else if (way->got != way->bytes)
        fault(way, "end of file");
}

static void *send_thread(void *arg)
{
    send_way(arg);
    return NULL;
}

static void *side_thread(void *arg)
{
    struct side *side = arg;
    pthread_t sender;

    if (side->order == TOGETHER && pthread_create(&sender, NULL, send_thread, side->out) != 0)
        die("no thread", NULL);
    if (side->order == SEND_FIRST && side->out->from->fd >= 0)
        send_way(side->out);
    if (side->in->to->fd >= 0)
        receive_way(side->in);
    if (side->order == RECEIVE_FIRST && side->out->from->fd >= 0)
        send_way(side->out);
    if (side->order == TOGETHER)
        pthread_join(sender, NULL);
    return NULL;
}

static void report(uint64_t start)
{
    bool both = flow.back.bytes > ANSWER; /* an answer is no part of the transfer */
    uint64_t end = flow.forward.complete;

    if (both && flow.back.complete > end)
        end = flow.back.complete;
    if (end < start)
        end = now_ns();
    printf("{\"seconds\": %.6f, \"forward\": %" PRIu64 ", \"back\": %" PRIu64
           ", \"fault\": \"%s\", \"answer_fault\": \"%s\"}\n",
           (double)(end - start) / 1e9, flow.forward.got, flow.back.got,
           flow.forward.fault[0] || !both ? flow.forward.fault : flow.back.fault,
           both ? "" : flow.back.fault);
}

/* Who sends how much, and what each end does first. */
static void arrange(const char *direction, uint64_t bytes, bool answer)
{
    bool near = strcmp(direction, "near") == 0, back = strcmp(direction, "back") == 0;

    flow.forward.name = "forward";
    flow.forward.from = flow.back.to = &flow.near;
    flow.forward.bytes = back ? 0 : bytes;
    flow.back.name = "back";
    flow.back.from = flow.forward.to = &flow.far;
    flow.back.bytes = !near ? bytes : answer ? ANSWER : 0;
    flow.near_side = (struct side){&flow.forward, &flow.back,
                                   near   ? SEND_FIRST
                                   : back ? RECEIVE_FIRST
                                          : TOGETHER};
    flow.far_side = (struct side){&flow.back, &flow.forward,
                                  near   ? RECEIVE_FIRST
                                  : back ? SEND_FIRST
                                         : TOGETHER};
    pattern_make(&flow.forward, 1);
    pattern_make(&flow.back, 2);
}

int main(int argc, char **argv)
{
    uint64_t bytes = 1 << 20, start;
    const char *direction = "near";
    bool answer = false;
    pthread_t thread;
    int c;

    while ((c = getopt(argc, argv, "w:b:afmo:")) != -1)
        if (c == 'w')
            direction = optarg;
        else if (c == 'b')
            bytes = strtoull(optarg, NULL, 10);
        else if (c == 'a')
            answer = true;
        else if (c == 'f')
            flow.full = true;
        else if (c == 'm')
            flow.marks = true;
        else if (c != 'o')
            return 2;
        else if ((flow.save = open(optarg, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
            die("cannot write", optarg);
    if (argc - optind != 2)
        die("usage: flow [options] <near> <far>", NULL);
    signal(SIGPIPE, SIG_IGN);
    alarm(LIMIT_SECONDS);
    arrange(direction, bytes, answer);

    end_prepare(&flow.near, argv[optind]);
    end_prepare(&flow.far, argv[optind + 1]);
    say_ready();
    if (!wait_for_go())
        return 1;
    end_complete(&flow.near);
    end_complete(&flow.far);
    start = now_ns(); /* connecting and handshakes are measured elsewhere */
    if (pthread_create(&thread, NULL, side_thread, &flow.far_side) != 0)
        die("no thread", NULL);
    side_thread(&flow.near_side);
    pthread_join(thread, NULL);
    report(start);
    return 0;
}
