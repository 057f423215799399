/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sealing by the kernel: see tls_kernel.h. The library tells the secret that the keys are made of (as for a key log)
 * and all records that it writes. From the moment on that the kernel seals, what the library writes is dropped, and
 * what it meant (an alert, new keys because the peer wants some) is said through the kernel. */
#include "inter/tls/tls_kernel.h"

#include <openssl/hmac.h>

#include <linux/tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/seal.h"
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls_resume.h"

enum { SECRET_MOST = 64, KEY_MOST = 32, NONCE = 12, SEQUENCE = 8 }; /* bytes */
enum { MESSAGE_FINISHED = 20, MESSAGE_KEY_UPDATE = 24 };

static const struct suite { /* struct tls12_crypto_info_..., whose fields follow each other in this order */
    int nid, kernel;
    size_t key;  /* bytes */
    size_t salt; /* ... of the nonce that stand behind the key, and not in front of it */
} suites[] = {
    {NID_aes_128_gcm, TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_128_KEY_SIZE, TLS_CIPHER_AES_GCM_128_SALT_SIZE},
    {NID_aes_256_gcm, TLS_CIPHER_AES_GCM_256, TLS_CIPHER_AES_GCM_256_KEY_SIZE, TLS_CIPHER_AES_GCM_256_SALT_SIZE},
    {NID_chacha20_poly1305, TLS_CIPHER_CHACHA20_POLY1305, TLS_CIPHER_CHACHA20_POLY1305_KEY_SIZE,
     TLS_CIPHER_CHACHA20_POLY1305_SALT_SIZE},
};

struct tls_kernel {
    enum { SETTLING, ASKING, SEALING, LEFT_TO_THE_LIBRARY } state;
    unsigned char secret[SECRET_MOST]; /* of what we send */
    size_t nsecret;
    uint64_t records; /* that the library has sealed with its keys */
    bool new_keys_due, new_keys_said; /* the peer wants others, and knows that they come */
    uint32_t alert; /* to be said; 0 none */
    bool last_words; /* ... a goodbye, or what has failed: it is the last */
    unsigned char keys[sizeof(struct tls_crypto_info) + NONCE + KEY_MOST + SEQUENCE];
    struct seal seal;
};

/* ---- keys (RFC 8446 7.1 and 7.3) ---- */

/* HKDF-Expand-Label without a context; no key here is longer than a digest. */
static bool expand(const EVP_MD *md, const struct tls_kernel *k, const char *label, unsigned char *to, size_t n)
{
    unsigned char info[64], digest[SECRET_MOST];
    size_t len = strlen(label);
    unsigned made = 0;
    size_t at = 0;
    info[at++] = 0;
    info[at++] = (unsigned char)n;
    info[at++] = (unsigned char)(6 + len);
    memcpy(info + at, "tls13 ", 6);
    memcpy(info + at + 6, label, len);
    at += 6 + len;
    info[at++] = 0; /* bytes of context */
    info[at++] = 1; /* HKDF's first block */
    bool ok = HMAC(md, k->secret, (int)k->nsecret, info, at, digest, &made) && made >= n;
    if (ok)
        memcpy(to, digest, n);
    explicit_bzero(digest, sizeof digest);
    return ok;
}

static const struct suite *suite_of(const struct tls_session *s)
{
    int nid = SSL_CIPHER_get_cipher_nid(SSL_get_current_cipher(s->ssl));
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        if (suites[i].nid == nid)
            return &suites[i];
    return NULL;
}

static bool make_keys(struct tls_session *s)
{
    struct tls_kernel *k = s->kernel;
    const struct suite *suite = suite_of(s);
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(s->ssl));
    struct tls_crypto_info info = {.version = TLS_1_3_VERSION};
    unsigned char nonce[NONCE], *to = k->keys + sizeof info;
    if (!suite || !md || !expand(md, k, "iv", nonce, NONCE) || !expand(md, k, "key", to + NONCE - suite->salt, suite->key))
        return false;
    info.cipher_type = (unsigned short)suite->kernel;
    memcpy(k->keys, &info, sizeof info);
    memcpy(to, nonce + suite->salt, NONCE - suite->salt);
    to += NONCE - suite->salt + suite->key;
    memcpy(to, nonce, suite->salt);
    to += suite->salt;
    for (size_t i = 0; i < SEQUENCE; i++)
        to[i] = (unsigned char)(k->records >> 8 * (SEQUENCE - 1 - i));
    k->seal = (struct seal){.protocol = "tls", .keys = k->keys, .size = (size_t)(to + SEQUENCE - k->keys)};
    explicit_bzero(nonce, sizeof nonce);
    return true;
}

