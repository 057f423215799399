/* SPDX-License-Identifier: GPL-2.0-or-later
 * OpenSSL reports failures as a queue of codes. People get one sentence: the reason in words and,
 * where there is one, the way out. */
#include "inter/tls/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sslerr.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Reasons whose own text would not help. NULL text: keep OpenSSL's, only add the way out. */
struct reason {
    int lib, reason;
    enum err_kind kind;
    const char *text, *way_out;
};

#define ALERT(a) ERR_LIB_SSL, SSL_AD_REASON_OFFSET + (a)
static const struct reason reasons[] = {
    {ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER, ERR_TLS_PLAIN, "the peer does not speak TLS", NULL},
    {ERR_LIB_SSL, SSL_R_HTTP_REQUEST, ERR_TLS_PLAIN, "the peer sent a plain HTTP request", NULL},
    {ERR_LIB_SSL, SSL_R_HTTPS_PROXY_REQUEST, ERR_TLS_PLAIN,
     "the peer sent a plain HTTP proxy request", NULL},
    {ERR_LIB_SSL, SSL_R_PACKET_LENGTH_TOO_LONG, ERR_TLS_PLAIN,
     "the peer sent a record that is too long, or does not speak TLS", NULL},
    {ERR_LIB_SSL, SSL_R_UNSUPPORTED_PROTOCOL, ERR_TLS_VERSION,
     "the peer wants a protocol version that is not allowed here",
     "openssl-min-proto-version and openssl-max-proto-version set the limits"},
    {ERR_LIB_SSL, SSL_R_NO_PROTOCOLS_AVAILABLE, ERR_TLS_VERSION,
     "the protocol versions asked for are not available",
     "old ones may need cipher=DEFAULT:@SECLEVEL=0 as well"},
    {ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER, ERR_TLS_CIPHER, "no cipher in common with the peer",
     "a server needs cert=<file>, cipher=<list> chooses ciphers"},
    {ERR_LIB_SSL, SSL_R_NO_CIPHER_MATCH, ERR_TLS_CIPHER, NULL, NULL},
    {ERR_LIB_SSL, SSL_R_NO_CIPHERS_AVAILABLE, ERR_TLS_CIPHER,
     "the cipher list leaves no cipher to offer",
     "anonymous and old ones need @SECLEVEL=0 in the list and openssl-max-proto-version=TLS1.2"},
    {ERR_LIB_SSL, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, ERR_TLS_NO_CERT,
     "the client sent no certificate", "verify=0 without pin-sha256 asks for none"},
    {ERR_LIB_SSL, SSL_R_DH_KEY_TOO_SMALL, ERR_TLS_CIPHER, "a Diffie-Hellman key is too short",
     "cipher=DEFAULT:@SECLEVEL=0 accepts it"},
    {ERR_LIB_SSL, SSL_R_EE_KEY_TOO_SMALL, ERR_TLS_FILE, "the certificate's key is too short",
     "cipher=DEFAULT:@SECLEVEL=0 accepts it"},
    {ERR_LIB_SSL, SSL_R_CA_MD_TOO_WEAK, ERR_TLS_FILE, "the certificate's digest is too weak",
     "cipher=DEFAULT:@SECLEVEL=0 accepts it"},
    {ERR_LIB_SSL, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, ERR_TLS,
     "a record was damaged on its way", NULL},
    {ERR_LIB_PEM, PEM_R_NO_START_LINE, ERR_TLS_FILE, "it holds no such PEM block", NULL},
    {ERR_LIB_OSSL_DECODER, ERR_R_UNSUPPORTED, ERR_TLS_FILE, "it holds no such PEM block", NULL},
    {ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ, ERR_TLS_FILE,
     "it is encrypted, and there is no terminal to ask for the pass phrase",
     "openssl pkey writes an unencrypted copy"},
    {ALERT(SSL_AD_UNKNOWN_CA), ERR_TLS_REJECTED, "the peer does not trust our certificate", NULL},
    {ALERT(SSL_AD_BAD_CERTIFICATE), ERR_TLS_REJECTED, "the peer does not accept our certificate", NULL},
    {ALERT(SSL_AD_CERTIFICATE_UNKNOWN), ERR_TLS_REJECTED, "the peer does not accept our certificate", NULL},
    {ALERT(SSL_AD_UNSUPPORTED_CERTIFICATE), ERR_TLS_REJECTED, "the peer does not accept certificates of this kind",
     NULL},
    {ALERT(SSL_AD_CERTIFICATE_EXPIRED), ERR_TLS_REJECTED, "for the peer our certificate has expired", NULL},
    {ALERT(SSL_AD_CERTIFICATE_REVOKED), ERR_TLS_REJECTED, "for the peer our certificate has been revoked", NULL},
    {ALERT(SSL_AD_ACCESS_DENIED), ERR_TLS_REJECTED, "the peer knows our certificate and does not let us in", NULL},
    {ALERT(SSL_AD_INSUFFICIENT_SECURITY), ERR_TLS_CIPHER, "the peer wants stronger ciphers",
     "cipher=<list> chooses ours"},
    {ALERT(SSL_AD_HANDSHAKE_FAILURE), ERR_TLS_REJECTED, "the peer refused what was offered",
     "it may want a certificate (cert=<file>) or another cipher"},
    {ALERT(SSL_AD_CERTIFICATE_REQUIRED), ERR_TLS_REJECTED, "the peer wants a certificate", "cert=<file> sends one"},
    {ALERT(SSL_AD_PROTOCOL_VERSION), ERR_TLS_VERSION, "the peer does not accept this protocol version",
     "openssl-min-proto-version and openssl-max-proto-version set ours"},
    {ERR_LIB_SSL, SSL_R_NOT_REPLACING_CERTIFICATE, ERR_TLS_FILE,
     "there is another certificate with this kind of key, and none to choose between them by name", NULL},
    {ERR_LIB_SSL, SSL_R_NO_APPLICATION_PROTOCOL, ERR_TLS_ALPN, "no protocol in common with the peer",
     "alpn=<list> names ours"},
    {ALERT(SSL_AD_NO_APPLICATION_PROTOCOL), ERR_TLS_ALPN, "the peer speaks none of the protocols offered",
     "alpn=<list> names ours"},
    {ALERT(SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE), ERR_TLS_REJECTED, "the peer does not accept our certificate's OCSP response, or has got none",
     "ocsp-file=<file> is what it gets"},
    {ALERT(SSL_AD_UNRECOGNIZED_NAME), ERR_TLS_NAME, "the peer does not know the host name asked for",
     "snihost=<name> asks for another, no-sni for none"},
};

