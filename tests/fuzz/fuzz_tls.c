/* SPDX-License-Identifier: GPL-2.0-or-later
 * TLS sessions with somebody in between. The first byte chooses: one session that gets the rest as
 * it is, as client or as server; or two that talk to each other while the rest says what happens on
 * the way: bytes pass, are changed, are lost, are invented, or the connection ends. Whatever it is:
 * what comes out is what went in, from its beginning and without a gap, and nobody takes a stream
 * that was cut for a whole one. The two may go on from a session that an earlier connection left. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "catena/run.h"
#include "inter/libraries/libraries.h"
#include "../home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENT, SERVER, BUF = 16384, STREAM = 3000, STEPS = 4000 };

static char pem[] = "/tmp/catena-fuzz-tls-XXXXXX";
enum { WHOLE, RESUMED, KEYS, KINDS };
static struct plan *plans[KINDS][2];
static struct run prepared;
static void *shared[KINDS][2];
static const struct settings settings = {.catena = &home, .to_right = true, .to_left = true, .linger = -1,
                                         .idle = -1, .ip_version = 4, .comm = 'S',
                                         .env_prefix = "SOCAT"};

struct end {
    const struct session_ops *ops;
    void *st;
    struct buf buf[4];
    struct session_side data, wire;
    size_t sent, received;
    bool failed;
};

static void write_certificate(void)
{
    int fd = mkstemp(pem);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    if (!f || !key || !cert)
        abort();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"localhost", -1,
                               -1, 0);
    X509_set_version(cert, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * 365);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    if (!X509_sign(cert, key, EVP_sha256()) ||
        !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) || !PEM_write_X509(f, cert) ||
        fclose(f) != 0)
        abort();
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void prepare_kind(int kind)
{
    static const char *const more[KINDS] = {",resume=0", "", ""};
    const char *key = "psk=a:000102030405060708090a0b0c0d0e0f,resume=0";
    char address[2][160];
    struct err e;
    (void)snprintf(address[CLIENT], sizeof address[CLIENT], "openssl-client,cafile=%s,commonname=localhost,alpn=h2%s|pipe", pem,
                   more[kind]);
    (void)snprintf(address[SERVER], sizeof address[SERVER], "openssl-server,cert=%s,strict-sni,alpn=x h2,verify=0%s|pipe", pem, more[kind]);
    for (int i = 0; i < 2 && kind == KEYS; i++)
        (void)snprintf(address[i], sizeof address[i], "openssl-%s,%s|pipe", i == CLIENT ? "client" : "server", key);
    for (int i = 0; i < 2; i++) {
        if (plan_make(&settings, "-", address[i], &plans[kind][i], &e) < 0)
            abort();
        const struct addr *a = plans[kind][i]->links[0].fwd;
        if (a->form->ops.session->common.prepare(a, &prepared, &shared[kind][i], &e) < 0)
            abort();
    }
}

static void prepare(void)
{
    struct err e;
    if (libraries_load_openssl(&e) < 0) /* calls of this file go that way, too */
        abort();
    write_certificate();
    if (run_init(&prepared, &settings, NULL, -1, &e) < 0)
        abort();
    for (int kind = 0; kind < KINDS; kind++)
        prepare_kind(kind);
    (void)unlink(pem);
}

static void end_open(struct end *end, int kind, int role)
{
    const struct addr *a = plans[kind][role]->links[0].fwd;
    struct err e;
    *end = (struct end){.ops = a->form->ops.session};
    for (int i = 0; i < 4; i++)
        if (buf_init(&end->buf[i], BUF) < 0)
            abort();
    end->data = (struct session_side){.in = &end->buf[0], .out = &end->buf[1]};
    end->wire = (struct session_side){.in = &end->buf[2], .out = &end->buf[3]};
    if (end->ops->open(a, &prepared, shared[kind][role], &end->st, &e) < 0)
        abort();
}

static void end_close(struct end *end)
{
    end->ops->close(end->st);
    for (int i = 0; i < 4; i++)
        buf_fini(&end->buf[i]);
}

static uint8_t pattern(size_t i) { return (uint8_t)(i * 31 + (i >> 8)); }

