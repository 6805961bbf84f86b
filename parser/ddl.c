/* A script's DDL, statement by statement. See ddl.h. */
#include "parser/ddl.h"

#include <ctype.h>
#include <pg_query.h>
#include <stdlib.h>

#include "base/mem.h"
#include "parser/ddl_internal.h"

DdlFact *ddl_add_fact(DdlCollector *c, DdlKind kind, int line) {
    if (c->nfacts == c->facts_capacity) {
        c->facts_capacity = c->facts_capacity ? c->facts_capacity * 2 : 64;
        c->facts = mem_realloc(c->facts, sizeof(DdlFact) * (size_t)c->facts_capacity);
    }
    c->facts[c->nfacts] = (DdlFact){.kind = kind, .line = line};
    return &c->facts[c->nfacts++];
}

void ddl_add_warning(DdlCollector *c, int line, const char *text) {
    if (c->nwarnings == c->warnings_capacity) {
        c->warnings_capacity = c->warnings_capacity ? c->warnings_capacity * 2 : 16;
        c->warnings = mem_realloc(c->warnings, sizeof(DdlWarning) * (size_t)c->warnings_capacity);
    }
    c->warnings[c->nwarnings++] = (DdlWarning){line, text};
}

DdlFact *ddl_add_change(DdlCollector *c, int line, Name name, const char *what) {
    DdlFact *fact = ddl_add_fact(c, DDL_CHANGE, line);

    fact->name = name;
    fact->text = what;
    return fact;
}

/* ---- objects that take few words ---- */

static void read_index(DdlCollector *c, DdlReader *reader, const PgQuery__IndexStmt *stmt) {
    DdlFact *fact;

    if (!stmt->unique)
        return;
    fact = ddl_add_fact(c, DDL_UNIQUE_INDEX, reader->line);
    fact->name = ddl_name_of(c->arena, stmt->relation);
    fact->if_not_exists = stmt->if_not_exists;
    fact->only = !stmt->relation->inh;
    fact->constraints = ARENA_ARRAY(c->arena, DdlConstraint, 1);
    fact->constraints[0] = ddl_index_of(reader, stmt);
    fact->nconstraints = 1;
}

static void read_view(DdlCollector *c, DdlReader *reader, const PgQuery__RangeVar *name, char relkind,
                      bool tail) {
    DdlFact *fact;

    if (ddl_is_temporary(name))
        return;
    fact = ddl_add_fact(c, DDL_VIEW, reader->line);
    fact->name = ddl_name_of(c->arena, name);
    fact->relkind = relkind;
    fact->text = ddl_view_text(reader, tail);
}

/* CREATE MATERIALIZED VIEW, and CREATE TABLE AS, whose columns only a server can know. */
static void read_table_as(DdlCollector *c, DdlReader *reader, const PgQuery__CreateTableAsStmt *stmt) {
    Name name = ddl_name_of(c->arena, stmt->into->rel);

    if (stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW) {
        const char *text = reader->text;
        size_t len = strlen(text);
        bool tail = len > 4 && strcasecmp(text + len - 4, "data") == 0;

        read_view(c, reader, stmt->into->rel, 'm', tail);
    } else if (!ddl_is_temporary(stmt->into->rel)) {
        ddl_add_fact(c, DDL_TABLE, reader->line)->name = name;
        c->facts[c->nfacts - 1].relkind = 'r';
        ddl_add_warning(
            c, reader->line,
            arena_printf(c->arena, "table %s: the columns of CREATE TABLE AS are not known", name.name));
    }
}

static void read_type(DdlCollector *c, DdlReader *reader, PgQuery__Node *const *names, size_t n) {
    ddl_add_fact(c, DDL_TYPE, reader->line)->name = ddl_name_of_list(c->arena, names, n);
}

static void read_create_schema(DdlCollector *c, DdlReader *reader, const PgQuery__CreateSchemaStmt *stmt) {
    const char *name = ddl_string(c->arena, stmt->schemaname);

    if (!name && stmt->authrole)
        name = ddl_string(c->arena, stmt->authrole->rolename);
    ddl_add_fact(c, DDL_SCHEMA, reader->line)->name.name = name ? name : "";
    if (stmt->n_schema_elts > 0)
        ddl_add_warning(c, reader->line, "objects inside CREATE SCHEMA are not followed");
}