/* RFC 8446 7.2 */
static bool advance(const struct tls_session *s, struct tls_kernel *k)
{
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(s->ssl));
    k->records = 0;
    return md && expand(md, k, "traffic upd", k->secret, k->nsecret);
}

static size_t read_hex(const char *text, unsigned char *to, size_t most)
{
    size_t n = 0;
    unsigned byte;
    while (n < most && sscanf(text + 2 * n, "%2x", &byte) == 1)
        to[n++] = (unsigned char)byte;
    return n;
}

/* "CLIENT_TRAFFIC_SECRET_0 <random> <secret>" */
void tls_kernel_secret(struct tls_session *s, const char *line)
{
    const char *name = s->shared->server ? "SERVER_TRAFFIC_SECRET_0 " : "CLIENT_TRAFFIC_SECRET_0 ";
    const char *secret = strrchr(line, ' ');
    if (s->kernel && secret && strncmp(line, name, strlen(name)) == 0)
        s->kernel->nsecret = read_hex(secret + 1, s->kernel->secret, SECRET_MOST);
}

/* ---- what the library writes ---- */

static void heard_message(const struct tls_session *s, struct tls_kernel *k, unsigned char type)
{
    if (type == MESSAGE_FINISHED) /* what follows is sealed with the keys of the data */
        k->records = 0;
    else if (type == MESSAGE_KEY_UPDATE && k->state == SEALING)
        k->new_keys_due = true;
    else if (type == MESSAGE_KEY_UPDATE && k->state != LEFT_TO_THE_LIBRARY) {
        (void)advance(s, k);
        k->state = SETTLING;
    }
}

static void heard_alert(struct tls_kernel *k, const unsigned char *alert)
{
    if (k->state != SEALING || k->last_words)
        return;
    k->alert = (uint32_t)alert[0] << 8 | alert[1];
    k->last_words = alert[0] == SSL3_AL_FATAL || alert[1] == SSL_AD_CLOSE_NOTIFY;
}

static void heard(int written, int version, int type, const void *bytes, size_t n, SSL *ssl, void *arg)
{
    (void)version, (void)arg;
    const struct tls_session *s = SSL_get_app_data(ssl);
    if (!written || !s->kernel)
        return;
    if (type == SSL3_RT_HEADER && s->kernel->state == SETTLING)
        s->kernel->records++;
    else if (type == SSL3_RT_HANDSHAKE && n > 0)
        heard_message(s, s->kernel, *(const unsigned char *)bytes);
    else if (type == SSL3_RT_ALERT && n == 2)
        heard_alert(s->kernel, bytes);
}

/* ---- the session's side ---- */

int tls_kernel_check(const struct addr *a, struct err *e)
{
    const struct tls_role *role = a->form->arg;
    const struct opt *o = opt_find(a, &opt_tls_kernel);
    if (!o || !o->v.i)
        return 0;
    if (role->datagram)
        return err_at(e, o->at, "%s is for TLS over TCP, and this is DTLS", o->desc->name);
    if (opt_find(a, &opt_tls_maxsendfrag))
        return err_at(e, o->at, "%s does not go with %s: the kernel's records have a size of its own", o->desc->name,
                      opt_tls_maxsendfrag.name);
    return 0;
}

static void say_why_not(const char *why)
{
    diag(DIAG_WARN, "ktls: the TLS library encrypts, as without it: %s", why);
}

int tls_kernel_prepare(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    (void)r;
    if (!opt_true(a, &opt_tls_kernel))
        return 0;
    t->in_kernel = seal_possible("tls", e) == 0;
    if (!t->in_kernel)
        say_why_not(e->text);
    return 0;
}

int tls_kernel_open(struct tls_session *s, struct err *e)
{
    if (!s->shared->in_kernel)
        return 0;
    s->kernel = calloc(1, sizeof *s->kernel);
    if (!s->kernel)
        return err_nomem(e);
    SSL_set_msg_callback(s->ssl, heard);
    return 0;
}

