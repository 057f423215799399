/* SPDX-License-Identifier: GPL-2.0-or-later
 * Clients of PROXY-SERVER: the first byte chooses the server, the second how many bytes come at once. Requests that
 * stay on the line are then passed on, in pieces of that size and at once, and both have to come out alike,
 * with nothing of what is between client and proxy in a head. */
#include "server.h"

#include "inter/proxy/http_server.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct server servers[2];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    server_make(&servers[0], "proxy-server");
    server_make(&servers[1], "proxy-server,auth=me:s3cret,deny=10.0.0.0/8");
    return 0;
}

/* The last of the requests that come up to a tunnel's, or to one that is forwarded; NULL: there is none. */
static const char *final_head(const char *data, size_t size, size_t *rest)
{
    size_t n;
    while (size > 0 && (*data == '\r' || *data == '\n')) {
        data++;
        size--;
    }
    if ((n = http_head_length(data, size, 0)) == 0)
        return NULL;
    bool tunnel = size > 8 && memcmp(data, "CONNECT ", 8) == 0;
    *rest = tunnel ? size - n : size;
    return data;
}

static size_t forward(struct run *r, const struct addr *a, const uint8_t *data, size_t size, size_t piece, char *out, size_t cap, int *rc)
{
    const struct codec_ops *ops = http_forward.decode;
    const struct codec_place place = {.addr = a, .run = r, .to_right = true};
    struct err e = {.kind = ERR_NONE};
    struct buf in, made;
    size_t n = 0;
    void *st = calloc(1, ops->state_size);
    if (!st || ops->init(st, a, &e) < 0 || ops->start(st, &place, &e) < 0 || buf_init(&in, piece) < 0 || buf_init(&made, piece) < 0)
        abort();
    *rc = 1;
    while (*rc == 0 || (*rc == 1 && size > 0)) {
        size_t k = buf_put(&in, data, size);
        data += k;
        size -= k;
        *rc = ops->push(st, &in, &made, CODEC_RUN, &e);
        if (n + made.len > cap)
            abort();
        memcpy(out + n, buf_data(&made), made.len);
        n += made.len;
        buf_consume(&made, made.len);
    }
    if (*rc < 0)
        dialog_check_message(&e, (const uint8_t *)"3", 1);
    buf_fini(&in);
    buf_fini(&made);
    ops->fini(st);
    free(st);
    return n;
}

static void check_forward(struct server *s, const uint8_t *data, size_t size, size_t piece)
{
    size_t cap = 40 * size + 4096;
    char *whole = malloc(cap), *pieces = malloc(cap);
    struct err e;
    struct run run;
    int rc[2];
    if (!whole || !pieces || run_init(&run, &dialog_settings, s->plan, -1, &e) < 0)
        abort();
    run.shared = s->shared;
    const struct addr *a = s->plan->links[0].fwd;
    size_t n = forward(&run, a, data, size, 100000, whole, cap, &rc[0]);
    size_t m = forward(&run, a, data, size, piece, pieces, cap, &rc[1]);
    if (rc[0] != rc[1] || n != m || memcmp(whole, pieces, n) != 0)
        abort();
    if (n > 0 && (memmem(whole, n, " http://", 8) == whole + 3 || !memmem(whole, n, "\r\nHost: ", 8)))
        abort();
    free(whole);
    free(pieces);
    run.shared = NULL;
    run_fini(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t rest = 0;
    if (size < 3 || size > 20000)
        return 0;
    struct server *s = &servers[data[0] % 2];
    bool one = s == &servers[0];
    const char *head = final_head((const char *)data + 2, size - 2, &rest);
    if (one)
        server_meets(s, data + 2, size - 2, data[1], head != NULL, rest);
    check_forward(s, data + 2, size - 2, data[1] ? data[1] : 1);
    return 0;
}
