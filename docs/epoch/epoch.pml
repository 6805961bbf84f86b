/* The epoch protocol, for the model checker spin; `make model` runs it.
 *
 * Two proxies, of which one may start at any time, and a runner that may crash and begin again. What the program does
 * in one transaction, or in one message, is one atomic step here; between any two steps anything may happen. README.md
 * beside this file says what is left out.
 *
 * Checked:
 *   rows      no row is written under a stage older than the one before the current, nor committed under one older
 *             than what the runner relies on (the assertions of Session)
 *   bounded   whenever the runner waits, it comes to wait no longer: a proxy that lives acknowledges, and the lease of
 *             one that does not answer ends (the formula at the end)
 *
 * Each WITHOUT_… leaves out one thing that the protocol does. `make model` checks that each of them is missed. */

#ifndef CHANGES
#define CHANGES 2 /* stage changes, behind the making of the schema */
#endif
#ifndef CUTS
#define CUTS 2 /* times that a control connection is lost, of either proxy */
#endif
#ifndef CRASHES
#define CRASHES 1 /* of the runner, each followed by a new run */
#endif

#define NONE 0

/* Epochs, one more than in the program: what its snapshot calls 0 is NO_SCHEMA. */
#define UNREAD    0 /* by a proxy that has just started, and serves nobody yet */
#define NO_SCHEMA 1
#define OBSERVE   2 /* the first; without a schema the proxies do the same */
#define LAST      (OBSERVE + CHANGES)

/* Registrations. */
#define ABSENT  0
#define LIVE    1
#define REVOKED 2

/* In the database. */
byte epoch = NO_SCHEMA;
byte row[2];          /* of shardferry.proxy */
byte acknowledged[2]; /* in that row */
bool lease[2];        /* in that row: it runs, by the server's clock */

/* In each proxy. */
bool reached[2];   /* its control connection works: it has announced itself there, too */
bool registered[2]; /* as far as it knows */
bool holds[2];     /* its lease runs, by its own clock */
byte needs[2];     /* epoch of its registration: what it planned under an older one stays fenced */
byte planned[2];   /* epoch of the catalog that is in force */

/* In one of its sessions: the epochs of a statement on its way to the server, and of one whose row is written, but not
 * committed, there. Without a schema and OBSERVE are one here, as they are one stage. */
byte sent[2];
byte wrote[2];

/* In the runner. */
byte relied = OBSERVE;
bool waiting;
bool writer[2]; /* a transaction that it waits for, as it had written before */

byte cuts;

/* The oldest epoch that this proxy's statements are, or will be, planned under. */
#define OLDEST(p) (sent[p] != NONE && sent[p] < planned[p] -> sent[p] : planned[p])

#ifdef WITHOUT_FENCED_PLANS
#define FENCED(p) (planned[p] > NO_SCHEMA && !holds[p])
#else
#define FENCED(p) (planned[p] > NO_SCHEMA && (!holds[p] || planned[p] < needs[p]))
#endif

#ifdef WITHOUT_ACKNOWLEDGEMENT
#define FIRST_ACKNOWLEDGEMENT epoch
#else
#define FIRST_ACKNOWLEDGEMENT NONE
#endif

/* The control thread, and the workers as they take the catalog that it has read. A heartbeat that would change nothing
 * is none. */
proctype Control(byte p) {
end:
    do
    :: atomic { reached[p] && planned[p] != epoch -> planned[p] = epoch }
    :: atomic { reached[p] && !registered[p] && planned[p] > NO_SCHEMA ->
            row[p] = LIVE; acknowledged[p] = FIRST_ACKNOWLEDGEMENT; lease[p] = true;
            registered[p] = true; needs[p] = epoch; holds[p] = true }
    :: atomic { reached[p] && registered[p] && row[p] == LIVE &&
                (acknowledged[p] != OLDEST(p) || !lease[p] || !holds[p]) ->
            acknowledged[p] = OLDEST(p); lease[p] = true; holds[p] = true }
    :: atomic { reached[p] && registered[p] && row[p] == REVOKED -> registered[p] = false }
    od
}

