/* SPDX-License-Identifier: GPL-2.0-or-later
 * The handshake of a client (RFC 6455, 4.1): it asks, and makes sure that it has been understood. */
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "inter/proxy/target.h"
#include "inter/ws/opts_ws.h"
#include "inter/ws/ws.h"

int ws_accept_of(const char *key, char accept[ACCEPT_ROOM], struct err *e)
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[KEY_LENGTH + sizeof magic];
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    (void)snprintf(text, sizeof text, "%s%s", key, magic);
    if (EVP_Digest(text, strlen(text), sum, &n, EVP_sha1(), NULL) != 1)
        return err_set(e, ERR_OTHER, "this libcrypto has no SHA-1");
    (void)EVP_EncodeBlock((unsigned char *)accept, sum, (int)n);
    return 0;
}

static int send_request(struct ws_session *s, const struct session_side *wire, struct err *e)
{
    unsigned char random[16];
    const char *text = s->config->request;
    size_t n = strlen(text);
    if (RAND_bytes(random, sizeof random) != 1)
        return err_set(e, ERR_BUSY, "there are no random bytes for a key");
    (void)EVP_EncodeBlock((unsigned char *)s->key, random, sizeof random);
    if (buf_grow(wire->out, wire->out->len + n + 64) < 0)
        return err_nomem(e);
    (void)buf_put(wire->out, text, n);
    (void)buf_put(wire->out, "Sec-WebSocket-Key: ", 19);
    (void)buf_put(wire->out, s->key, KEY_LENGTH);
    (void)buf_put(wire->out, "\r\n\r\n", 4);
    return 0;
}

/* ---- the answer ---- */

static int status_of(const char *line, const char **rest)
{
    int status = 0;
    if (strncmp(line, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)line[7]) || line[8] != ' ')
        return -1;
    for (int i = 9; i < 12; i++) {
        if (!isdigit((unsigned char)line[i]))
            return -1;
        status = 10 * status + line[i] - '0';
    }
    *rest = line + 9;
    return line[12] == ' ' || line[12] == '\0' ? status : -1;
}

static enum err_kind kind_of(int status)
{
    return status == 401 || status == 403 || status == 407   ? ERR_DENIED
           : status == 408 || status == 504                  ? ERR_TIMEOUT
           : status == 429 || status == 503                  ? ERR_BUSY
           : status == 502                                   ? ERR_UNREACHABLE
           : status >= 500                                   ? ERR_REFUSED
                                                             : ERR_OTHER;
}

static int refused(const struct ws_session *s, int status, const char *text, struct err *e)
{
    char shown[128], where[200] = "";
    size_t n;
    const char *location = head_field(&s->head, "Location", &n);
    printable(shown, sizeof shown, text);
    if (location)
        printable(where, sizeof where, location);
    (void)err_set(e, kind_of(status), "the server refused the WebSocket: %s%s%s%s", shown,
                  *where ? "; it is at " : "", where,
                  status == 401 ? s->config->authority ? " (the credentials were sent)" : "; give auth" : "");
    return err_called(e, ERR_WEBSOCKET);
}

static bool is_word(const char *word, size_t n, void *arg)
{
    return strlen(arg) == n && memcmp(word, arg, n) == 0;
}

static int check_subprotocol(struct ws_session *s, struct err *e)
{
    size_t n;
    char shown[100];
    const char *chosen = head_field(&s->head, "Sec-WebSocket-Protocol", &n);
    if (!chosen)
        return 0;
    printable(shown, sizeof shown, chosen);
    if (n > 1 || !ws_each_word(s->config->addr, &opt_subprotocol, is_word, (void *)(uintptr_t)chosen))
        return err_set(e, ERR_PROTOCOL, "the server chose subprotocol \"%s\", which was not among those asked for", shown);
    return (s->subprotocol = strdup(chosen)) ? 0 : err_nomem(e);
}

static int check_answer(struct ws_session *s, struct err *e)
{
    char accept[ACCEPT_ROOM];
    const char *text = "";
    size_t n;
    int status = status_of(s->head.line, &text);
    if (status < 0)
        return err_set(e, ERR_PROTOCOL, "the peer does not speak HTTP/1.1: its answer has no status");
    if (status != 101)
        return refused(s, status, text, e);
    if (!head_has_word(&s->head, "Upgrade", "websocket") || !head_has_word(&s->head, "Connection", "upgrade"))
        return err_set(e, ERR_PROTOCOL, "the server changes to something else than WebSocket");
    const char *told = head_field(&s->head, "Sec-WebSocket-Accept", &n);
    if (ws_accept_of(s->key, accept, e) < 0)
        return -1;
    if (!told || n > 1 || strcmp(told, accept) != 0)
        return err_set(e, ERR_PROTOCOL, "the server has not understood the request: Sec-WebSocket-Accept is %s",
                       told ? "wrong" : "missing");
    s->peer_waits = head_field(&s->head, WS_WAITS, &n);
    return check_subprotocol(s, e) < 0 || ws_take_answer(s, e) < 0 ? -1 : 1;
}

int ws_ask(struct ws_session *s, struct session_side *wire, struct err *e)
{
    bool too_large;
    if (!s->asked && send_request(s, wire, e) < 0)
        return -1;
    s->asked = true;
    int rc = head_take(&s->head, wire->in, &too_large, e);
    if (rc == 0 && wire->in_eof)
        return err_set(e, ERR_CUT, "the peer closed the connection during the WebSocket handshake");
    return rc <= 0 ? rc : check_answer(s, e);
}
