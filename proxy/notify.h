/* Telling systemd of the process's state: sd_notify(3)'s protocol, one datagram to $NOTIFY_SOCKET. */
#ifndef PROXY_NOTIFY_H
#define PROXY_NOTIFY_H

/* "READY=1", "STOPPING=1", …; does nothing where no one listens. */
void notify_state(const char *state);

#endif
