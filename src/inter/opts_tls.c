/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for TLS. */
#include "option_row.h"

#define TLS(n, al, type, which, h)                                                                 \
    OPTION(n, al, GROUP_OPENSSL, SPECIFIC, type, h, .id = OPT_TLS_##which)

const struct option_desc options_tls[] = {
    TLS("openssl-cafile", "cacert cafile", STRING, CAFILE,
        "file of trusted authorities' certificates (PEM)"),
    TLS("openssl-capath", "capath", STRING, CAPATH,
        "directory of trusted authorities' certificates, hashed"),
    TLS("openssl-certificate", "cert certificate", STRING, CERT,
        "file of the own certificate, and the key if it is there (PEM)"),
    TLS("openssl-cipherlist", "cipher cipherlist ciphers", STRING, CIPHER,
        "ciphers allowed, as ciphers(1) writes them"),
    TLS("openssl-commonname", "cn commonname", STRING, COMMONNAME,
        "name the peer's certificate must have; empty: any"),
    TLS("openssl-compress", "compress", STRING, COMPRESS, "compression: none or auto"),
    TLS("openssl-crlfile", "crl crlfile", STRING, CRLFILE,
        "file of revocation lists (PEM): one for each authority of the peer's chain"),
    TLS("openssl-dhparam", "dh dhparam dhparams openssl-dhparams", STRING, DHPARAM,
        "file of Diffie-Hellman parameters (PEM)"),
    TLS("openssl-egd", "egd", STRING, EGD,
        "socket of an entropy daemon (no effect in current libraries)"),
    TLS("openssl-key", "key", STRING, KEY, "file of the own private key (PEM)"),
    OPTION("openssl-max-proto-version",
           "max-proto-version max-version", GROUP_OPENSSL, OFFSET, STRING,
           "highest protocol version: TLS1.0 to TLS1.3", .id = OPT_TLS_MAX_VERSION),
    TLS("openssl-maxfraglen", "maxfraglen", INT, MAXFRAGLEN,
        "client: ask for fragments of 512, 1024, 2048 or 4096 bytes"),
    TLS("openssl-maxsendfrag", "maxsendfrag", INT, MAXSENDFRAG,
        "size of fragments sent, 512..16384 bytes"),
    TLS("openssl-method", "method", STRING, METHOD,
        "protocol version (use openssl-min-proto-version instead)"),
    OPTION("openssl-min-proto-version",
           "min-proto-version min-version", GROUP_OPENSSL, OFFSET, STRING,
           "lowest protocol version: TLS1.0 to TLS1.3, default TLS1.2", .id = OPT_TLS_MIN_VERSION),
    TLS("openssl-no-sni", "no-sni nosni", BOOL, NO_SNI,
        "client: do not tell the server the name wanted"),
    SECRET("openssl-passphrase", "passphrase", "passphrase-file", "passphrase-env", GROUP_OPENSSL,
           SPECIFIC, OPT_TLS_PASSPHRASE, "pass phrase of the own private key"),
    TLS("openssl-pseudo", "pseudo", BOOL, PSEUDO,
        "weak random numbers (no effect in current libraries)"),
    TLS("openssl-snihost", "snihost", STRING, SNIHOST, "client: tell the server this name"),
    TLS("openssl-verify", "verify", BOOL, VERIFY, "check the peer's certificate, default 1"),
    OPTIONS_END,
};
