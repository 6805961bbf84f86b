/* Making listening sockets. libuv opens them afterwards: it cannot set SO_REUSEPORT itself. */
#include "proxy/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

/* "host:port", "[::1]:port", "*:port"; checked by conf/. The host is written NUL-terminated; NULL for all
 * addresses. */
static void split_address(char *address, const char **host, const char **port) {
    char *colon = strrchr(address, ':');
    *colon = '\0';
    *port = colon + 1;
    *host = address;
    size_t n = strlen(address);
    if (n >= 2 && address[0] == '[' && address[n - 1] == ']') {
        address[n - 1] = '\0';
        *host = address + 1;
    }
    if (strcmp(*host, "*") == 0 || **host == '\0')
        *host = NULL;
}

static int bound_socket(const struct addrinfo *a, Error *err) {
    int on = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_set(err, SQLSTATE_CANNOT_CONNECT, "could not make a socket: %s", strerror(errno));
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0) {
        error_set(err, SQLSTATE_CANNOT_CONNECT, "could not bind: %s", strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* SO_REUSEPORT lets a second process of the same user share the port in silence, and take half of the
 * clients. A socket without it finds that out. */
static bool port_is_free(const struct addrinfo *a, Error *err) {
    int on = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    bool ok = fd >= 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1) == 0;
    int reason = errno;
    if (fd >= 0)
        close(fd);
    return ok || error_set(err, SQLSTATE_CANNOT_CONNECT, "could not bind: %s", strerror(reason));
}

static bool listen_address(Worker *workers, int nworkers, const char *written, Error *err) {
    char *address = mem_strdup(written);
    const char *host, *port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    bool ok = true;
    split_address(address, &host, &port);
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0)
        ok = error_set(err, SQLSTATE_CANNOT_CONNECT, "%s", gai_strerror(rc));
    for (struct addrinfo *a = found; ok && a; a = a->ai_next) {
        ok = port_is_free(a, err);
        for (int i = 0; ok && i < nworkers; i++) {
            int fd = bound_socket(a, err);
            ok = fd >= 0 && worker_listen_fd(&workers[i], fd, false, err);
        }
    }
    if (!ok) {
        error_prefix(err, "listen: %s", written);
        error_hint(err, "Is another server, or another proxy, using this port?");
    }
    if (found)
        freeaddrinfo(found);
    free(address);
    return ok;
}

/* ---- the Unix socket ---- */

static bool unix_path(const Config *config, struct sockaddr_un *address) {
    char **items = config_split(config->listen);
    const char *port = strrchr(items[0], ':') + 1;
    int n = snprintf(address->sun_path, sizeof address->sun_path, "%s/.s.PGSQL.%s", config->unix_socket_dir,
                     port);
    free(items);
    address->sun_family = AF_UNIX;
    return n > 0 && (size_t)n < sizeof address->sun_path;
}

/* A file that a killed process left behind is taken away; one that someone listens on is not. */
static bool clear_stale(const struct sockaddr_un *address) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool in_use = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    close(fd);
    if (in_use)
        errno = EADDRINUSE;
    return !in_use && (unlink(address->sun_path) == 0 || errno == ENOENT);
}

static bool listen_unix(Worker *workers, int nworkers, const Config *config, Error *err) {
    struct sockaddr_un address = {0};
    if (!unix_path(config, &address))
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR,
                         "unix_socket_dir: the path is longer than %zu bytes", sizeof address.sun_path - 20);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !clear_stale(&address) || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(address.sun_path, (mode_t)config->unix_socket_mode) != 0) {
        error_set(err, SQLSTATE_CANNOT_CONNECT, "unix_socket_dir: could not listen on %s: %s",
                  address.sun_path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    for (int i = 0; i < nworkers; i++) {
        int own = i == 0 ? fd : dup(fd);
        if (own < 0)
            return error_set(err, SQLSTATE_CANNOT_CONNECT, "unix_socket_dir: %s", strerror(errno));
        if (!worker_listen_fd(&workers[i], own, true, err))
            return false;
    }
    return true;
}

void listen_cleanup(const Config *config) {
    struct sockaddr_un address = {0};
    if (config->unix_socket_dir && unix_path(config, &address))
        unlink(address.sun_path);
}

bool listen_all(Worker *workers, int nworkers, const Config *config, Error *err) {
    char **items = config_split(config->listen);
    bool ok = true;
    for (char **item = items; ok && *item; item++)
        ok = listen_address(workers, nworkers, *item, err);
    free(items);
    if (ok && config->unix_socket_dir)
        ok = listen_unix(workers, nworkers, config, err);
    return ok;
}
