/* Blocked in every thread, read from a signalfd in one. */
#include "migrate/watch_signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"

struct WatchSignals {
    void (*on)(void *arg, int signo);
    void *arg;
    sigset_t before;
    void (*pipe_before)(int);
    int signal_fd, end_fd;
    pthread_t thread;
};

static void *run(void *arg) {
    WatchSignals *signals = arg;
    struct pollfd fds[] = {{.fd = signals->end_fd, .events = POLLIN},
                           {.fd = signals->signal_fd, .events = POLLIN}};
    struct signalfd_siginfo info;

    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[0].revents)
            return NULL;
        if (read(signals->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
            signals->on(signals->arg, (int)info.ssi_signo);
    }
}

static void free_signals(WatchSignals *signals) {
    close(signals->signal_fd);
    close(signals->end_fd);
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    signal(SIGPIPE, signals->pipe_before);
    free(signals);
}

WatchSignals *watch_signals_take(void (*on)(void *arg, int signo), void *arg, Error *err) {
    WatchSignals *signals = MEM_NEW(WatchSignals);
    sigset_t taken;
    int problem;

    signals->on = on;
    signals->arg = arg;
    sigemptyset(&taken);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &taken, &signals->before);
    signals->pipe_before = signal(SIGPIPE, SIG_IGN);
    signals->signal_fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    signals->end_fd = eventfd(0, EFD_CLOEXEC);
    problem = signals->signal_fd < 0 || signals->end_fd < 0
                  ? errno
                  : pthread_create(&signals->thread, NULL, run, signals);
    if (problem == 0)
        return signals;
    error_set(err, SQLSTATE_INTERNAL_ERROR, "could not watch for signals: %s", strerror(problem));
    free_signals(signals);
    return NULL;
}

void watch_signals_release(WatchSignals *signals) {
    const uint64_t one = 1;

    if (!signals)
        return;
    if (write(signals->end_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort(); /* an eventfd takes a first 1 */
    pthread_join(signals->thread, NULL);
    free_signals(signals);
}

void watch_signals_die(int signo) {
    sigset_t one;

    signal(signo, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, signo);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(signo);
    _exit(128 + signo);
}