static const struct reason *find_reason(unsigned long code)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (ERR_GET_LIB(code) == reasons[i].lib && ERR_GET_REASON(code) == reasons[i].reason)
            return &reasons[i];
    return NULL;
}

/* What OpenSSL itself calls it. */
static void own_words(unsigned long code, char *text, size_t size)
{
    int alert = ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET;
    const char *words = NULL;
    if (ERR_SYSTEM_ERROR(code))
        words = strerror(ERR_GET_REASON(code));
    else if (ERR_GET_LIB(code) == ERR_LIB_SSL && alert >= 0 && alert <= 255) {
        (void)snprintf(text, size, "the peer ended it with the alert \"%s\"",
                       SSL_alert_desc_string_long(alert));
        return;
    } else
        words = ERR_reason_error_string(code);
    (void)snprintf(text, size, "%s", words ? words : "the TLS library does not say why");
}

size_t tls_shown(char *to, size_t size, const char *from, size_t n)
{
    size_t at = 0;
    for (; at < n && at + 1 < size; at++)
        to[at] = from[at] >= 0x20 && from[at] < 0x7f ? from[at] : '?';
    to[at] = '\0';
    return at;
}

int tls_error(struct err *e, enum err_kind fallback, const char *fmt, ...)
{
    char what[512], words[160];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);

    /* The first code is the cause; what libraries above it add is seldom news. But where the table
     * knows a later one, that one is for people. */
    unsigned long first = ERR_get_error(), code = first;
    const struct reason *known = find_reason(code);
    while (!known && (code = ERR_get_error()) != 0)
        known = find_reason(code);
    ERR_clear_error();
    if (!known || !known->text)
        own_words(known ? code : first, words, sizeof words);
    (void)err_set(e, known ? known->kind : fallback, "%s: %s%s%s%s", what,
                  known && known->text ? known->text : words, known && known->way_out ? " (" : "",
                  known && known->way_out ? known->way_out : "",
                  known && known->way_out ? ")" : "");
    if (ERR_SYSTEM_ERROR(first))
        e->sys = ERR_GET_REASON(first);
    return -1;
}
