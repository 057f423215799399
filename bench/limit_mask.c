/* SPDX-License-Identifier: GPL-2.0-or-later
 * What WebSocket costs at least: limit_mask [-b bytes] <in> <out>, ends as in ends.h. One direction; each block is
 * masked into another, as a client sends it, and unmasked into a third one, as a server takes it. */
#include "ends.h"

#include <openssl/rand.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void mask(unsigned char *to, const unsigned char *from, size_t n, uint64_t key)
{
    size_t i = 0;
    for (uint64_t w[8]; n - i >= sizeof w; i += sizeof w) {
        memcpy(w, from + i, sizeof w);
        for (size_t j = 0; j < 8; j++)
            w[j] ^= key;
        memcpy(to + i, w, sizeof w);
    }
    for (; i < n; i++)
        to[i] = from[i] ^ (unsigned char)(key >> (i & 7) * 8);
}

int main(int argc, char **argv)
{
    struct end in, out;
    size_t size = CHUNK;
    int c;

    while ((c = getopt(argc, argv, "b:")) != -1)
        if (c == 'b')
            size = strtoul(optarg, NULL, 10);
        else
            return 2;
    if (argc - optind != 2)
        die("usage: limit_mask [-b bytes] <in> <out>", NULL);
    unsigned char *plain = malloc(size), *masked = malloc(size), *again = malloc(size);
    if (!plain || !masked || !again)
        die("no memory", NULL);
    signal(SIGPIPE, SIG_IGN);
    end_prepare(&in, argv[optind]);
    end_prepare(&out, argv[optind + 1]);
    end_complete(&in);
    end_complete(&out);
    for (ssize_t n; (n = read(in.fd, plain, size)) > 0;) {
        uint32_t key;
        if (RAND_bytes((unsigned char *)&key, sizeof key) != 1)
            die("no random bytes", NULL);
        uint64_t wide = (uint64_t)key << 32 | key;
        mask(masked, plain, (size_t)n, wide);
        mask(again, masked, (size_t)n, wide);
        if (!write_all(out.fd, again, (size_t)n))
            break;
    }
    end_shut(&out);
    return 0;
}
