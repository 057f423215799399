/* SPDX-License-Identifier: GPL-2.0-or-later
 * TLS sessions back to back in memory: what one writes to its wire is fed to the other in pieces.
 * Certificate and keys are made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "catena/inter.h"
#include "catena/run.h"
#include "inter/libraries/libraries.h"
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"
#include "../home.h"

extern const struct form forms_tls[];

enum { CLIENT = 0, SERVER = 1 }; /* indexes into forms_tls */
enum { BUF = 64 * 1024 };        /* bytes */

static struct files {
    char server[64], other[64], encrypted[64], bare[64]; /* PEM; bare: without a key */
} files;
static struct settings settings = {.catena = &home};

/* ---- certificates ---- */

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(x);
    assert_int_equal(X509_add_ext(cert, x, -1), 1);
    X509_EXTENSION_free(x);
}

static X509 *make_certificate(EVP_PKEY *key, const char *cn, const char *sans)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "C", MBSTRING_UTF8, (const unsigned char *)"XY", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"one", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"t\nwo", -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    if (sans)
        add_extension(cert, NID_subject_alt_name, sans);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

enum key_kind { KEY_NONE, KEY_PLAIN, KEY_ENCRYPTED };

static void write_pem(char *path, const char *cn, const char *sans, enum key_kind kind)
{
    char phrase[] = "secret";
    strcpy(path, "/tmp/catena-test-tls-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(f);
    assert_non_null(key);
    X509 *cert = make_certificate(key, cn, sans);
    if (kind != KEY_NONE)
        assert_int_equal(PEM_write_PrivateKey(f, key, kind == KEY_PLAIN ? NULL : EVP_aes_128_cbc(),
                                              NULL, 0, NULL, kind == KEY_PLAIN ? NULL : phrase),
                         1);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    assert_int_equal(fclose(f), 0);
}

static int make_files(void **state)
{
    struct err e;
    assert_int_equal(libraries_load_openssl(&e), 0); /* calls of this file go that way, too */
    (void)state;
    write_pem(files.server, "localhost", "DNS:localhost,DNS:*.example.com,IP:127.0.0.1,IP:::1",
              KEY_PLAIN);
    write_pem(files.other, "192.0.2.7", NULL, KEY_PLAIN);
    write_pem(files.encrypted, "localhost", NULL, KEY_ENCRYPTED);
    write_pem(files.bare, "localhost", NULL, KEY_NONE);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    unlink(files.server);
    unlink(files.other);
    unlink(files.encrypted);
    unlink(files.bare);
    return 0;
}

/* ---- one end ---- */

static const struct option_desc rows[] = {
    {.name = "openssl-verify", .same_as = &opt_tls_verify, .type = VALUE_BOOL},
    {.name = "openssl-cafile", .same_as = &opt_tls_cafile, .type = VALUE_STRING},
    {.name = "openssl-cert", .same_as = &opt_tls_cert, .type = VALUE_STRING},
    {.name = "openssl-key", .same_as = &opt_tls_key, .type = VALUE_STRING},
    {.name = "openssl-commonname", .same_as = &opt_tls_commonname, .type = VALUE_STRING},
    {.name = "openssl-cipherlist", .same_as = &opt_tls_cipher, .type = VALUE_STRING},
    {.name = "openssl-min-proto-version", .same_as = &opt_tls_min_version, .type = VALUE_STRING},
    {.name = "openssl-max-proto-version", .same_as = &opt_tls_max_version, .type = VALUE_STRING},
    {.name = "openssl-dhparam", .same_as = &opt_tls_dhparam, .type = VALUE_STRING},
    {.name = "openssl-compress", .same_as = &opt_tls_compress, .type = VALUE_STRING},
    {.name = "openssl-maxfraglen", .same_as = &opt_tls_maxfraglen, .type = VALUE_INT},
    {.name = "openssl-alpn", .same_as = &opt_tls_alpn, .type = VALUE_STRING},
    {.name = "openssl-pin-sha256", .same_as = &opt_tls_pin, .type = VALUE_STRING},
    {.name = "openssl-strict-sni", .same_as = &opt_tls_strict_sni, .type = VALUE_BOOL},
    {.name = "openssl-ocsp", .same_as = &opt_tls_ocsp, .type = VALUE_STRING},
    {.name = "openssl-p12", .same_as = &opt_tls_p12, .type = VALUE_STRING},
    {.name = "openssl-maxsendfrag", .same_as = &opt_tls_maxsendfrag, .type = VALUE_INT},
};

struct end {
    struct addr a;
    struct opt opts[8];
    char text[512];
    struct run run;
    void *shared, *st;
    struct buf buf[4];
    struct session_side data, wire;
    size_t sent, received; /* bytes of the pattern */
    bool failed;
    struct err e;
};

/* options: "cafile=...,verify=0" with the rows' names without "openssl-". */
static void end_init(struct end *end, int role, const char *options, const char *host)
{
    *end = (struct end){.a = {.form = &forms_tls[role], .host = host, .opts = end->opts}};
    assert_int_equal(run_init(&end->run, &settings, NULL, -1, &end->e), 0);
    assert_true(strlen(options) < sizeof end->text);
    strcpy(end->text, options);
    for (char *rest = end->text, *one; (one = strsep(&rest, ",")) && *one;) {
        char *name = strsep(&one, "=");
        struct opt *o = &end->opts[end->a.nopts++];
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (strcmp(rows[i].name + strlen("openssl-"), name) == 0)
                o->desc = &rows[i];
        assert_non_null(o->desc);
        o->v = (struct value){.given = one != NULL, .s = one, .i = one ? atoi(one) : 1};
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(buf_init(&end->buf[i], BUF), 0);
    end->data = (struct session_side){.in = &end->buf[0], .out = &end->buf[1]};
    end->wire = (struct session_side){.in = &end->buf[2], .out = &end->buf[3]};
}

static int end_open(struct end *end)
{
    const struct session_ops *ops = end->a.form->ops.session;
    if (end->a.form->check != NULL && end->a.form->check(&end->a, &end->e) != 0)
        return -1;
    if (ops->common.prepare(&end->a, &end->run, &end->shared, &end->e) != 0)
        return -1;
    return ops->open(&end->a, &end->run, end->shared, &end->st, &end->e);
}

static void end_fini(struct end *end)
{
    const struct session_ops *ops = end->a.form->ops.session;
    ops->close(end->st);
    ops->common.release(end->shared);
    for (int i = 0; i < 4; i++)
        buf_fini(&end->buf[i]);
    run_fini(&end->run);
}

static void end_step(struct end *end)
{
    if (!end->failed &&
        end->a.form->ops.session->step(end->st, &end->data, &end->wire, &end->e) != 0)
        end->failed = true;
}

static bool end_ready(const struct end *end)
{
    return end->a.form->ops.session->ready(end->st);
}

/* Makes sure that prepare() refuses, and that the message says both words. */
static void refuses(int role, const char *options, const char *host, enum err_kind kind,
                    const char *word, const char *word2)
{
    struct end end;
    end_init(&end, role, options, host);
    assert_int_equal(end_open(&end), -1);
    assert_int_equal(end.e.kind, kind);
    if (!strstr(end.e.text, word) || !strstr(end.e.text, word2))
        fail_msg("\"%s\" names not both \"%s\" and \"%s\"", end.e.text, word, word2);
    end_fini(&end);
}

/* ---- two ends ---- */

static struct end ends[2];

static const char *with(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A formatted text that lasts for three more calls. */
static const char *with(const char *fmt, ...)
{
    static char text[4][512];
    static unsigned turn;
    turn = (turn + 1) % 4;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text[turn], sizeof text[turn], fmt, ap);
    va_end(ap);
    return text[turn];
}

static void open_pair(const char *client, const char *server, const char *host)
{
    end_init(&ends[CLIENT], CLIENT, client, host);
    end_init(&ends[SERVER], SERVER, server, NULL);
    for (int i = 0; i < 2; i++)
        if (end_open(&ends[i]) != 0)
            fail_msg("%s", ends[i].e.text);
}

static void open_trusting(const char *more)
{
    open_pair(with("cafile=%s%s", files.server, more),
              with("cert=%s,verify=0%s", files.server, more), "localhost");
}

static void close_pair(void)
{
    end_fini(&ends[CLIENT]);
    end_fini(&ends[SERVER]);
}

/* At most piece bytes from one's wire to the other's; true if anything moved. */
static bool carry(struct end *from, struct end *to, size_t piece)
{
    size_t n = from->wire.out->len < piece ? from->wire.out->len : piece;
    n = buf_put(to->wire.in, buf_data(from->wire.out), n);
    buf_consume(from->wire.out, n);
    if (from->wire.out_eof && from->wire.out->len == 0 && !to->wire.in_eof)
        return to->wire.in_eof = true;
    return n > 0;
}

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 8));
}

