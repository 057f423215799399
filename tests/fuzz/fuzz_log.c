/* SPDX-License-Identifier: GPL-2.0-or-later
 * Whatever a peer or a user says, what is written to a log or a dump is printable: the first byte
 * chooses between a message, one with the argument and a caret, the dumps, and names of raw dumps. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/err.h"
#include "catena/run.h"
#include "catena/sink.h"
#include "engine/relay/dump.h"
#include "../home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#if defined __has_feature
#if __has_feature(address_sanitizer)
void __sanitizer_set_report_fd(void *fd);
#endif
#endif

enum { MUCH = 1 << 18 };

static int written = -1; /* takes the place of standard error meanwhile */
static int saved = -1;
static char out[MUCH];

static void begin(void)
{
    if (written < 0) {
        written = memfd_create("log", MFD_CLOEXEC);
        saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
#if defined __has_feature
#if __has_feature(address_sanitizer)
        __sanitizer_set_report_fd((void *)(intptr_t)saved);
#endif
#endif
    }
    if (written < 0 || saved < 0 || ftruncate(written, 0) < 0 || lseek(written, 0, SEEK_SET) < 0 ||
        dup2(written, STDERR_FILENO) < 0)
        abort();
}

static size_t end(void)
{
    if (dup2(saved, STDERR_FILENO) < 0)
        abort();
    ssize_t n = pread(written, out, sizeof out, 0);
    if (n < 0 || n == sizeof out)
        abort();
    return (size_t)n;
}

static void check(size_t n, bool ascii)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)out[i];
        bool printable = (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t';
        if (!printable && (ascii || c < 0xa0))
            abort();
    }
}

/* One line, or three with a caret. */
static void messages(const char *text, size_t off, size_t len, bool caret)
{
    struct err e;
    size_t lines = 0;
    begin();
    if (caret)
        (void)err_at(&e, (struct span){text, off, len}, "about \"%s\"", text);
    else
        (void)err_set(&e, ERR_PROTOCOL, "peer says \"%s\"", text);
    home_speaks(DIAG_WARN);
    diag_err(DIAG_ERROR, &e);
    size_t n = end();
    check(n, false);
    for (size_t i = 0; i < n; i++)
        lines += out[i] == '\n';
    if (lines != (caret ? 3 : 1) || out[n - 1] != '\n')
        abort();
}

/* In hex the dump is the data. */
static void compare(const uint8_t *data, size_t size, size_t n)
{
    char *p = memchr(out, '\n', n);
    for (size_t i = 0; i < size; i++) {
        char byte[4];
        (void)snprintf(byte, sizeof byte, " %02x", (unsigned)data[i]);
        if (!p || memcmp(p + 1 + 3 * i, byte, 3) != 0)
            abort();
    }
}

static void dumps(const uint8_t *data, size_t size, bool text, bool hex)
{
    home_speaks(DIAG_WARN);
    begin();
    struct dump d = {.sink = {.fd = -1}, .direction = 0x3e,
                     .format = (enum dump_format)((text ? DUMP_TEXT : 0) | (hex ? DUMP_HEX : 0))};
    dump_block(&d, data, size);
    size_t n = end();
    check(n, true);
    if (hex && !text)
        compare(data, size, n);
}

static void names(const char *text, size_t cap)
{
    static const struct settings settings = {.catena = &home, .env_prefix = "SOCAT"};
    struct err e;
    struct run run;
    char *name = malloc(cap);
    if (!name || run_init(&run, &settings, NULL, -1, &e) < 0)
        abort();
    if (dump_file_name(&run, text, name, cap, &e) == 0 && strlen(name) >= cap)
        abort();
    run_fini(&run);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size > 3 ? malloc(size - 2) : NULL;
    if (!text)
        return 0;
    memcpy(text, data + 3, size - 3);
    text[size - 3] = '\0';
    switch (data[0] % 6) {
    case 0: messages(text, 0, 0, false); break;
    case 1: messages(text, data[1] % (strlen(text) + 1), data[2], true); break;
    case 2: dumps(data + 3, size - 3, true, false); break;
    case 3: dumps(data + 3, size - 3, false, true); break;
    case 4: dumps(data + 3, size - 3, true, true); break;
    case 5: names(text, 1U + data[1] + 16U * data[2]); break;
    }
    free(text);
    return 0;
}
