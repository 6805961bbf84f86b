/* The epoch protocol, for the model checker spin: `make model`.
 *
 * Two proxies and a runner that may crash and begin again. What a step of the real program does in one transaction or
 * one message is one atomic step here. Time is only order: a proxy's own lease ends before the server's, whenever
 * that is. Statements last as long as they like, but not for ever.
 *
 * Checked:
 *   rows      no row is written under an epoch older than the one before the current (assertions at `finish`), and
 *             when the runner relies on an epoch none older is in use (assertions at `rely`)
 *   bounded   whenever the runner waits, it stops waiting: for a proxy that lives because it acknowledges, for one
 *             that does not answer because its lease ends */

#define PROXIES 2
#define EPOCHS  3 /* stage changes that are made */
#define CUTS    2 /* times that each control connection is lost; it may stay lost */
#define CRASHES 2 /* of the runner, each followed by a new run */
#define NONE    0

/* In the database. */
byte epoch = 1;
bool registered[PROXIES];
bool revoked[PROXIES];
bool lease[PROXIES];           /* as the server's clock has it */
byte acknowledged[PROXIES];

/* In each proxy. */
bool connected[PROXIES] = true; /* the control connection */
bool fenced[PROXIES] = true;    /* without a lease by its own clock */
bool fresh[PROXIES];            /* the catalog has been read behind the registration */
byte planned[PROXIES];          /* epoch of the catalog in force */
byte running[PROXIES];          /* epoch of the statement that its server connection runs */
byte cuts[PROXIES];

/* In the runner. */
byte relied = 1;
bool waiting;

/* A statement ends: its row is written. */
inline finish(p) {
    assert(running[p] + 1 >= epoch && running[p] >= relied);
    running[p] = NONE
}

/* The oldest epoch that a statement of this proxy is or may be planned under. */
#define OLDEST(p) (running[p] != NONE && running[p] < planned[p] -> running[p] : planned[p])

/* The control thread. What it may do now and would change nothing is not enabled, so that it comes to an end. */
proctype Control(byte p) {
end:
    do
    /* It registers, with a lease that must not be used before the catalog has been read again. */
    :: atomic { connected[p] && (!registered[p] || revoked[p]) ->
            registered[p] = true; revoked[p] = false; lease[p] = true; acknowledged[p] = 0; fresh[p] = false;
            fenced[p] = true }
    /* It reads the catalog: because it was notified, because it is time, because it registered. */
    :: atomic { connected[p] && registered[p] && !revoked[p] && (planned[p] != epoch || !fresh[p]) ->
            planned[p] = epoch; fresh[p] = true }
    /* A heartbeat: the lease is extended, and acknowledged what no older statement contradicts. */
    :: atomic { connected[p] && registered[p] && !revoked[p] && fresh[p] &&
                (fenced[p] || !lease[p] || acknowledged[p] != OLDEST(p)) ->
            lease[p] = true; fenced[p] = false; acknowledged[p] = OLDEST(p) }
    od
}

/* A session of a client. */
proctype Session(byte p) {
end:
    do
    :: atomic { !fenced[p] && running[p] == NONE -> running[p] = planned[p] }
    :: atomic { running[p] != NONE -> finish(p) }
    od
}

/* The control connection is lost, and perhaps found again; a proxy that has died is one that has lost it for good. */
proctype Network(byte p) {
end:
    do
    :: atomic { connected[p] && cuts[p] < CUTS -> connected[p] = false; cuts[p]++ }
    :: atomic { !connected[p] -> connected[p] = true }
    :: break
    od
}

/* Time passes for a proxy that cannot renew its lease. */
proctype Clock(byte p) {
end:
    do
    :: atomic { !connected[p] && !fenced[p] -> fenced[p] = true }
    :: atomic { fenced[p] && lease[p] && !(connected[p] && registered[p] && !revoked[p]) -> lease[p] = false }
    od
}

#define WAITS_FOR(p) (registered[p] && !revoked[p] && acknowledged[p] < epoch)
#define GIVES_UP(p)  (WAITS_FOR(p) && !lease[p])
/* What had written before may still commit. */
#define OLD_WRITER(p) (running[p] != NONE && running[p] < epoch)

proctype Runner() {
    byte p, crashes;
    do
    :: atomic { relied == epoch && epoch <= EPOCHS -> epoch++; waiting = true }
    :: relied == epoch && epoch > EPOCHS -> break
    :: relied < epoch ->
        /* Also after a crash: what is true stands in the database. */
        if
        :: atomic { GIVES_UP(0) -> revoked[0] = true }
        :: atomic { GIVES_UP(1) -> revoked[1] = true }
        :: atomic { !WAITS_FOR(0) && !WAITS_FOR(1) -> skip };
            if
            :: atomic { !OLD_WRITER(0) && !OLD_WRITER(1) ->
                    relied = epoch; waiting = false }
            :: crashes < CRASHES -> crashes++
            fi
        fi
    od;
    atomic {
        for (p : 0 .. PROXIES - 1) {
            assert(running[p] == NONE || running[p] >= relied)
        }
    }
}

init {
    atomic { run Control(0); run Control(1); run Session(0); run Session(1);
             run Network(0); run Network(1); run Clock(0); run Clock(1); run Runner() }
}

ltl bounded { [] (waiting -> <> !waiting) }