static void read_drop(DdlCollector *c, DdlReader *reader, const PgQuery__DropStmt *stmt) {
    bool relation = stmt->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE ||
                    stmt->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW ||
                    stmt->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;

    for (size_t i = 0; relation && i < stmt->n_objects; i++) {
        const PgQuery__Node *object = stmt->objects[i];

        if (object->node_case == PG_QUERY__NODE__NODE_LIST)
            ddl_add_change(c, reader->line,
                           ddl_name_of_list(c->arena, object->list->items, object->list->n_items), "DROP");
    }
}

/* ---- statements ---- */

static void read_node(DdlCollector *c, DdlReader *reader, const PgQuery__Node *node) {
    switch (node->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT:
        return read_create_schema(c, reader, node->create_schema_stmt);
    case PG_QUERY__NODE__NODE_CREATE_STMT:
        return ddl_read_create_table(c, reader, node->create_stmt, 'r');
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT:
        return ddl_read_create_table(c, reader, node->create_foreign_table_stmt->base_stmt, 'f');
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        return ddl_read_alter_table(c, reader, node->alter_table_stmt);
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        return read_index(c, reader, node->index_stmt);
    case PG_QUERY__NODE__NODE_VIEW_STMT:
        return read_view(c, reader, node->view_stmt->view, 'v',
                         node->view_stmt->with_check_option > PG_QUERY__VIEW_CHECK_OPTION__NO_CHECK_OPTION);
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        return read_table_as(c, reader, node->create_table_as_stmt);
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
        return ddl_read_set(c, reader, node->variable_set_stmt);
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT:
        return ddl_read_setting(c, reader, node->alter_database_set_stmt->setstmt, NULL,
                                node->alter_database_set_stmt->dbname);
    case PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT:
        return ddl_read_setting(c, reader, node->alter_role_set_stmt->setstmt,
                                node->alter_role_set_stmt->role ? node->alter_role_set_stmt->role->rolename
                                                                : NULL,
                                node->alter_role_set_stmt->database);
    case PG_QUERY__NODE__NODE_SELECT_STMT:
        return ddl_read_set_config(c, reader, node->select_stmt);
    case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
        return read_type(c, reader, node->create_domain_stmt->domainname,
                         node->create_domain_stmt->n_domainname);
    case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
        return read_type(c, reader, node->create_enum_stmt->type_name, node->create_enum_stmt->n_type_name);
    case PG_QUERY__NODE__NODE_CREATE_RANGE_STMT:
        return read_type(c, reader, node->create_range_stmt->type_name, node->create_range_stmt->n_type_name);
    case PG_QUERY__NODE__NODE_DEFINE_STMT:
        if (node->define_stmt->kind == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE)
            read_type(c, reader, node->define_stmt->defnames, node->define_stmt->n_defnames);
        return;
    case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT:
        ddl_add_fact(c, DDL_TYPE, reader->line)->name =
            ddl_name_of(c->arena, node->composite_type_stmt->typevar);
        return;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        return read_drop(c, reader, node->drop_stmt);
    case PG_QUERY__NODE__NODE_RENAME_STMT:
        if (node->rename_stmt->relation)
            ddl_add_change(c, reader->line, ddl_name_of(c->arena, node->rename_stmt->relation), "RENAME");
        return;
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
        if (node->alter_object_schema_stmt->relation)
            ddl_add_change(c, reader->line, ddl_name_of(c->arena, node->alter_object_schema_stmt->relation),
                           "SET SCHEMA");
        return;
    default:
        return;
    }
}