static void end_step(struct end *end)
{
    struct err e = {.kind = ERR_NONE};
    uint8_t *at;
    size_t room = buf_room(end->data.in, &at), n = 0;
    for (; n < room && end->sent < STREAM; n++)
        at[n] = pattern(end->sent++);
    buf_commit(end->data.in, n);
    end->data.in_eof = end->sent == STREAM;
    if (end->failed)
        return;
    end->failed = end->ops->step(end->st, &end->data, &end->wire, &e) < 0;
    if (end->failed && (e.kind == ERR_NONE || !e.text[0]))
        abort();
    for (const char *c = e.text; end->failed && *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            abort();
    for (size_t i = 0; i < end->data.out->len; i++)
        if (buf_data(end->data.out)[i] != pattern(end->received++))
            abort();
    buf_consume(end->data.out, end->data.out->len);
    if (end->received > STREAM || (end->data.out_eof && !end->failed && end->received != STREAM))
        abort();
}

/* Nobody who does not know the keys gets as far as the data. */
static void alone(int kind, int role, const uint8_t *data, size_t size)
{
    struct end end;
    end_open(&end, kind, role);
    for (size_t i = 0; i <= size && !end.failed;) {
        size_t n = buf_put(end.wire.in, data + i, size - i < 700 ? size - i : 700);
        i += n;
        end.wire.in_eof = i == size;
        end_step(&end);
        buf_consume(end.wire.out, end.wire.out->len);
        end_step(&end); /* a failure is told when its alert is out */
        if (n == 0 && end.wire.in_eof)
            break;
    }
    if (!end.failed || end.received > 0)
        abort();
    end_close(&end);
}

/* One piece on its way from one to the other; op says what happens to it. */
static void carry(struct end *from, struct end *to, unsigned op)
{
    struct buf *b = from->wire.out;
    size_t n = 1 + (op & 31) * 40U;
    n = n < b->len ? n : b->len;
    switch (op >> 5) {
    case 4: /* changed */
        if (n > 0)
            buf_data(b)[n - 1] ^= (unsigned char)(1 + (op & 7));
        break;
    case 5: buf_consume(b, n < 3 ? n : 3); return; /* lost */
    case 6: (void)buf_put(to->wire.in, "\x17\x03\x03\x00\x05hello", 1 + (op & 31) % 10); return;
    case 7:
        if ((op & 31) == 31)
            to->wire.in_eof = true;
        return;
    default: break;
    }
    if (to->wire.in_eof)
        buf_consume(b, b->len);
    n = buf_put(to->wire.in, buf_data(b), n);
    buf_consume(b, n);
    if (from->wire.out_eof && b->len == 0)
        to->wire.in_eof = true;
}

static void between(int kind, const uint8_t *ops, size_t n)
{
    struct end ends[2];
    end_open(&ends[CLIENT], kind, CLIENT);
    end_open(&ends[SERVER], kind, SERVER);
    /* behind the last op all passes, for a while */
    for (size_t i = 0; i < n + STEPS / 10; i++) {
        for (int k = 0; k < 2; k++) {
            end_step(&ends[k]);
            carry(&ends[k], &ends[!k], i < n ? ops[i] : 31);
        }
        if ((ends[0].failed || ends[0].data.out_eof) && (ends[1].failed || ends[1].data.out_eof) &&
            ends[0].wire.out->len == 0 && ends[1].wire.out->len == 0)
            break;
    }
    /* nothing happened to it: then it has to arrive */
    for (size_t i = 0; i < n; i++)
        if (ops[i] >= 4 << 5)
            goto out;
    if (ends[0].failed || ends[1].failed || ends[0].received != STREAM ||
        ends[1].received != STREAM || !ends[0].data.out_eof || !ends[1].data.out_eof)
        abort();
out:
    end_close(&ends[CLIENT]);
    end_close(&ends[SERVER]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!shared[WHOLE][CLIENT])
        prepare();
    if (size < 1 || size > STEPS)
        return 0;
    int kind = data[0] & 4 ? KEYS : data[0] % 4 == 3 ? RESUMED : WHOLE;
    if (data[0] % 4 < 2)
        alone(kind, data[0] % 4, data + 1, size - 1);
    else {
        if (kind == RESUMED)
            between(kind, data, 0); /* leaves a session to the next one */
        between(kind, data + 1, size - 1);
    }
    return 0;
}