/* Transactions of one statement each. */
proctype Session(byte p) {
end:
    do
    :: atomic { planned[p] != UNREAD && !FENCED(p) && sent[p] == NONE && wrote[p] == NONE ->
            sent[p] = (planned[p] == NO_SCHEMA -> OBSERVE : planned[p]) }
    :: atomic { sent[p] != NONE ->
            assert(sent[p] + 1 >= epoch && sent[p] >= relied);
            wrote[p] = sent[p]; sent[p] = NONE }
    :: atomic { wrote[p] != NONE ->
            assert(wrote[p] >= relied);
            wrote[p] = NONE; writer[p] = false }
    od
}

/* A connection is lost, though not before its proxy has registered, and perhaps it is found again: a new one, or the
 * same, on which nothing came through for a while. A proxy that has died is one that has lost it for good. */
inline lose(p) { reached[p] = false; cuts++ }
inline find(p) { reached[p] = true; if :: registered[p] = false :: true fi }

proctype Network() {
end:
    do
    :: atomic { reached[0] && row[0] != ABSENT && cuts < CUTS -> lose(0) }
    :: atomic { reached[1] && row[1] != ABSENT && cuts < CUTS -> lose(1) }
    :: atomic { !reached[0] -> find(0) }
    :: atomic { !reached[1] -> find(1) }
    :: break
    od
}

/* Leases end where no heartbeat comes through: the proxy's own first, the server's when what the proxy has sent until
 * then has been begun there. */
#ifdef WITHOUT_ORDER_OF_CLOCKS
#define MAY_END(p) (lease[p] && !reached[p])
#else
#define MAY_END(p) (lease[p] && !reached[p] && !holds[p] && sent[p] == NONE)
#endif

proctype Clock() {
end:
    do
    :: atomic { holds[0] && !reached[0] -> holds[0] = false }
    :: atomic { holds[1] && !reached[1] -> holds[1] = false }
    :: atomic { MAY_END(0) -> lease[0] = false }
    :: atomic { MAY_END(1) -> lease[1] = false }
    od
}

#ifdef WITHOUT_ANNOUNCEMENT
#define UNREGISTERED(p) false
#else
#define UNREGISTERED(p) (reached[p] && row[p] == ABSENT)
#endif

#ifdef WITHOUT_REVOCATION
#define BEHIND(p)    (row[p] == LIVE && acknowledged[p] < epoch && lease[p])
#define REVOCABLE(p) false
#else
#define BEHIND(p)    (row[p] == LIVE && acknowledged[p] < epoch)
#ifdef WITHOUT_END_OF_LEASES
#define REVOCABLE(p) false
#else
#define REVOCABLE(p) (BEHIND(p) && !lease[p])
#endif
#endif

#ifdef WITHOUT_SETTLING
#define WRITES(p) false
#else
#define WRITES(p) (wrote[p] != NONE)
#endif

/* It knows nothing but what stands in the database. */
proctype Runner() {
    byte crashes;

    atomic { epoch = OBSERVE; waiting = true };
    atomic { !UNREGISTERED(0) && !UNREGISTERED(1) -> waiting = false };
    do
    :: atomic { epoch < LAST -> epoch++; waiting = true };
look:
        atomic { !UNREGISTERED(0) && !UNREGISTERED(1) };
        do
        :: atomic { REVOCABLE(0) -> row[0] = REVOKED }
        :: atomic { REVOCABLE(1) -> row[1] = REVOKED }
        :: atomic { !BEHIND(0) && !BEHIND(1) -> writer[0] = WRITES(0); writer[1] = WRITES(1); break }
        :: atomic { crashes < CRASHES -> crashes++; goto look }
        od;
        if
        :: atomic { !writer[0] && !writer[1] -> relied = epoch; waiting = false }
        :: atomic { crashes < CRASHES -> crashes++; writer[0] = false; writer[1] = false; goto look }
        fi
    :: epoch == LAST && relied == LAST -> break
    od
}

init {
    atomic {
        reached[0] = true;
        run Control(0); run Control(1); run Session(0); run Session(1); run Network(); run Clock(); run Runner()
    }
}

ltl bounded { [] (waiting -> <> !waiting) }