/* Puts up to piece bytes into data.in, until total were sent. */
static bool feed(struct end *end, size_t total, size_t piece)
{
    unsigned char *at;
    size_t n = buf_room(end->data.in, &at);
    if (n > piece)
        n = piece;
    if (n > total - end->sent)
        n = total - end->sent;
    for (size_t i = 0; i < n; i++)
        at[i] = pattern(end->sent++);
    buf_commit(end->data.in, n);
    return n > 0;
}

static bool drain(struct end *end)
{
    size_t n = end->data.out->len;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_data(end->data.out)[i], pattern(end->received++));
    buf_consume(end->data.out, n);
    return n > 0;
}

/* Steps both ends until nothing moves any more. */
static void settle(size_t piece, size_t total_client, size_t total_server)
{
    for (bool moved = true; moved;) {
        moved = feed(&ends[CLIENT], total_client, piece * 50);
        moved |= feed(&ends[SERVER], total_server, piece * 50);
        for (int i = 0; i < 2; i++) {
            end_step(&ends[i]);
            moved |= drain(&ends[i]);
            end_step(&ends[i]);
            moved |= carry(&ends[i], &ends[!i], piece);
        }
    }
}

static void nothing_failed(void)
{
    for (int i = 0; i < 2; i++)
        if (ends[i].failed)
            fail_msg("%s: %s", ends[i].a.form->keyword, ends[i].e.text);
}

