/* TLS over memory BIOs.
 *
 *   socket bytes → rbio → SSL_read → on_read          (tls_received)
 *   stream_write → SSL_write → wbio → socket          (tls_send)
 *
 * A callback may close the stream or stop reading; both end the decrypting loop at once. What OpenSSL still
 * holds then is delivered by tls_resume. */
#include "proxy/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct StreamTls {
    SSL *ssl; /* owned, with its two BIOs */
    BIO *rbio;
    BIO *wbio;
    TlsHandshakeDone *done; /* NULL once it was called */
    bool require_alpn;
    bool delivering; /* inside the decrypting loop: no second one below it */
};

static const unsigned char ALPN_POSTGRESQL[] = "\x0apostgresql";

/* The first error in OpenSSL's queue, in words; empties the queue. */
static const char *openssl_error(void) {
    unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return reason ? reason : "TLS failure";
}

/* ---- contexts ---- */

/* Chooses "postgresql" if the client offers it (PostgreSQL 17's direct TLS must). */
static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
                       unsigned inlen, void *arg) {
    (void)ssl;
    (void)arg;
    int rc = SSL_select_next_proto((unsigned char **)(uintptr_t)out, outlen, ALPN_POSTGRESQL,
                                   sizeof ALPN_POSTGRESQL - 1, in, inlen);
    return rc == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *new_context(const SSL_METHOD *method) {
    SSL_CTX *context = SSL_CTX_new(method);
    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    return context;
}

static bool use_certificate(SSL_CTX *context, const char *cert_file, const char *key_file, Error *err) {
    if (SSL_CTX_use_certificate_chain_file(context, cert_file) != 1)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "could not load the certificate \"%s\": %s",
                         cert_file, openssl_error());
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "could not load the private key \"%s\": %s",
                         key_file, openssl_error());
    if (SSL_CTX_check_private_key(context) != 1)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR,
                         "the private key \"%s\" does not belong to \"%s\": %s", key_file, cert_file,
                         openssl_error());
    return true;
}

SSL_CTX *tls_server_context(const char *cert_file, const char *key_file, Error *err) {
    SSL_CTX *context = new_context(TLS_server_method());
    if (!context) {
        error_set(err, SQLSTATE_INTERNAL_ERROR, "could not make a TLS context: %s", openssl_error());
        return NULL;
    }
    if (!use_certificate(context, cert_file, key_file, err)) {
        SSL_CTX_free(context);
        return NULL;
    }
    /* As PostgreSQL: no session resumption, which would skip nothing that matters here. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_alpn_select_cb(context, select_alpn, NULL);
    return context;
}

static bool load_crl(SSL_CTX *context, const char *crl_file, Error *err) {
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    if (X509_STORE_load_file(store, crl_file) != 1)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "could not load the revocation list \"%s\": %s",
                         crl_file, openssl_error());
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return true;
}

SSL_CTX *tls_client_context(const TlsClientOptions *options, Error *err) {
    SSL_CTX *context = new_context(TLS_client_method());
    if (!context) {
        error_set(err, SQLSTATE_INTERNAL_ERROR, "could not make a TLS context: %s", openssl_error());
        return NULL;
    }
    if (options->cert_file && !use_certificate(context, options->cert_file, options->key_file, err))
        goto failed;
    if (options->root_file) {
        bool system = strcmp(options->root_file, "system") == 0;
        if ((system ? SSL_CTX_set_default_verify_paths(context)
                    : SSL_CTX_load_verify_file(context, options->root_file)) != 1) {
            error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "could not load the root certificates \"%s\": %s",
                      options->root_file, openssl_error());
            goto failed;
        }
    }
    if (options->crl_file && !load_crl(context, options->crl_file, err))
        goto failed;
    SSL_CTX_set_verify(context, options->verify_ca ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    return context;

failed:
    SSL_CTX_free(context);
    return NULL;
}

/* ---- data ---- */

/* Sends what OpenSSL has produced. */
static void send_produced(Stream *stream) {
    char *data;
    long size;
    while (stream->open && stream->tls && (size = BIO_get_mem_data(stream->tls->wbio, &data)) > 0) {
        uv_buf_t piece = uv_buf_init(data, (unsigned)size);
        stream_send_raw(stream, &piece, 1);
        (void)BIO_reset(stream->tls->wbio);
    }
}

static void handshake_over(Stream *stream, const char *failure) {
    TlsHandshakeDone *done = stream->tls->done;
    stream->tls->done = NULL;
    done(stream, failure);
}

static void shake_hands(Stream *stream) {
    StreamTls *tls = stream->tls;
    ERR_clear_error();
    int rc = SSL_do_handshake(tls->ssl);
    int reason = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, rc);
    send_produced(stream);
    if (!stream->open)
        return;
    if (rc == 1) {
        const unsigned char *alpn = NULL;
        unsigned alpn_size = 0;
        SSL_get0_alpn_selected(tls->ssl, &alpn, &alpn_size);
        if (tls->require_alpn && alpn_size == 0)
            handshake_over(stream, "direct TLS without the ALPN protocol \"postgresql\"");
        else
            handshake_over(stream, NULL);
    } else if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
        long verify = SSL_get_verify_result(tls->ssl);
        const char *text = openssl_error();
        handshake_over(stream, verify != X509_V_OK ? X509_verify_cert_error_string(verify) : text);
    }
}

