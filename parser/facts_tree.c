/* Functions that libpg_query makes its bytes with are defined here once more. A program's own definition
 * takes the place of a shared library's (ELF: the library calls them through its linkage table), so the
 * library calls these, with the tree in their hands. Where it does not (linked so that it binds to its own
 * symbols), the tree is unpacked from the bytes: `visited` tells.
 *
 * Outside of facts_tree_visit they do what the originals do. */
#include "parser/facts_tree.h"

#include <dlfcn.h>

typedef struct Visit {
    FactsTreeVisit *visit;
    void *arg;
    bool wants_fingerprint;
    uint64_t fingerprint;
    bool has_tree; /* none: the text is empty, or wrong, which the library does not say until it is done */
    bool visited;
} Visit;

/* Of libpg_query: in no header of its. The second one is also defined below. */
uint64_t pg_query_fingerprint_node(const void *tree);
PgQueryProtobuf pg_query_nodes_to_protobuf(const void *tree);

static __thread Visit *under_way;

/* The server's own tree, a list of statements, passes here: its fingerprint costs no second parse. */
PgQueryProtobuf pg_query_nodes_to_protobuf(const void *tree) {
    static PgQueryProtobuf (*original)(const void *);

    if (!original)
        *(void **)&original = dlsym(RTLD_NEXT, "pg_query_nodes_to_protobuf");
    if (under_way) {
        under_way->has_tree = tree != NULL;
        if (tree && under_way->wants_fingerprint)
            under_way->fingerprint = pg_query_fingerprint_node(tree);
    }
    return original(tree);
}

size_t pg_query__parse_result__get_packed_size(const PgQuery__ParseResult *message) {
    /* One byte: what has no bytes at all is allocated as such, and may come back as NULL. */
    return under_way && under_way->has_tree
               ? 1
               : protobuf_c_message_get_packed_size((const ProtobufCMessage *)message);
}

size_t pg_query__parse_result__pack(const PgQuery__ParseResult *message, uint8_t *out) {
    if (!under_way || !under_way->has_tree)
        return protobuf_c_message_pack((const ProtobufCMessage *)message, out);
    *out = 0;
    under_way->visited = true;
    under_way->visit(message, under_way->fingerprint, under_way->arg);
    return 1;
}

/* The allocator for protobuf-c: all of a tree is freed with its arena. */
static void *tree_alloc(void *arena, size_t size) { return arena_alloc(arena, size); }
static void tree_free(void *arena, void *ptr) {
    (void)arena;
    (void)ptr;
}

static MUST_USE bool visit_packed(Arena *temporary, const PgQueryProtobuf *bytes, const Visit *visit,
                                  Error *err) {
    ProtobufCAllocator allocator = {tree_alloc, tree_free, temporary};
    const PgQuery__ParseResult *tree =
        pg_query__parse_result__unpack(&allocator, bytes->len, (const uint8_t *)bytes->data);

    if (!tree)
        return error_set(err, SQLSTATE_INTERNAL_ERROR, "the parser's output could not be read");
    visit->visit(tree, visit->fingerprint, visit->arg);
    return true;
}

bool facts_tree_visit(Arena *temporary, const char *text, bool fingerprint, FactsTreeVisit *visit, void *arg,
                      Error *err) {
    Visit mine = {.visit = visit, .arg = arg, .wants_fingerprint = fingerprint};
    PgQueryProtobufParseResult result;
    bool done = true;

    under_way = &mine;
    result = pg_query_parse_protobuf(text);
    under_way = NULL;
    if (result.error) {
        done = error_set(err, SQLSTATE_SYNTAX_ERROR, "%s", result.error->message);
        if (result.error->cursorpos > 0)
            error_detail(err, "At character %d.", result.error->cursorpos);
    } else if (!mine.visited) {
        done = visit_packed(temporary, &result.parse_tree, &mine, err);
    }
    pg_query_free_protobuf_parse_result(result);
    return done;
}
