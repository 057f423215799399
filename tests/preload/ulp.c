/* SPDX-License-Identifier: GPL-2.0-or-later
 * A kernel that seals TLS 1.3, through LD_PRELOAD, for where there is none, and for what it is told: takes the protocol
 * and the keys as Linux does (AES-GCM), and makes records of what is written then, which a real peer has to be able to
 * read. What happens is written down in the file ULP_LOG. ULP_WITHOUT=tls: it has no TLS; keys: it takes no keys;
 * update: it takes them once, as Linux before 6.14. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS = 1024, PLAIN_MOST = 16384, TAG = 16, DATA = 23 };

struct sealed {
    bool known, has_keys;
    unsigned char key[32], nonce[12];
    size_t nkey;
    uint64_t sequence;
};
static struct sealed sockets[SOCKETS];

#define REAL(name) (__typeof__(&name))(size_t)dlsym(RTLD_NEXT, #name)

static void note(const char *fmt, ...)
{
    const char *path = getenv("ULP_LOG");
    FILE *f = path ? fopen(path, "a") : NULL;
    if (!f)
        return;
    va_list ap;
    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    fclose(f);
}

static bool without(const char *what)
{
    const char *v = getenv("ULP_WITHOUT");
    return v && strcmp(v, what) == 0;
}

static int fail(int why)
{
    errno = why;
    return -1;
}

/* ---- what it is told ---- */

static int set_protocol(int fd, const char *name, socklen_t n)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    if (n != 3 || memcmp(name, "tls", 3) != 0 || without("tls"))
        return fail(ENOENT);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_state != TCP_ESTABLISHED)
        return fail(ENOTCONN);
    sockets[fd] = (struct sealed){.known = true};
    return 0;
}

static int set_keys(struct sealed *s, const void *value, socklen_t n)
{
    union {
        struct tls_crypto_info info;
        struct tls12_crypto_info_aes_gcm_128 k128;
        struct tls12_crypto_info_aes_gcm_256 k256;
    } u;
    if (!s->known || n > sizeof u || without("keys"))
        return fail(EINVAL);
    if (s->has_keys && without("update"))
        return fail(EBUSY);
    memcpy(&u, value, n);
    const unsigned char *sequence;
    if (u.info.version == TLS_1_3_VERSION && u.info.cipher_type == TLS_CIPHER_AES_GCM_128 && n == sizeof u.k128) {
        memcpy(s->key, u.k128.key, s->nkey = 16);
        memcpy(s->nonce, u.k128.salt, 4);
        memcpy(s->nonce + 4, u.k128.iv, 8);
        sequence = u.k128.rec_seq;
    } else if (u.info.version == TLS_1_3_VERSION && u.info.cipher_type == TLS_CIPHER_AES_GCM_256 && n == sizeof u.k256) {
        memcpy(s->key, u.k256.key, s->nkey = 32);
        memcpy(s->nonce, u.k256.salt, 4);
        memcpy(s->nonce + 4, u.k256.iv, 8);
        sequence = u.k256.rec_seq;
    } else {
        return fail(ENOPROTOOPT);
    }
    s->sequence = 0;
    for (int i = 0; i < 8; i++)
        s->sequence = s->sequence << 8 | sequence[i];
    note("keys: %zu bytes, record %llu\n", s->nkey, (unsigned long long)s->sequence);
    s->has_keys = true;
    return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    if (level == IPPROTO_TCP && name == TCP_ULP)
        return set_protocol(fd, value, n);
    if (level == SOL_TLS && name == TLS_TX)
        return set_keys(&sockets[fd], value, n);
    return (REAL(setsockopt))(fd, level, name, value, n);
}

/* ---- what is written ---- */

static void put(int fd, const unsigned char *bytes, size_t n)
{
    __typeof__(&send) real = REAL(send);
    while (n > 0) {
        ssize_t sent = real(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (sent < 0 && errno != EAGAIN)
            return; /* the next write tells */
        if (sent < 0)
            (void)poll(&p, 1, -1);
        else
            bytes += sent, n -= (size_t)sent;
    }
}

/* One record, RFC 8446 5.2 and 5.3. */
static void seal(int fd, unsigned char type, const unsigned char *bytes, size_t n)
{
    struct sealed *s = &sockets[fd];
    unsigned char nonce[12], plain[PLAIN_MOST + 1], record[5 + PLAIN_MOST + 1 + TAG];
    size_t whole = n + 1 + TAG;
    int made;
    memcpy(nonce, s->nonce, sizeof nonce);
    for (int i = 0; i < 8; i++)
        nonce[4 + i] ^= (unsigned char)(s->sequence >> 8 * (7 - i));
    s->sequence++;
    memcpy(plain, bytes, n);
    plain[n] = type;
    memcpy(record, (unsigned char[]){DATA, 3, 3, (unsigned char)(whole >> 8), (unsigned char)whole}, 5);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(c, s->nkey == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), NULL, s->key, nonce);
    EVP_EncryptUpdate(c, NULL, &made, record, 5);
    EVP_EncryptUpdate(c, record + 5, &made, plain, (int)n + 1);
    EVP_EncryptFinal_ex(c, record + 5 + made, &made);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, record + 5 + n + 1);
    EVP_CIPHER_CTX_free(c);
    put(fd, record, 5 + whole);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    if (fd < 0 || fd >= SOCKETS || !sockets[fd].has_keys)
        return (REAL(send))(fd, bytes, n, flags);
    if (n > 3 * PLAIN_MOST + 100)
        n = 3 * PLAIN_MOST + 100; /* a short count now and then */
    for (size_t i = 0; i < n; i += PLAIN_MOST)
        seal(fd, DATA, (const unsigned char *)bytes + i, n - i < PLAIN_MOST ? n - i : PLAIN_MOST);
    return (ssize_t)n;
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    const struct cmsghdr *c = m->msg_controllen > 0 ? CMSG_FIRSTHDR(m) : NULL;
    if (fd < 0 || fd >= SOCKETS || !sockets[fd].has_keys)
        return (REAL(sendmsg))(fd, m, flags);
    unsigned char type = DATA;
    if (c && c->cmsg_level == SOL_TLS && c->cmsg_type == TLS_SET_RECORD_TYPE)
        type = *CMSG_DATA(c);
    const unsigned char *bytes = m->msg_iov[0].iov_base;
    note("record of type %u: %u %u\n", type, bytes[0], bytes[1]);
    seal(fd, type, bytes, m->msg_iov[0].iov_len);
    return (ssize_t)m->msg_iov[0].iov_len;
}

int close(int fd)
{
    if (fd >= 0 && fd < SOCKETS)
        sockets[fd] = (struct sealed){0};
    return (REAL(close))(fd);
}