/* ---- tests ---- */

static const char *const versions[] = {"TLS1.2", "TLS1.3"};

static void transfers_in_pieces(void **state)
{
    static const size_t pieces[] = {1, 7, 1000, 100000};
    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (size_t p = 0; p < 4; p++) {
            size_t there = pieces[p] < 1000 ? 60000 : 2000000, back = there + 12345;
            open_trusting(
                with(",min-proto-version=%s,max-proto-version=%s", versions[v], versions[v]));
            settle(pieces[p], there, back);
            nothing_failed();
            assert_int_equal(ends[SERVER].received, there);
            assert_int_equal(ends[CLIENT].received, back);
            ends[CLIENT].data.in_eof = ends[SERVER].data.in_eof = true;
            settle(pieces[p], there, back);
            nothing_failed();
            for (int i = 0; i < 2; i++)
                assert_true(ends[i].wire.out_eof && ends[i].data.out_eof);
            close_pair();
        }
}

static void half_closes(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (int first = 0; first < 2; first++) {
            struct end *closes = &ends[first], *goes_on = &ends[!first];
            size_t total[2] = {0, 0};
            open_trusting(
                with(",min-proto-version=%s,max-proto-version=%s", versions[v], versions[v]));
            total[first] = 5000;
            closes->data.in_eof = false;
            settle(1000, total[CLIENT], total[SERVER]);
            closes->data.in_eof = true;
            settle(1000, total[CLIENT], total[SERVER]);
            nothing_failed();
            assert_true(closes->wire.out_eof);
            assert_true(goes_on->data.out_eof);
            assert_int_equal(goes_on->received, 5000);
            assert_false(closes->data.out_eof);

            total[!first] = 300000; /* the other direction does not care */
            settle(1000, total[CLIENT], total[SERVER]);
            nothing_failed();
            assert_int_equal(closes->received, 300000);
            goes_on->data.in_eof = true;
            settle(1000, total[CLIENT], total[SERVER]);
            nothing_failed();
            assert_true(closes->data.out_eof && goes_on->wire.out_eof);
            close_pair();
        }
}

