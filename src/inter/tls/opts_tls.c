/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for TLS. */
#include "inter/tls/opts_tls.h"

#include "catena/option_row.h"
#include "catena/options.h"

#define TLS(row, n, al, type, h) NAMED_OPTION(row, n, al, GROUP_OPENSSL, SPECIFIC, type, h)
#define TLS_FILE(row, n, al, h)                                                                    \
    NAMED_OPTION(row, n, al, GROUP_OPENSSL, SPECIFIC, STRING, h, .file = true)

TLS(opt_tls_alpn, "openssl-alpn", "alpn", STRING,
    "protocols to agree upon, the one liked best first, with blanks or commas between; may be repeated");
TLS_FILE(opt_tls_cafile, "openssl-cafile", "cacert cafile",
         "file of trusted authorities' certificates (PEM)");
TLS_FILE(opt_tls_capath, "openssl-capath", "capath",
         "directory of trusted authorities' certificates, hashed");
TLS_FILE(opt_tls_cert, "openssl-certificate", "cert certificate",
         "file of the own certificate, and the key if it is there (PEM)");
TLS(opt_tls_cipher, "openssl-cipherlist", "cipher cipherlist ciphers", STRING,
    "ciphers allowed, as ciphers(1) writes them");
TLS(opt_tls_commonname, "openssl-commonname", "cn commonname", STRING,
    "name the peer's certificate must have; empty: any");
TLS(opt_tls_commonname_match, "openssl-commonname-match", "commonname-match", BOOL,
    "the commonName counts even where the certificate has alternative names");
TLS(opt_tls_compress, "openssl-compress", "compress", STRING, "compression: none or auto");
TLS_FILE(opt_tls_crlfile, "openssl-crlfile", "crl crlfile",
         "file of revocation lists (PEM): one for each authority of the peer's chain");
TLS_FILE(opt_tls_crlpath, "openssl-crlpath", "crlpath",
         "directory of revocation lists, hashed: one for each authority of the peer's chain");
TLS_FILE(opt_tls_dhparam, "openssl-dhparam", "dh dhparam dhparams openssl-dhparams",
         "file of Diffie-Hellman parameters (PEM)");
TLS(opt_tls_egd, "openssl-egd", "egd", STRING,
    "socket of an entropy daemon (no effect in current libraries)");
TLS_FILE(opt_tls_key, "openssl-key", "key", "file of the own private key (PEM)");
TLS(opt_tls_keylog, "openssl-keylog", "keylog", STRING,
    "append the secrets of each connection to this file, for Wireshark");
TLS(opt_tls_kernel, "openssl-ktls", "ktls", BOOL,
    "the kernel encrypts what is sent, where it can: TLS 1.3 right over TCP");
NAMED_OPTION(opt_tls_max_version, "openssl-max-proto-version", "max-proto-version max-version",
             GROUP_OPENSSL, OFFSET, STRING, "highest protocol version: TLS1.0 to TLS1.3");
TLS(opt_tls_maxfraglen, "openssl-maxfraglen", "maxfraglen", INT,
    "client: ask for fragments of 512, 1024, 2048 or 4096 bytes");
TLS(opt_tls_maxsendfrag, "openssl-maxsendfrag", "maxsendfrag", INT,
    "size of fragments sent, 512..16384 bytes");
TLS(opt_tls_method, "openssl-method", "method", STRING,
    "protocol version (use openssl-min-proto-version instead)");
NAMED_OPTION(opt_tls_min_version, "openssl-min-proto-version", "min-proto-version min-version",
             GROUP_OPENSSL, OFFSET, STRING,
             "lowest protocol version: TLS1.0 to TLS1.3, default TLS1.2");
TLS(opt_tls_no_sni, "openssl-no-sni", "no-sni nosni", BOOL,
    "client: do not tell the server the name wanted");
TLS(opt_tls_ocsp, "openssl-ocsp", "ocsp", STRING,
    "client: what the authority says of the server's certificate: staple (if it comes, it has to be good) or require");
TLS_FILE(opt_tls_ocsp_file, "openssl-ocsp-file", "ocsp-file",
         "server: file of an OCSP response about its certificate, for clients that ask");
TLS_FILE(opt_tls_p12, "openssl-p12", "p12", "file of the own certificate and its key (PKCS #12)");
TLS(opt_tls_pin, "openssl-pin-sha256", "pin-sha256", STRING,
    "the peer's key: SHA-256 of its SubjectPublicKeyInfo in base64; may be repeated");
NAMED_SECRET(opt_tls_passphrase, "openssl-passphrase", "passphrase", "passphrase-file",
             "passphrase-env", GROUP_OPENSSL, SPECIFIC, "pass phrase of the own private key");
TLS(opt_tls_pseudo, "openssl-pseudo", "pseudo", BOOL,
    "weak random numbers (no effect in current libraries)");
#define PSK_HELP "<identity>:<key in hexadecimal digits>, in the place of certificates"
const struct option_desc opt_tls_psk =
    SECRET_TEXT_FIELDS("openssl-psk", "psk", GROUP_OPENSSL, SPECIFIC, PSK_HELP);
static const struct option_desc opt_tls_psk_env =
    SECRET_ENV_FIELDS("openssl-psk", "psk-env", GROUP_OPENSSL, SPECIFIC, PSK_HELP, &opt_tls_psk);
TLS_FILE(opt_tls_psk_file, "openssl-psk-file", "psk-file",
         "a line <identity>:<key in hexadecimal digits> for each client, or for this one");
NAMED_OPTION(opt_reload, "reload", NULL, GROUP_OPENSSL, SPECIFIC, INT_NULL,
             "read changed files again when somebody connects, or after so many seconds, and on SIGHUP",
             FROM_TO(0, 1000000));
TLS(opt_tls_resume, "openssl-resume", "resume", TIMEVAL,
    "seconds for which a session may be resumed, default 7200, 0: none is");
TLS(opt_tls_snihost, "openssl-snihost", "snihost", STRING, "client: tell the server this name");
TLS(opt_tls_strict_sni, "openssl-strict-sni", "strict-sni", BOOL,
    "server: refuse clients that ask for a name no certificate is for");
TLS(opt_tls_verify, "openssl-verify", "verify", BOOL, "check the peer's certificate, default 1");

OPTION_TABLE(tls) = {
    &opt_tls_alpn, &opt_tls_cafile, &opt_tls_capath, &opt_tls_cert, &opt_tls_cipher, &opt_tls_commonname,
    &opt_tls_commonname_match, &opt_tls_compress, &opt_tls_crlfile, &opt_tls_crlpath, &opt_tls_dhparam, &opt_tls_egd,
    &opt_tls_key, &opt_tls_keylog, &opt_tls_kernel, &opt_tls_max_version, &opt_tls_maxfraglen, &opt_tls_maxsendfrag, &opt_tls_method,
    &opt_tls_min_version, &opt_tls_no_sni, &opt_tls_ocsp, &opt_tls_ocsp_file, &opt_tls_p12,
    NAMED_SECRET_ROWS(opt_tls_passphrase),
    &opt_tls_pin, &opt_tls_pseudo, &opt_tls_psk, &opt_tls_psk_env, &opt_tls_psk_file, &opt_reload, &opt_tls_resume,
    &opt_tls_snihost, &opt_tls_strict_sni, &opt_tls_verify,
    OPTIONS_END,
};