void tls_kernel_close(struct tls_session *s)
{
    if (s->kernel)
        explicit_bzero(s->kernel, sizeof *s->kernel);
    free(s->kernel);
}

/* Why the kernel cannot be given what this session sends; NULL: it can. */
static const char *unfit(const struct tls_session *s, const struct session_side *data)
{
    if (SSL_version(s->ssl) != TLS1_3_VERSION)
        return "the kernel is given TLS 1.3, and this is an older version";
    if (SSL_SESSION_get_max_fragment_length(SSL_get0_session(s->ssl)))
        return "the client has asked for short records";
    if (data->packets)
        return "packets keep their boundaries, which the kernel may move";
    return suite_of(s) && s->kernel->nsecret > 0 ? NULL : "the kernel does not know that cipher";
}

static void leave_to_library(struct tls_session *s, const char *why)
{
    s->kernel->state = LEFT_TO_THE_LIBRARY;
    say_why_not(why);
}

/* The library has put off what it has to write until the next data, which it is not to see. */
static int catch_up(struct tls_session *s)
{
    if (SSL_get_key_update_type(s->ssl) != SSL_KEY_UPDATE_NONE)
        (void)SSL_key_update(s->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
    return SSL_do_handshake(s->ssl);
}

/* With the first data: the library says before what it has to say, and what they are like is known. */
bool tls_kernel_waits(struct tls_session *s, const struct session_side *data)
{
    struct tls_kernel *k = s->kernel;
    if (!k || k->state == LEFT_TO_THE_LIBRARY || data->in->len == 0)
        return false;
    if (k->state != SETTLING)
        return k->state == ASKING;
    const char *why = unfit(s, data);
    tls_resume_give(s);
    int rc = catch_up(s);
    int wants = SSL_get_error(s->ssl, rc);
    if (wants == SSL_ERROR_WANT_WRITE || wants == SSL_ERROR_WANT_READ)
        return true;
    if (why || rc != 1 || !make_keys(s))
        leave_to_library(s, why ? why : "it has no keys for the kernel");
    else
        k->state = ASKING;
    return k->state == ASKING;
}

bool tls_kernel_seals(const struct tls_session *s) { return s->kernel && s->kernel->state == SEALING; }

const struct seal *tls_kernel_seal(void *st)
{
    const struct tls_session *s = st;
    const struct tls_kernel *k = s->kernel;
    return k && (k->state == ASKING || k->new_keys_said) ? &k->seal : NULL;
}

int tls_kernel_sealed(void *st, bool done, struct err *e)
{
    struct tls_session *s = st;
    struct tls_kernel *k = s->kernel;
    explicit_bzero(k->keys, sizeof k->keys);
    if (k->state == SEALING && !done)
        return err_wrap(e, "ktls: the peer wants new keys, which Linux takes since 6.14");
    k->new_keys_said = false;
    if (!done) {
        leave_to_library(s, e->text);
        return 0;
    }
    if (k->state == ASKING)
        diag(DIAG_INFO, "ktls: the kernel encrypts what is sent");
    k->state = SEALING;
    s->wire.closed = true;
    return 0;
}

bool tls_kernel_say(struct tls_session *s, struct buf *out)
{
    struct tls_kernel *k = s->kernel;
    if (k->new_keys_said || !(k->new_keys_due || k->alert))
        return !k->new_keys_said;
    if (buf_holds(out))
        return false;
    if (k->new_keys_due) {
        k->new_keys_due = false;
        k->new_keys_said = true;
        (void)(advance(s, k) && make_keys(s)); /* else they are none, which the kernel refuses */
        out->control = (struct control){.kind = CONTROL_NEW_KEYS};
    } else {
        out->control = (struct control){.kind = CONTROL_ALERT, .value = k->alert};
        k->alert = 0;
    }
    return false;
}

bool tls_kernel_send(struct tls_session *s, struct buf *in, struct buf *out)
{
    if (in->len > 0)
        (void)catch_up(s);
    if (!tls_kernel_say(s, out) || out->control.kind)
        return false;
    if (out->len == 0 && in->len > 0)
        buf_swap(out, in);
    else
        (void)buf_move(out, in);
    return in->len == 0;
}

bool tls_kernel_has_said_all(const struct tls_session *s) { return !s->kernel || !s->kernel->alert; }