/* The goodbye, too, has to leave in pieces. */
static void goodbyes_wait_for_room(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (size_t room = 1; room < 40; room++) {
            open_trusting(
                with(",min-proto-version=%s,max-proto-version=%s", versions[v], versions[v]));
            settle(1000, 100, 100);
            nothing_failed();
            for (int i = 0; i < 2; i++) {
                buf_fini(ends[i].wire.out);
                assert_int_equal(buf_init(ends[i].wire.out, room), 0);
                ends[i].data.in_eof = true;
            }
            settle(1000, 200, 200);
            nothing_failed();
            for (int i = 0; i < 2; i++) {
                assert_int_equal(ends[i].received, 200);
                assert_true(ends[i].wire.out_eof && ends[i].data.out_eof);
            }
            close_pair();
        }
}

static void truncation_is_an_error(void **state)
{
    (void)state;
    for (int victim = 0; victim < 2; victim++) {
        open_trusting("");
        settle(1000, 5000, 5000);
        nothing_failed();
        /* More data arrive, then the wire ends: the data come first, then the error. */
        feed(&ends[!victim], 8000, 3000);
        end_step(&ends[!victim]);
        while (carry(&ends[!victim], &ends[victim], 1000))
            ;
        ends[victim].wire.in_eof = true;
        end_step(&ends[victim]);
        assert_false(ends[victim].failed);
        assert_true(drain(&ends[victim]));
        assert_int_equal(ends[victim].received, 8000);
        end_step(&ends[victim]);
        assert_true(ends[victim].failed);
        assert_int_equal(ends[victim].e.kind, ERR_PROTOCOL);
        assert_non_null(strstr(ends[victim].e.text, "without close_notify"));
        assert_false(ends[victim].data.out_eof);
        close_pair();
    }
}

static void end_in_handshake_is_an_error(void **state)
{
    (void)state;
    open_trusting("");
    ends[CLIENT].wire.in_eof = true;
    end_step(&ends[CLIENT]);
    assert_true(ends[CLIENT].failed);
    assert_non_null(strstr(ends[CLIENT].e.text, "handshake"));
    close_pair();
}

static void damage_is_an_error(void **state)
{
    (void)state;
    open_trusting("");
    settle(1000, 100, 100);
    nothing_failed();
    feed(&ends[CLIENT], 200, 100);
    end_step(&ends[CLIENT]);
    buf_data(ends[CLIENT].wire.out)[ends[CLIENT].wire.out->len - 1] ^= 1;
    settle(1000, 200, 100);
    assert_true(ends[SERVER].failed);
    assert_int_equal(ends[SERVER].e.kind, ERR_PROTOCOL);
    assert_int_equal(ends[SERVER].received, 100);
    close_pair();
}

static void plain_text_is_an_error(void **state)
{
    (void)state;
    open_trusting("");
    buf_put(ends[CLIENT].wire.in, "220 smtp.example.com ready\r\n", 28);
    buf_put(ends[SERVER].wire.in, "GET / HTTP/1.0\r\n\r\n", 18);
    ends[CLIENT].wire.in_eof = ends[SERVER].wire.in_eof = true;
    end_step(&ends[CLIENT]);
    end_step(&ends[SERVER]);
    assert_true(ends[CLIENT].failed && ends[SERVER].failed);
    assert_non_null(strstr(ends[CLIENT].e.text, "does not speak TLS"));
    assert_non_null(strstr(ends[SERVER].e.text, "HTTP request"));
    close_pair();
}

