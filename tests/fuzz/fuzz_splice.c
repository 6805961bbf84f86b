/* Fuzzes the decision and the splice.
 *
 * The input is a text, as a client would send it; its length says in which stage. Slots are filled as in the
 * extended protocol. Whatever is decided, taking the insertions out of the
 * rewritten text gives the original back, each of its positions maps into the original, and those outside of
 * insertions map to themselves. Then the text is moved onto one of the same shape whose literals are longer.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/dump.h"
#include "parser/shape.h"
#include "rewrite/decide.h"
#include "rewrite/slot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema[] =
    "CREATE SCHEMA s; CREATE TABLE t (t_id bigint PRIMARY KEY, name text);"
    "CREATE TABLE o (id bigint PRIMARY KEY, t_id bigint NOT NULL REFERENCES t, x text);"
    "CREATE TABLE l (id bigint PRIMARY KEY, o_id bigint REFERENCES o, n numeric(10,2) DEFAULT 3, t_id "
    "bigint);"
    "CREATE TABLE p (id bigint PRIMARY KEY, l_id bigint DEFAULT 7 REFERENCES l, t_id bigint);"
    "CREATE TABLE e (id bigserial, t_id bigint NOT NULL, x text, PRIMARY KEY (t_id, id));"
    "CREATE TABLE f (id bigserial, e_id bigint, t_id bigint NOT NULL, PRIMARY KEY (t_id, id),"
    " FOREIGN KEY (t_id, e_id) REFERENCES e (t_id, id));"
    "CREATE VIEW v AS SELECT o.id, o.t_id FROM public.o; CREATE TABLE r (id int PRIMARY KEY);";
static const char settings[] =
    "[tenant]\ntable = t\ncolumn = t_id\n[table l]\nkind = backfill\n[table p]\nkind = backfill\n"
    "[table r]\nkind = reference\n";

static const Stage stages[] = {STAGE_DERIVE, STAGE_KEYED, STAGE_RESOLVE, STAGE_DISTRIBUTED};

static Snapshot *make_snapshot(Stage stage) {
    Snapshot *made;
    Error err;
    Config *config;

    config = config_parse("fuzz", settings, CONFIG_FOR_LINT, &err);
    made = config ? catalog_from_dump(str_of(schema), "fuzz", config, &err) : NULL;
    if (!made)
        abort();
    for (int i = 0; i < made->ntables; i++) {
        if (made->tables[i].kind == KIND_BACKFILL)
            made->tables[i].stage = stage;
        made->tables[i].staged = made->tables[i].staged_backfill = made->tables[i].kind == KIND_BACKFILL;
        made->tables[i].hide_tenant = i % 2 == 0;
        made->tables[i].reads = READS_FILTER;
    }
    config_free(config);
    return made;
}

static const Snapshot *snapshot(size_t number) {
    static Snapshot *made[ARRAY_LEN(stages)];
    size_t i = number % ARRAY_LEN(stages);

    if (!made[i])
        made[i] = make_snapshot(stages[i]);
    return made[i];
}

/* Walks both texts along the edits. */
static void check_edits(const EditList *list, Str original, const Buf *sent) {
    const char *at = (const char *)buf_ptr(sent);
    size_t done = 0, written = 0;

    for (int i = 0; i <= list->nedits; i++) {
        const Edit *edit = i < list->nedits ? &list->edits[i] : NULL;
        size_t gap = (edit ? edit->offset : original.len) - done;

        assert((edit ? edit->offset : original.len) >= done);
        assert(gap == 0 || memcmp(at + written, original.ptr + done, gap) == 0);
        for (size_t k = 0; k < gap; k++)
            assert(edits_map_back(list, original, (uint32_t)(written + k)) == done + k);
        written += gap;
        done += gap;
        if (!edit)
            break;
        assert((size_t)edit->offset + edit->removed <= original.len);
        assert(edit->text.ptr || (edit->copy.start <= edit->copy.end && edit->copy.end <= original.len));
        written += edit->text.ptr ? edit->text.len : edit->copy.end - edit->copy.start;
        done += edit->removed;
    }
    assert(written == buf_len(sent));
    for (size_t k = 0; k <= buf_len(sent) + 1; k++)
        assert(edits_map_back(list, original, (uint32_t)k) <= original.len);
}

/* The same text with each literal written twice as long, or as it was where it is no plain string or number.
 */
static void lengthen(const Shape *shape, Str text, Buf *longer, Span *to) {
    size_t done = 0;

    for (int i = 0; i < shape->nliterals; i++) {
        const Span *literal = &shape->literals[i];
        const char *start = text.ptr + literal->start;
        bool quoted = *start == '\'';

        buf_append(longer, text.ptr + done, literal->start - done);
        to[i].start = (uint32_t)buf_len(longer);
        if (quoted)
            buf_append_cstr(longer, "'x");
        buf_append(longer, start + quoted, literal->end - literal->start - quoted);
        to[i].end = (uint32_t)buf_len(longer);
        done = literal->end;
    }
    buf_append(longer, text.ptr + done, text.len - done);
}

static void check_move(Arena *arena, const EditList *list, Str text) {
    static Shape shape;
    static Span to[SHAPE_MAX_LITERALS];
    Buf longer = {0}, sent = {0};
    EditList moved;

    if (!shape_of(&shape, text))
        return;
    lengthen(&shape, text, &longer, to);
    moved = edits_move(list, arena, shape.literals, to, shape.nliterals);
    if (buf_len(&longer) > 0) {
        Str other = {(const char *)buf_ptr(&longer), buf_len(&longer)};

        edits_apply(&moved, other, &sent);
        check_edits(&moved, other, &sent);
    }
    buf_free(&longer);
    buf_free(&sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const SessionContext context = {.search_path = "\"$user\", public",
                                    .search_path_known = true,
                                    .role = "s",
                                    .has_tenant = size % 8 < 4};
    const FactsLimits limits = {16384, 200};
    Arena *arena = arena_new();
    Str text = arena_str(arena, (Str){(const char *)data, size});
    const Facts *facts = NULL;
    Buf sent = {0};
    Error err;

    if (size > 0 && !memchr(data, '\0', size))
        facts = facts_parse(arena, text, limits, &err);
    if (facts) {
        const Decision *decision = decide(arena, text, facts, snapshot(size), &context);
        const Str *values = slot_parameters(decision->slots, decision->nslots, facts->nparams, arena);
        EditList filled = edits_fill(&decision->edits, arena, values);

        assert(decision->nstatements == facts->nstatements);
        edits_apply(&filled, text, &sent);
        check_edits(&filled, text, &sent);
        if (!decision->literals_matter)
            check_move(arena, &filled, text);
    }
    buf_free(&sent);
    arena_free(arena);
    return 0;
}
