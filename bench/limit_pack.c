/* SPDX-License-Identifier: GPL-2.0-or-later
 * A compressing library alone: limit_pack zstd|lz4|brotli <in> <out>, ends as in ends.h, 256 KiB a time, with
 * the settings that the program has by itself. */
#include "ends.h"

#include <brotli/encode.h>
#include <lz4frame.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum { ROOM = 2 * CHUNK, ZSTD_LEVEL = 3, BROTLI_LEVEL = 5 };

static unsigned char *packed;

static void give(struct end *out, size_t n)
{
    if (!write_all(out->fd, packed, n))
        die("cannot write", NULL);
}

/* What becomes of n bytes; 0: the end. */
static void zstd(struct end *out, const unsigned char *p, size_t n)
{
    static ZSTD_CCtx *z;
    size_t left;
    ZSTD_inBuffer in = {p, n, 0};

    if (!z) {
        z = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    }
    do {
        ZSTD_outBuffer to = {packed, ROOM, 0};
        left = ZSTD_compressStream2(z, &to, &in, n > 0 ? ZSTD_e_continue : ZSTD_e_end);
        if (ZSTD_isError(left))
            die("zstd has failed", NULL);
        give(out, to.pos);
    } while (n > 0 ? in.pos < in.size : left > 0);
}

static void lz4(struct end *out, const unsigned char *p, size_t n)
{
    static LZ4F_cctx *z;
    const LZ4F_preferences_t how = {.frameInfo = {.blockSizeID = LZ4F_max64KB, .contentChecksumFlag = 1}};

    if (!z) {
        LZ4F_createCompressionContext(&z, LZ4F_VERSION);
        give(out, LZ4F_compressBegin(z, packed, ROOM, &how));
    }
    size_t made = n > 0 ? LZ4F_compressUpdate(z, packed, ROOM, p, n, NULL) : LZ4F_compressEnd(z, packed, ROOM, NULL);
    if (LZ4F_isError(made))
        die("lz4 has failed", NULL);
    give(out, made);
}

static void brotli(struct end *out, const unsigned char *p, size_t n)
{
    static BrotliEncoderState *z;

    if (!z) {
        z = BrotliEncoderCreateInstance(NULL, NULL, NULL);
        BrotliEncoderSetParameter(z, BROTLI_PARAM_QUALITY, BROTLI_LEVEL);
    }
    BrotliEncoderOperation op = n > 0 ? BROTLI_OPERATION_PROCESS : BROTLI_OPERATION_FINISH;
    do {
        size_t room = ROOM;
        uint8_t *to = packed;
        if (!BrotliEncoderCompressStream(z, op, &n, &p, &room, &to, NULL))
            die("brotli has failed", NULL);
        give(out, ROOM - room);
    } while (n > 0 || BrotliEncoderHasMoreOutput(z));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*pack)(struct end *out, const unsigned char *p, size_t n);
    } formats[] = {{"zstd", zstd}, {"lz4", lz4}, {"brotli", brotli}};
    unsigned char *plain = malloc(CHUNK);
    struct end in, out;
    size_t f = 0;
    ssize_t n;

    packed = malloc(ROOM);
    while (argc == 4 && f < 3 && strcmp(argv[1], formats[f].name) != 0)
        f++;
    if (argc != 4 || f == 3 || !plain || !packed)
        die("usage: limit_pack zstd|lz4|brotli <in> <out>", NULL);
    signal(SIGPIPE, SIG_IGN);
    end_prepare(&in, argv[2]);
    end_prepare(&out, argv[3]);
    end_complete(&in);
    end_complete(&out);
    do {
        n = read(in.fd, plain, CHUNK);
        formats[f].pack(&out, plain, n > 0 ? (size_t)n : 0);
    } while (n > 0);
    end_shut(&out);
    return 0;
}
