/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the programs of bench/ share: an end of a relayed stream, the pattern that is sent through
 * it, and the dialog with the driver. They are tools: they say what is wrong and exit. */
#ifndef BENCH_ENDS_H
#define BENCH_ENDS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHUNK = 256 * 1024 };

/* One end, by its specification:
 *   tcp:<port>  tcp-listen:<port>  unix:<path>  unix-listen:<path>      (127.0.0.1)
 *   tls:<port>  tls-listen:<port>  the same with TLS 1.3
 *                                  (a listening one also takes a CONNECT dialog before: a bare
 * proxy that is its own target) in:<path>   out:<path>  fd:<n>  none A listening end takes one
 * connection. */
struct end {
    const char *spec;
    int fd, listener;
    SSL *ssl;
    bool socket;
};

_Noreturn void die(const char *what, const char *detail);
uint64_t now_ns(void);
int tcp_listen(int port, int flags); /* flags as for socket(2) */
int tcp_connect(int port);           /* blocking, without delay */

void end_prepare(struct end *end, const char *spec); /* listens */
void end_complete(struct end *end);                  /* connects or accepts; shakes hands */
ssize_t end_read(struct end *end, void *buf, size_t size);
bool end_write(struct end *end, const void *data, size_t size); /* all of it */
void end_shut(struct end *end);                                 /* for writing */

/* Certificate and key are where BENCH_CERT and BENCH_KEY say. */
SSL_CTX *tls_context(bool server);

/* From now on 256 KiB of records are read and written at once; what is written needs a flush. Not
 * by read-ahead: OpenSSL moves all that it has read ahead with each record. */
void tls_batch(SSL *ssl, int fd);
bool tls_flush(SSL *ssl);
bool tls_pending(SSL *ssl); /* read, and not yet taken */

void say_ready(void);   /* "ready" to the driver */
bool wait_for_go(void); /* a line from the driver */

/* write(2) until all is out. */
bool write_all(int fd, const void *data, size_t size);

#endif