/* Spares the parser what a dump has most of: data, comments, grants, functions. */
static bool may_define(Str text) {
    static const char *const first_words[] = {"create", "alter", "set", "select", "drop", "reset"};
    static const char *const other_objects[] = {"function", "procedure", "trigger",    "aggregate",
                                                "operator", "cast",      "extension",  "rule",
                                                "policy",   "event",     "publication"};
    size_t len = 0, second;
    bool found = false;

    while (len < text.len && isalpha((unsigned char)text.ptr[len]))
        len++;
    for (size_t i = 0; i < ARRAY_LEN(first_words); i++)
        found = found || str_ieq((Str){text.ptr, len}, first_words[i]);
    if (!found || !str_ieq((Str){text.ptr, len}, "create"))
        return found;
    while (len < text.len && isspace((unsigned char)text.ptr[len]))
        len++;
    if (text.len - len > 11 && strncasecmp(text.ptr + len, "or replace ", 11) == 0)
        len += 11;
    second = len;
    while (len < text.len && isalpha((unsigned char)text.ptr[len]))
        len++;
    for (size_t i = 0; i < ARRAY_LEN(other_objects); i++) {
        if (str_ieq((Str){text.ptr + second, len - second}, other_objects[i]))
            return false;
    }
    return true;
}

/* Whether the parser's recursion stays within its stack: every open parenthesis and every operator between
 * two commas may be one level of it. */
static bool is_shallow(Str text) {
    int depth = 0, run = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '-' && i + 1 < text.len && text.ptr[i + 1] == '-') {
            while (i < text.len && text.ptr[i] != '\n')
                i++;
            continue;
        }
        depth += c == '(' || c == '[';
        depth -= c == ')' || c == ']';
        run = c == ',' ? 0 : run + (strchr("+-*/<>=~!@#%^&|`?:", c) && c != '\0');
        if (depth > FACTS_DEFAULT_MAX_DEPTH || run > FACTS_DEFAULT_MAX_DEPTH)
            return false;
    }
    return true;
}

static void read_statement(DdlCollector *c, const DdlStatement *statement) {
    DdlReader reader = {.arena = c->arena, .line = statement->line};
    PgQueryProtobufParseResult result;
    PgQuery__ParseResult *tree = NULL;

    if (!may_define(statement->text))
        return;
    if (!is_shallow(statement->text)) {
        ddl_add_warning(c, statement->line, "nested too deeply, not read");
        return;
    }
    reader.text = arena_strndup(c->arena, statement->text.ptr, statement->text.len);
    result = pg_query_parse_protobuf(reader.text);
    if (result.error)
        ddl_add_warning(c, statement->line, arena_strdup(c->arena, result.error->message));
    else
        tree = pg_query__parse_result__unpack(NULL, result.parse_tree.len,
                                              (const uint8_t *)result.parse_tree.data);
    for (size_t i = 0; tree && i < tree->n_stmts; i++)
        read_node(c, &reader, tree->stmts[i]->stmt);
    if (tree)
        pg_query__parse_result__free_unpacked(tree, NULL);
    pg_query_free_protobuf_parse_result(result);
    ddl_reader_free(&reader);
}

const Ddl *ddl_parse(Arena *arena, Str text) {
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    DdlCollector c = {.arena = arena};
    DdlSplitter splitter = {text, 1};
    DdlStatement statement;
    Ddl *ddl = ARENA_NEW(arena, Ddl);

    if (text.len >= 3 && memcmp(text.ptr, byte_order_mark, 3) == 0)
        splitter.rest = (Str){text.ptr + 3, text.len - 3};
    while (ddl_next_statement(&splitter, &statement))
        read_statement(&c, &statement);
    ddl->facts = ARENA_ARRAY(arena, DdlFact, c.nfacts);
    ddl->nfacts = c.nfacts;
    ddl->warnings = ARENA_ARRAY(arena, DdlWarning, c.nwarnings);
    ddl->nwarnings = c.nwarnings;
    if (c.nfacts > 0)
        memcpy(ddl->facts, c.facts, sizeof(DdlFact) * (size_t)c.nfacts);
    if (c.nwarnings > 0)
        memcpy(ddl->warnings, c.warnings, sizeof(DdlWarning) * (size_t)c.nwarnings);
    free(c.facts);
    free(c.warnings);
    return ddl;
}