static void names_are_verified(void **state)
{
    static const struct {
        const char *host, *commonname; /* commonname with its "," and "=" */
        bool ok;
    } cases[] = {
        {"localhost", "", true},
        {"localhost.", "", true},
        {"LOCALHOST", "", true},
        {"www.example.com", "", true},
        {"a.b.example.com", "", false},
        {"127.0.0.1", "", true},
        {"127.0.0.2", "", false},
        {"[::1]", "", true},
        {"::1", "", true},
        {"::2", "", false},
        {"wrong.name", "", false},
        {"wrong.name", ",commonname=localhost", true},
        {"localhost", ",commonname=wrong.name", false},
        {"wrong.name", ",commonname=", true},
        {"wrong.name", ",verify=0", true},
        {NULL, ",commonname=localhost", true},
        {NULL, ",verify=0", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_pair(with("cafile=%s%s", files.server, cases[i].commonname),
                  with("cert=%s,verify=0", files.server), cases[i].host);
        settle(1000, 10, 10);
        if (end_ready(&ends[CLIENT]) != cases[i].ok)
            fail_msg("host %s%s", cases[i].host ? cases[i].host : "none", cases[i].commonname);
        assert_int_equal(ends[CLIENT].failed, !cases[i].ok);
        if (!cases[i].ok) {
            const char *text = ends[CLIENT].e.text;
            assert_int_equal(ends[CLIENT].e.kind, ERR_DENIED);
            assert_non_null(strstr(text, "commonname="));
            assert_non_null(strstr(text, "verify=0"));
            assert_non_null(strstr(text, "\"localhost\""));
            assert_true(strstr(text, cases[i].host) || strstr(text, "wrong.name") ||
                        strstr(text, "::2"));
            assert_true(ends[SERVER].failed); /* heard of it */
            assert_non_null(strstr(ends[SERVER].e.text, "does not accept our certificate"));
        }
        close_pair();
    }
}

static void common_name_may_be_an_address(void **state)
{
    (void)state;
    open_pair(with("cafile=%s", files.other), with("cert=%s,verify=0", files.other), "192.0.2.7");
    settle(1000, 10, 10);
    nothing_failed();
    close_pair();
}

static void strangers_are_not_trusted(void **state)
{
    (void)state;
    open_pair(with("cafile=%s", files.other), with("cert=%s,verify=0", files.server), "localhost");
    settle(1000, 10, 10);
    assert_true(ends[CLIENT].failed && ends[SERVER].failed);
    assert_non_null(strstr(ends[CLIENT].e.text, "CN = localhost"));
    assert_non_null(strstr(ends[CLIENT].e.text, "cafile="));
    assert_non_null(strstr(ends[CLIENT].e.text, "verify=0"));
    assert_non_null(strstr(ends[SERVER].e.text, "does not trust our certificate"));
    close_pair();
}

static void servers_verify_clients(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        const char *version =
            with(",min-proto-version=%s,max-proto-version=%s", versions[v], versions[v]);
        char server[512];
        snprintf(server, sizeof server, "cert=%s,cafile=%s%s", files.server, files.other, version);

        open_pair(with("cafile=%s,cert=%s", files.server, files.other), server, "localhost");
        settle(1000, 10, 10);
        nothing_failed();
        assert_int_equal(ends[SERVER].received, 10);
        close_pair();

        open_pair(with("cafile=%s", files.server), server, "localhost");
        settle(1000, 10, 10);
        assert_true(ends[CLIENT].failed && ends[SERVER].failed);
        assert_int_equal(ends[SERVER].received, 0);
        assert_non_null(strstr(ends[SERVER].e.text, "verify=0"));
        assert_non_null(strstr(ends[CLIENT].e.text, "cert=<file>"));
        close_pair();

        strcat(server, ",commonname=somebody");
        open_pair(with("cafile=%s,cert=%s", files.server, files.other), server, "localhost");
        settle(1000, 10, 10);
        assert_true(ends[SERVER].failed);
        assert_non_null(strstr(ends[SERVER].e.text, "somebody"));
        close_pair();
    }
}

static void old_versions_are_refused(void **state)
{
    (void)state;
    open_pair("verify=0,min-proto-version=TLS1.0,max-proto-version=TLS1.1,"
              "cipherlist=DEFAULT:@SECLEVEL=0",
              with("cert=%s,verify=0", files.server), "localhost");
    settle(1000, 10, 10);
    assert_true(ends[CLIENT].failed && ends[SERVER].failed);
    assert_non_null(strstr(ends[SERVER].e.text, "openssl-min-proto-version"));
    close_pair();

    open_pair("verify=0,min-proto-version=TLS1.0,max-proto-version=TLS1.1,"
              "cipherlist=DEFAULT:@SECLEVEL=0",
              with("cert=%s,verify=0,min-proto-version=TLS1.1,cipherlist=DEFAULT:@SECLEVEL=0",
                   files.server),
              "localhost");
    settle(1000, 10, 10);
    nothing_failed();
    close_pair();
}

