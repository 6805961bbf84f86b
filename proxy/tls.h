/* TLS on a stream, with OpenSSL over memory BIOs: the socket stays libuv's.
 *
 * Two kinds of context: the client leg's (the proxy is the TLS server; certificate and key from files, made
 * anew on reload) and the server leg's (the proxy is the TLS client; libpq's sslmode decides what is
 * verified). */
#ifndef PROXY_TLS_H
#define PROXY_TLS_H

#include <openssl/ssl.h>

#include "proxy/stream.h"

/* The client leg. NULL with `err` if a file is missing, unreadable, or certificate and key do not belong
 * together. Freed with SSL_CTX_free; reference-counted by OpenSSL, so that sessions survive a reload. */
SSL_CTX *tls_server_context(const char *cert_file, const char *key_file, Error *err) MUST_USE;

typedef struct TlsClientOptions {
    bool verify_ca;        /* the chain must lead to a root in root_file */
    bool verify_host;      /* and the certificate must name the host */
    const char *root_file; /* PEM, or "system"; NULL: none */
    const char *cert_file; /* client certificate; NULL: none */
    const char *key_file;
    const char *crl_file;
} TlsClientOptions;

SSL_CTX *tls_client_context(const TlsClientOptions *options, Error *err) MUST_USE;

/* Called once per handshake: error NULL when it succeeded. */
typedef void TlsHandshakeDone(Stream *stream, const char *failure);

/* Puts a stream under TLS and starts the handshake. From now on its callbacks get plain bytes. `early` bytes
 * that the peer sent already are fed to the handshake. host: name to verify and to send as SNI; NULL: none.
 * require_alpn: refuse a client that does not offer "postgresql" (direct TLS). */
void tls_accept(Stream *stream, SSL_CTX *context, const uint8_t *early, size_t early_size, bool require_alpn,
                TlsHandshakeDone *done);
void tls_connect(Stream *stream, SSL_CTX *context, const char *host, bool verify_host,
                 TlsHandshakeDone *done);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384"; NULL in clear or before the handshake is done. Points into `buf`. */
const char *tls_describe(const Stream *stream, char *buf, size_t size);

/* For stream.c. */
void tls_received(Stream *stream, const uint8_t *data, size_t size);
void tls_resume(Stream *stream);
void tls_send(Stream *stream, uv_buf_t *pieces, unsigned npieces);
void tls_say_goodbye(Stream *stream);
void tls_free(StreamTls *tls);

#endif
