/* SPDX-License-Identifier: GPL-2.0-or-later
 * Loads OpenSSL and zlib when a line needs them: see libraries.h. For each function of
 * libraries.def there is one of the same name here that jumps to where the library has it, so the
 * callers include the libraries' headers and know nothing of this. */
#include "inter/libraries/libraries.h"

#include <openssl/opensslv.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

#if defined __x86_64__
#define JUMP(slot) "endbr64\n\tjmp *" slot "(%rip)\n"
#elif defined __aarch64__
#define JUMP(slot) "hint 34\n\tadrp x16, " slot "\n\tldr x16, [x16, :lo12:" slot "]\n\tbr x16\n"
#else
#error "no jumps for this architecture: build with -DCATENA_LAZY=OFF"
#endif

/* One slot a function: hidden, so that the jump reaches it without the dynamic linker. */
#define X(library, function)                                                                       \
    extern void *slot_##function __attribute__((visibility("hidden")));                            \
    void *slot_##function;                                                                         \
    __asm__(".pushsection .text\n"                                                                 \
            ".globl " #function "\n"                                                               \
            ".hidden " #function "\n"                                                              \
            ".type " #function ", %function\n" #function ":\n\t" JUMP("slot_" #function)           \
            ".size " #function ", . - " #function "\n"                                             \
            ".popsection\n");
#include "inter/libraries/libraries.def"
#undef X

enum library { SSL, CRYPTO, ZLIB, LIBRARIES };

#define STRING(x) STRING_(x)
#define STRING_(x) #x
static const char *const names[LIBRARIES] = {
    [SSL] = "libssl.so." STRING(OPENSSL_SHLIB_VERSION),
    [CRYPTO] = "libcrypto.so." STRING(OPENSSL_SHLIB_VERSION),
    [ZLIB] = "libz.so.1",
};

static const struct {
    enum library library;
    const char *name;
    void **slot;
} functions[] = {
#define X(library, function) {library, #function, &slot_##function},
#include "inter/libraries/libraries.def"
#undef X
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *handles[LIBRARIES];

static int load(enum library library, struct err *e)
{
    if (handles[library])
        return 0;
    void *handle = dlopen(names[library], RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return err_set(e, ERR_OTHER, "a library cannot be loaded: %s", dlerror());
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (functions[i].library != library)
            continue;
        *functions[i].slot = dlsym(handle, functions[i].name);
        if (!*functions[i].slot)
            return err_set(e, ERR_OTHER, "%s has no %s", names[library], functions[i].name);
    }
    handles[library] = handle;
    return 0;
}

int libraries_load_openssl(struct err *e)
{
    pthread_mutex_lock(&lock);
    int rc = load(CRYPTO, e) < 0 ? -1 : load(SSL, e);
    pthread_mutex_unlock(&lock);
    return rc;
}

int libraries_load_zlib(struct err *e)
{
    pthread_mutex_lock(&lock);
    int rc = load(ZLIB, e);
    pthread_mutex_unlock(&lock);
    return rc;
}