static void ciphers_are_chosen(void **state)
{
    static const struct {
        const char *list, *cipher;
    } cases[] = {
        {"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"},
        {"TLS_CHACHA20_POLY1305_SHA256:AES128-SHA", "TLS_CHACHA20_POLY1305_SHA256"},
        {"ADH-AES256-GCM-SHA384:@SECLEVEL=0", "ADH-AES256-GCM-SHA384"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool anonymous = cases[i].cipher[0] == 'A';
        open_pair(with("verify=0,cipherlist=%s%s", cases[i].list,
                       anonymous ? ",max-proto-version=TLS1.2" : ""),
                  with("verify=0,cipherlist=%s%s%s", cases[i].list,
                       anonymous ? "" : ",cert=", anonymous ? "" : files.server),
                  "localhost");
        settle(1000, 10, 10);
        nothing_failed();
        assert_int_equal(ends[SERVER].a.form->ops.session->opened(
                             ends[SERVER].st, &ends[SERVER].a, &ends[SERVER].run, &ends[SERVER].e),
                         0);
        char *used = run_get_fact(&ends[SERVER].run, "OPENSSL_CIPHER");
        assert_string_equal(used, cases[i].cipher);
        free(used);
        close_pair();
    }
    /* No certificate, and the client wants one. */
    open_pair("commonname=,cipherlist=aNULL:@SECLEVEL=0,max-proto-version=TLS1.2",
              "verify=0,cipherlist=aNULL:@SECLEVEL=0", "localhost");
    settle(1000, 10, 10);
    assert_true(ends[CLIENT].failed);
    assert_non_null(strstr(ends[CLIENT].e.text, "no certificate"));
    close_pair();
}

static void fragments_are_limited(void **state)
{
    (void)state;
    open_pair(with("cafile=%s,maxfraglen=512", files.server),
              with("cert=%s,verify=0,maxsendfrag=1000", files.server), "localhost");
    settle(1000, 100000, 100000);
    nothing_failed();
    assert_int_equal(ends[CLIENT].received, 100000);
    feed(&ends[SERVER], 100512, 512);
    end_step(&ends[SERVER]);
    assert_in_range(ends[SERVER].wire.out->len, 512, 512 + 40);
    close_pair();
}

static void back_pressure_stops_one_direction_only(void **state)
{
    (void)state;
    open_trusting("");
    settle(1000, 10, 10);
    nothing_failed();
    /* The client's reader stalls: everything between fills up, and stays. */
    for (bool moved = true; moved;) {
        moved = feed(&ends[SERVER], 100000000, BUF);
        end_step(&ends[SERVER]);
        moved |= carry(&ends[SERVER], &ends[CLIENT], BUF);
        end_step(&ends[CLIENT]);
    }
    assert_in_range(ends[SERVER].sent, 3 * BUF, 6 * BUF);
    /* The other direction goes on meanwhile. */
    while (feed(&ends[CLIENT], 1000000, 5000)) {
        end_step(&ends[CLIENT]);
        carry(&ends[CLIENT], &ends[SERVER], BUF);
        end_step(&ends[SERVER]);
        drain(&ends[SERVER]);
    }
    nothing_failed();
    assert_int_equal(ends[SERVER].received, 1000000);
    /* And when the reader wakes up nothing is missing. */
    settle(1000, 1000000, ends[SERVER].sent);
    nothing_failed();
    assert_int_equal(ends[CLIENT].received, ends[SERVER].sent);
    close_pair();
}

static void tells_facts(void **state)
{
    static const char *const facts[][2] = {
        {"OPENSSL_PROTO_VERSION", "TLSv1.3"},
        {"OPENSSL_X509_SUBJECT", "C = XY, CN = localhost, OU = one, OU = t\\0Awo"},
        {"OPENSSL_X509_ISSUER", "C = XY, CN = localhost, OU = one, OU = t\\0Awo"},
        {"OPENSSL_X509_COMMONNAME", "localhost"},
        {"OPENSSL_X509_COUNTRYNAME", "XY"},
        {"OPENSSL_X509_ORGANIZATIONALUNITNAME", "one // t\\0Awo"},
        {"OPENSSL_X509V3_DNS", "localhost // *.example.com"},
        {"OPENSSL_X509V3_SUBJECTALTNAME_IPADD", "127.0.0.1 // ::1"},
    };
    struct end *c = &ends[CLIENT];
    (void)state;
    open_trusting("");
    settle(1000, 10, 10);
    nothing_failed();
    assert_int_equal(c->a.form->ops.session->opened(c->st, &c->a, &c->run, &c->e), 0);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        char *value = run_get_fact(&c->run, facts[i][0]);
        if (!value)
            fail_msg("no fact %s", facts[i][0]);
        assert_string_equal(value, facts[i][1]);
        free(value);
    }
    close_pair();
}