/* Decrypts and delivers until there is no more, or the owner wants no more. */
static void deliver(Stream *stream) {
    StreamTls *tls = stream->tls;
    if (tls->delivering)
        return;
    tls->delivering = true;
    while (stream->open && stream->reading && !stream->ended) {
        ERR_clear_error();
        int n = SSL_read(tls->ssl, stream->buffers->plain, STREAM_READ_BYTES);
        if (n > 0) {
            stream->callbacks->on_read(stream, stream->buffers->plain, (size_t)n);
            continue;
        }
        int reason = SSL_get_error(tls->ssl, n);
        if (reason == SSL_ERROR_ZERO_RETURN)
            stream_fail(stream, NULL);
        else if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
            stream_fail(stream, openssl_error());
        break;
    }
    tls->delivering = false;
    send_produced(stream);
}

void tls_received(Stream *stream, const uint8_t *data, size_t size) {
    BIO_write(stream->tls->rbio, data, (int)size);
    if (stream->tls->done) {
        shake_hands(stream);
        if (!stream->open || !stream->tls || stream->tls->done)
            return;
    }
    deliver(stream);
}

void tls_resume(Stream *stream) {
    if (!stream->tls->done && (SSL_pending(stream->tls->ssl) > 0 || BIO_pending(stream->tls->rbio) > 0))
        deliver(stream);
}

void tls_send(Stream *stream, uv_buf_t *pieces, unsigned npieces) {
    StreamTls *tls = stream->tls;
    for (unsigned i = 0; i < npieces; i++) {
        size_t sent = 0;
        while (sent < pieces[i].len) {
            ERR_clear_error();
            int n = SSL_write(tls->ssl, pieces[i].base + sent, (int)(pieces[i].len - sent));
            if (n <= 0) {
                stream_fail(stream, openssl_error());
                return;
            }
            sent += (size_t)n;
        }
    }
    send_produced(stream);
}

/* ---- life ---- */

static StreamTls *tls_new(SSL_CTX *context) {
    StreamTls *tls = MEM_NEW(StreamTls);
    tls->ssl = SSL_new(context);
    tls->rbio = BIO_new(BIO_s_mem());
    tls->wbio = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(tls->rbio, -1);
    SSL_set_bio(tls->ssl, tls->rbio, tls->wbio);
    return tls;
}

void tls_accept(Stream *stream, SSL_CTX *context, const uint8_t *early, size_t early_size, bool require_alpn,
                TlsHandshakeDone *done) {
    StreamTls *tls = tls_new(context);
    SSL_set_accept_state(tls->ssl);
    tls->done = done;
    tls->require_alpn = require_alpn;
    stream->tls = tls;
    if (early_size > 0)
        tls_received(stream, early, early_size);
}

void tls_connect(Stream *stream, SSL_CTX *context, const char *host, bool verify_host,
                 TlsHandshakeDone *done) {
    StreamTls *tls = tls_new(context);
    SSL_set_connect_state(tls->ssl);
    tls->done = done;
    stream->tls = tls;
    if (host && host[0] != '/') {
        struct in6_addr address;
        bool literal =
            uv_inet_pton(AF_INET, host, &address) == 0 || uv_inet_pton(AF_INET6, host, &address) == 0;
        /* RFC 6066: a server name is never an address. */
        if (!literal)
            SSL_set_tlsext_host_name(tls->ssl, host);
        if (verify_host && literal)
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), host);
        else if (verify_host)
            SSL_set1_host(tls->ssl, host);
    }
    SSL_set_alpn_protos(tls->ssl, ALPN_POSTGRESQL, sizeof ALPN_POSTGRESQL - 1);
    shake_hands(stream);
}

const char *tls_describe(const Stream *stream, char *buf, size_t size) {
    if (!stream->tls || stream->tls->done)
        return NULL;
    snprintf(buf, size, "%s %s", SSL_get_version(stream->tls->ssl), SSL_get_cipher_name(stream->tls->ssl));
    return buf;
}

void tls_say_goodbye(Stream *stream) {
    if (stream->tls->done)
        return;
    ERR_clear_error();
    SSL_shutdown(stream->tls->ssl);
    send_produced(stream);
}

void tls_free(StreamTls *tls) {
    if (!tls)
        return;
    SSL_free(tls->ssl);
    free(tls);
}
