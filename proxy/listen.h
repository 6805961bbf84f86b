/* Listening sockets: for each address of `listen` one socket a worker with SO_REUSEPORT, so that the kernel
 * spreads the clients; one Unix socket shared by all workers. */
#ifndef PROXY_LISTEN_H
#define PROXY_LISTEN_H

#include "proxy/worker.h"

MUST_USE bool listen_all(Worker *workers, int nworkers, const Config *config, Error *err);
/* Takes the Unix socket's file away. */
void listen_cleanup(const Config *config);

#endif