static void protocols_are_agreed_upon(void **state)
{
    static const struct {
        const char *client, *server, *agreed;
        bool good;
    } cases[] = {
        {",alpn=a b", ",alpn=b a", "b", true},
        {",alpn=a,alpn=c", ",alpn=b c", "c", true},
        {",alpn=a", "", NULL, true},
        {"", ",alpn=a", NULL, true},
        {",alpn=a aa", ",alpn=b aaa", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t v = 0; v < 2; v++) {
            struct end *c = &ends[CLIENT];
            open_pair(with("cafile=%s%s,max-proto-version=%s", files.server, cases[i].client, versions[v]),
                      with("cert=%s,verify=0%s", files.server, cases[i].server), "localhost");
            settle(1, 10, 10);
            assert_int_equal(ends[CLIENT].failed, !cases[i].good);
            assert_int_equal(ends[SERVER].failed, !cases[i].good);
            if (cases[i].good) {
                assert_int_equal(c->a.form->ops.session->opened(c->st, &c->a, &c->run, &c->e), 0);
                char *told = run_get_fact(&c->run, "ALPN");
                assert_true(told ? cases[i].agreed && strcmp(told, cases[i].agreed) == 0 : !cases[i].agreed);
                free(told);
            } else
                assert_non_null(strstr(ends[SERVER].e.text, "wants to speak a, aa, here is only b, aaa"));
            close_pair();
        }
}

static void a_protocol_that_was_not_offered_is_an_error(void **state)
{
    (void)state;
    open_trusting(",alpn=h2");
    ((struct tls_session *)ends[CLIENT].st)->shared->alpn[1] = 'x'; /* what is said remains h2 */
    settle(1000, 10, 10);
    assert_true(ends[CLIENT].failed);
    assert_non_null(strstr(ends[CLIENT].e.text, "\"h2\", which was not offered"));
    assert_int_equal(ends[CLIENT].received, 0);
    close_pair();
}

/* Certificates by name, cut at every byte; what a client without the right key gets is nothing. */
static void names_choose_and_pins_hold(void **state)
{
    static const char pin[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t piece = 1; piece < 2000; piece += 333) {
            open_pair(with("cafile=%s,commonname=a.example.com,max-proto-version=%s", files.server, versions[v]),
                      with("cert=%s,cert=%s,strict-sni,verify=0", files.other, files.server), NULL);
            settle(piece, 100, 100);
            nothing_failed();
            assert_int_equal(ends[CLIENT].received, 100);
            close_pair();
        }
        open_pair(with("cafile=%s,commonname=nobody,max-proto-version=%s", files.server, versions[v]),
                  with("cert=%s,cert=%s,strict-sni,verify=0", files.other, files.server), NULL);
        settle(1, 100, 100);
        assert_true(ends[CLIENT].failed && ends[SERVER].failed);
        close_pair();
        open_pair(with("verify=0,pin-sha256=%s,max-proto-version=%s", pin, versions[v]),
                  with("cert=%s,verify=0", files.server), "localhost");
        settle(1, 100, 100);
        assert_true(ends[CLIENT].failed && ends[SERVER].failed);
        assert_int_equal(ends[CLIENT].received + ends[SERVER].received, 0);
        /* The message has the pin that would do. */
        const char *it = strstr(ends[CLIENT].e.text, "it is pin-sha256=");
        assert_non_null(it);
        const char *good = with("cafile=%s,pin-sha256=%s", files.server, it + strlen("it is pin-sha256="));
        close_pair();
        open_pair(good, with("cert=%s,verify=0", files.server), "localhost");
        settle(7, 100, 100);
        nothing_failed();
        close_pair();
    }
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    refuses(CLIENT, "", NULL, ERR_USAGE, "commonname=", "verify=0");
    refuses(SERVER, "", NULL, ERR_USAGE, "cert=", "PEM");
    refuses(CLIENT, "min-proto-version=TLS9", "h", ERR_USAGE, "TLS9", "TLS1.2");
    refuses(CLIENT, "max-proto-version=SSL3", "h", ERR_USAGE, "SSL3", "TLS1.2");
    refuses(CLIENT, "max-proto-version=TLS1.1", "h", ERR_USAGE, "TLS1.1", "min-proto-version");
    refuses(CLIENT, "cipherlist=nonsense", "h", ERR_OTHER, "nonsense", "openssl-cipherlist");
    refuses(CLIENT, "compress=zip", "h", ERR_USAGE, "zip", "none or auto");
    refuses(CLIENT, "maxfraglen=513", "h", ERR_USAGE, "513", "1024");
    refuses(CLIENT, "maxsendfrag=511", "h", ERR_USAGE, "511", "16384");
    refuses(CLIENT, "cafile=/nonexistent", "h", ERR_OTHER, "/nonexistent", "No such file");
    refuses(SERVER, "cert=/nonexistent", NULL, ERR_OTHER, "/nonexistent", "No such file");
    refuses(SERVER, with("cert=%s", files.bare), NULL, ERR_OTHER, "no private key", "key=");
    refuses(SERVER, with("cert=%s,key=%s", files.server, files.other), NULL, ERR_OTHER,
            "openssl-key", "match");
    refuses(SERVER, with("cert=%s,ocsp=staple", files.server), NULL, ERR_USAGE, "openssl-ocsp", "client");
    refuses(CLIENT, "ocsp=maybe", "h", ERR_USAGE, "maybe", "require");
    refuses(CLIENT, "ocsp=require,verify=0", "h", ERR_USAGE, "openssl-ocsp", "verify=0");
    refuses(CLIENT, "strict-sni", "h", ERR_USAGE, "openssl-strict-sni", "server");
    refuses(CLIENT, "alpn= ", "h", ERR_USAGE, "openssl-alpn", "h2");
    refuses(CLIENT, "pin-sha256=AAAA", "h", ERR_USAGE, "AAAA", "base64");
    refuses(SERVER, with("p12=%s", files.server), NULL, ERR_OTHER, "openssl-p12", "cert=");
    refuses(SERVER, with("cert=%s,dhparam=%s", files.server, files.bare), NULL, ERR_OTHER,
            "openssl-dhparam", "PEM");
}

static void encrypted_keys_want_a_terminal(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) { /* a session of its own has no terminal */
        struct end end;
        (void)setsid();
        end_init(&end, SERVER, with("cert=%s", files.encrypted), NULL);
        bool good = end_open(&end) == -1 && strstr(end.e.text, "pass phrase");
        if (!good)
            fprintf(stderr, "%s\n", end.e.text);
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfers_in_pieces),
        cmocka_unit_test(half_closes),
        cmocka_unit_test(goodbyes_wait_for_room),
        cmocka_unit_test(truncation_is_an_error),
        cmocka_unit_test(end_in_handshake_is_an_error),
        cmocka_unit_test(damage_is_an_error),
        cmocka_unit_test(plain_text_is_an_error),
        cmocka_unit_test(names_are_verified),
        cmocka_unit_test(common_name_may_be_an_address),
        cmocka_unit_test(strangers_are_not_trusted),
        cmocka_unit_test(servers_verify_clients),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(ciphers_are_chosen),
        cmocka_unit_test(fragments_are_limited),
        cmocka_unit_test(back_pressure_stops_one_direction_only),
        cmocka_unit_test(tells_facts),
        cmocka_unit_test(protocols_are_agreed_upon),
        cmocka_unit_test(a_protocol_that_was_not_offered_is_an_error),
        cmocka_unit_test(names_choose_and_pins_hold),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(encrypted_keys_want_a_terminal),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
