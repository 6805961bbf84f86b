/* Statements: which kind a node is, and what the program has to know of each.
 *
 * One table says of every node its kind and whether the catalog changes; a row may name a function that fills
 * in more. What the table does not list is a utility statement. */
#include <strings.h>

#include "parser/facts_internal.h"

typedef void FillStatement(Convert *c, Statement *stmt, const Node *node);

static void add_table(Convert *c, Statement *stmt, const PgQuery__RangeVar *var) {
    if (!var)
        return;
    stmt->tables = facts_grow(c, stmt->tables, stmt->ntables, sizeof(*stmt->tables));
    stmt->tables[stmt->ntables++] = facts_table(c, var);
}

static void add_tables(Convert *c, Statement *stmt, Node **list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (list[i]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR)
            add_table(c, stmt, list[i]->range_var);
}

/* A name without a place in the text: a list of strings, the first `n` of which count. */
static void add_named(Convert *c, Statement *stmt, Node **parts, size_t n) {
    FromItem *table = ARENA_NEW(c->arena, FromItem);

    table->name = facts_name(c, parts, n);
    stmt->tables = facts_grow(c, stmt->tables, stmt->ntables, sizeof(*stmt->tables));
    stmt->tables[stmt->ntables++] = table;
}

static bool is_temporary(const PgQuery__RangeVar *var) {
    return var && strcmp(var->relpersistence, "t") == 0;
}

static void created(Convert *c, Statement *stmt, const PgQuery__RangeVar *var) {
    add_table(c, stmt, var);
    stmt->creates_temp = is_temporary(var);
}

static void inner_statement(Convert *c, Statement *stmt, const Node *node) {
    if (!node)
        return;
    stmt->inner = ARENA_NEW(c->arena, Statement);
    stmt->inner->span = stmt->span;
    facts_statement(c, stmt->inner, node);
}

/* SELECT … INTO creates a table; INTO may stand in any arm of a set operation, but only the leftmost is
 * allowed. */
static const PgQuery__RangeVar *select_into(const PgQuery__SelectStmt *s) {
    while (s->larg)
        s = s->larg;
    return s->into_clause ? s->into_clause->rel : NULL;
}

static void fill_select(Convert *c, Statement *stmt, const Node *node) {
    const PgQuery__RangeVar *into = select_into(node->select_stmt);
    Statement *query;

    if (!into) {
        stmt->block = facts_block(c, NULL, node);
        return;
    }
    query = stmt->inner = ARENA_NEW(c->arena, Statement);
    query->kind = STMT_SELECT;
    query->span = stmt->span;
    query->block = facts_block(c, NULL, node);
    stmt->kind = STMT_CREATE_AS;
    stmt->is_ddl = true;
    created(c, stmt, into);
}

static void fill_query(Convert *c, Statement *stmt, const Node *node) {
    stmt->block = facts_block(c, NULL, node);
}

static void fill_copy(Convert *c, Statement *stmt, const Node *node) {
    const PgQuery__CopyStmt *copy = node->copy_stmt;
    CopyFacts *facts = &stmt->copy;

    if (copy->relation)
        facts->table = facts_table(c, copy->relation);
    facts->columns = facts_strings(c, copy->attlist, copy->n_attlist);
    facts->ncolumns = (int)copy->n_attlist;
    facts->has_column_list = copy->n_attlist > 0;
    if (facts->has_column_list && facts->table)
        facts->column_list = facts_column_list_span(c, facts->table->span, facts->ncolumns);
    facts->table_end = facts->table ? facts->table->span.end : 0;
    facts->is_from = copy->is_from;
    facts->is_stdio = !copy->is_program && copy->filename[0] == '\0';
    facts->where = facts_expr(c, NULL, copy->where_clause);
    stmt->block = facts_block(c, NULL, copy->query);
    facts_copy_options(c, &facts->options, copy);
}

static void fill_set(Convert *c, Statement *stmt, const Node *node) {
    facts_set(c, &stmt->set, node->variable_set_stmt);
}

static void fill_show(Convert *c, Statement *stmt, const Node *node) {
    stmt->set.name = facts_string(c, node->variable_show_stmt->name);
}

static void fill_transaction(Convert *c, Statement *stmt, const Node *node) {
    static const TransactionKind kinds[] = {
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN] = TRANSACTION_BEGIN,
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START] = TRANSACTION_BEGIN,
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT] = TRANSACTION_COMMIT,
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK] = TRANSACTION_ROLLBACK,
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT] = TRANSACTION_SAVEPOINT,
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE] = TRANSACTION_RELEASE,
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO] = TRANSACTION_ROLLBACK_TO,
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE] = TRANSACTION_PREPARE,
    };
    const PgQuery__TransactionStmt *t = node->transaction_stmt;

    stmt->transaction = TRANSACTION_OTHER;
    if (t->kind > 0 && (size_t)t->kind < ARRAY_LEN(kinds))
        stmt->transaction = kinds[t->kind];
    stmt->savepoint = facts_string(c, t->savepoint_name);
    stmt->chain = t->chain;
}

static void fill_prepare(Convert *c, Statement *stmt, const Node *node) {
    int nparams = c->nparams;

    stmt->name = facts_string(c, node->prepare_stmt->name);
    stmt->nprepare_types = (int)node->prepare_stmt->n_argtypes;
    /* Its parameters are given by EXECUTE, not by a Bind message. */
    c->nparams = 0;
    inner_statement(c, stmt, node->prepare_stmt->query);
    stmt->nprepare_params = c->nparams;
    c->nparams = nparams;
}

static void fill_execute(Convert *c, Statement *stmt, const Node *node) {
    stmt->name = facts_string(c, node->execute_stmt->name);
    stmt->args = facts_exprs(c, NULL, node->execute_stmt->params, node->execute_stmt->n_params);
    stmt->nargs = (int)node->execute_stmt->n_params;
}

static void fill_deallocate(Convert *c, Statement *stmt, const Node *node) {
    stmt->name = facts_string(c, node->deallocate_stmt->name);
}

static void fill_declare(Convert *c, Statement *stmt, const Node *node) {
    stmt->name = facts_string(c, node->declare_cursor_stmt->portalname);
    inner_statement(c, stmt, node->declare_cursor_stmt->query);
}

static void fill_close(Convert *c, Statement *stmt, const Node *node) {
    stmt->name = facts_string(c, node->close_portal_stmt->portalname);
}

static void fill_fetch(Convert *c, Statement *stmt, const Node *node) {
    stmt->name = facts_string(c, node->fetch_stmt->portalname);
}

/* An option's value: on if there is none. */
static bool is_on(const Node *value) {
    const char *word = facts_node_string(value);

    if (word)
        return strcasecmp(word, "off") != 0 && strcasecmp(word, "false") != 0;
    return !value || value->node_case != PG_QUERY__NODE__NODE_INTEGER || value->integer->ival != 0;
}

static void fill_explain(Convert *c, Statement *stmt, const Node *node) {
    const PgQuery__ExplainStmt *explain = node->explain_stmt;

    /* The last one counts. */
    for (size_t i = 0; i < explain->n_options; i++)
        if (explain->options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(explain->options[i]->def_elem->defname, "analyze") == 0)
            stmt->explain_analyze = is_on(explain->options[i]->def_elem->arg);
    inner_statement(c, stmt, explain->query);
}

static void fill_discard(Convert *c, Statement *stmt, const Node *node) {
    (void)c;
    stmt->discard_all = node->discard_stmt->target == PG_QUERY__DISCARD_MODE__DISCARD_ALL;
    stmt->discard_temp = node->discard_stmt->target == PG_QUERY__DISCARD_MODE__DISCARD_TEMP;
}

static void fill_create_as(Convert *c, Statement *stmt, const Node *node) {
    const PgQuery__CreateTableAsStmt *s = node->create_table_as_stmt;

    if (s->into)
        created(c, stmt, s->into->rel);
    inner_statement(c, stmt, s->query);
}

static void fill_truncate(Convert *c, Statement *stmt, const Node *node) {
    add_tables(c, stmt, node->truncate_stmt->relations, node->truncate_stmt->n_relations);
}

static void fill_lock(Convert *c, Statement *stmt, const Node *node) {
    add_tables(c, stmt, node->lock_stmt->relations, node->lock_stmt->n_relations);
}

static void fill_call(Convert *c, Statement *stmt, const Node *node) {
    if (!node->call_stmt->funccall)
        return;
    stmt->args = ARENA_NEW(c->arena, Expr *);
    stmt->args[0] = facts_func_call(c, NULL, node->call_stmt->funccall);
    stmt->nargs = 1;
}

static void fill_create(Convert *c, Statement *stmt, const Node *node) {
    created(c, stmt, node->create_stmt->relation);
}

static void fill_create_foreign(Convert *c, Statement *stmt, const Node *node) {
    if (node->create_foreign_table_stmt->base_stmt)
        created(c, stmt, node->create_foreign_table_stmt->base_stmt->relation);
}

static void fill_view(Convert *c, Statement *stmt, const Node *node) {
    created(c, stmt, node->view_stmt->view);
}

static void fill_sequence(Convert *c, Statement *stmt, const Node *node) {
    created(c, stmt, node->create_seq_stmt->sequence);
}

static void fill_alter_table(Convert *c, Statement *stmt, const Node *node) {
    add_table(c, stmt, node->alter_table_stmt->relation);
}

static void fill_rename(Convert *c, Statement *stmt, const Node *node) {
    add_table(c, stmt, node->rename_stmt->relation);
}

static void fill_set_schema(Convert *c, Statement *stmt, const Node *node) {
    add_table(c, stmt, node->alter_object_schema_stmt->relation);
}

static void fill_index(Convert *c, Statement *stmt, const Node *node) {
    add_table(c, stmt, node->index_stmt->relation);
}

static void fill_trigger(Convert *c, Statement *stmt, const Node *node) {
    add_table(c, stmt, node->create_trig_stmt->relation);
}

static void fill_rule(Convert *c, Statement *stmt, const Node *node) {
    add_table(c, stmt, node->rule_stmt->relation);
}

static void fill_grant(Convert *c, Statement *stmt, const Node *node) {
    add_tables(c, stmt, node->grant_stmt->objects, node->grant_stmt->n_objects);
}

static void fill_refresh(Convert *c, Statement *stmt, const Node *node) {
    add_table(c, stmt, node->refresh_mat_view_stmt->relation);
}

/* VACUUM and ANALYZE: without tables, of the whole database. */
static void fill_vacuum(Convert *c, Statement *stmt, const Node *node) {
    const PgQuery__VacuumStmt *vacuum = node->vacuum_stmt;

    for (size_t i = 0; i < vacuum->n_rels; i++)
        if (vacuum->rels[i]->node_case == PG_QUERY__NODE__NODE_VACUUM_RELATION)
            add_table(c, stmt, vacuum->rels[i]->vacuum_relation->relation);
}

/* REINDEX INDEX names no table, SCHEMA and the like no relation. */
static void fill_reindex(Convert *c, Statement *stmt, const Node *node) {
    if (node->reindex_stmt->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE)
        add_table(c, stmt, node->reindex_stmt->relation);
}

static void fill_cluster(Convert *c, Statement *stmt, const Node *node) {
    add_table(c, stmt, node->cluster_stmt->relation);
}

/* COMMENT ON. A column's name, a constraint's, a trigger's, a rule's and a policy's stand behind their
 * table's. */
static void fill_comment(Convert *c, Statement *stmt, const Node *node) {
    static const struct {
        PgQuery__ObjectType type;
        size_t behind; /* parts of the name that are not the table's */
    } objects[] = {
        {PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, 0},   {PG_QUERY__OBJECT_TYPE__OBJECT_VIEW, 0},
        {PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW, 0}, {PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE, 0},
        {PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN, 1},  {PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT, 1},
        {PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER, 1}, {PG_QUERY__OBJECT_TYPE__OBJECT_RULE, 1},
        {PG_QUERY__OBJECT_TYPE__OBJECT_POLICY, 1},
    };
    const PgQuery__CommentStmt *comment = node->comment_stmt;

    if (!comment->object || comment->object->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        const PgQuery__List *name = comment->object->list;

        if (objects[i].type == comment->objtype && name->n_items > objects[i].behind)
            add_named(c, stmt, name->items, name->n_items - objects[i].behind);
    }
}

/* DROP names its tables, views and sequences as lists of strings. */
static void fill_drop(Convert *c, Statement *stmt, const Node *node) {
    const PgQuery__DropStmt *drop = node->drop_stmt;

    if (drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE &&
        drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_VIEW &&
        drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW &&
        drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE &&
        drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE)
        return;
    stmt->drops = true;
    for (size_t i = 0; i < drop->n_objects; i++)
        if (drop->objects[i]->node_case == PG_QUERY__NODE__NODE_LIST)
            add_named(c, stmt, drop->objects[i]->list->items, drop->objects[i]->list->n_items);
}

typedef struct StatementRow {
    StmtKind kind;
    bool is_ddl;
    FillStatement *fill;
} StatementRow;

#define NODE(name) PG_QUERY__NODE__NODE_##name

static const StatementRow rows[] = {
    [NODE(SELECT_STMT)] = {STMT_SELECT, false, fill_select},
    [NODE(INSERT_STMT)] = {STMT_INSERT, false, fill_query},
    [NODE(UPDATE_STMT)] = {STMT_UPDATE, false, fill_query},
    [NODE(DELETE_STMT)] = {STMT_DELETE, false, fill_query},
    [NODE(MERGE_STMT)] = {STMT_MERGE, false, fill_query},
    [NODE(COPY_STMT)] = {STMT_COPY, false, fill_copy},
    [NODE(VARIABLE_SET_STMT)] = {STMT_SET, false, fill_set},
    [NODE(VARIABLE_SHOW_STMT)] = {STMT_SHOW, false, fill_show},
    [NODE(TRANSACTION_STMT)] = {STMT_TRANSACTION, false, fill_transaction},
    [NODE(PREPARE_STMT)] = {STMT_PREPARE, false, fill_prepare},
    [NODE(EXECUTE_STMT)] = {STMT_EXECUTE, false, fill_execute},
    [NODE(DEALLOCATE_STMT)] = {STMT_DEALLOCATE, false, fill_deallocate},
    [NODE(DECLARE_CURSOR_STMT)] = {STMT_DECLARE_CURSOR, false, fill_declare},
    [NODE(CLOSE_PORTAL_STMT)] = {STMT_CURSOR, false, fill_close},
    [NODE(FETCH_STMT)] = {STMT_CURSOR, false, fill_fetch},
    [NODE(EXPLAIN_STMT)] = {STMT_EXPLAIN, false, fill_explain},
    [NODE(DISCARD_STMT)] = {STMT_DISCARD, false, fill_discard},
    [NODE(CREATE_TABLE_AS_STMT)] = {STMT_CREATE_AS, true, fill_create_as},
    [NODE(TRUNCATE_STMT)] = {STMT_TRUNCATE, false, fill_truncate},
    [NODE(LOCK_STMT)] = {STMT_LOCK, false, fill_lock},
    [NODE(DO_STMT)] = {STMT_DO, false, NULL},
    [NODE(CALL_STMT)] = {STMT_CALL, false, fill_call},
    [NODE(NOTIFY_STMT)] = {STMT_NOTIFY, false, NULL},
    [NODE(LISTEN_STMT)] = {STMT_NOTIFY, false, NULL},
    [NODE(UNLISTEN_STMT)] = {STMT_NOTIFY, false, NULL},
    [NODE(VACUUM_STMT)] = {STMT_UTILITY, false, fill_vacuum},
    [NODE(REINDEX_STMT)] = {STMT_UTILITY, false, fill_reindex},
    [NODE(CLUSTER_STMT)] = {STMT_UTILITY, false, fill_cluster},
    [NODE(REFRESH_MAT_VIEW_STMT)] = {STMT_UTILITY, false, fill_refresh},
    [NODE(CREATE_STMT)] = {STMT_DDL, true, fill_create},
    [NODE(CREATE_FOREIGN_TABLE_STMT)] = {STMT_DDL, true, fill_create_foreign},
    [NODE(VIEW_STMT)] = {STMT_DDL, true, fill_view},
    [NODE(CREATE_SEQ_STMT)] = {STMT_DDL, true, fill_sequence},
    [NODE(ALTER_TABLE_STMT)] = {STMT_DDL, true, fill_alter_table},
    [NODE(RENAME_STMT)] = {STMT_DDL, true, fill_rename},
    [NODE(ALTER_OBJECT_SCHEMA_STMT)] = {STMT_DDL, true, fill_set_schema},
    [NODE(INDEX_STMT)] = {STMT_DDL, true, fill_index},
    [NODE(CREATE_TRIG_STMT)] = {STMT_DDL, true, fill_trigger},
    [NODE(RULE_STMT)] = {STMT_DDL, true, fill_rule},
    [NODE(GRANT_STMT)] = {STMT_DDL, true, fill_grant},
    [NODE(DROP_STMT)] = {STMT_DDL, true, fill_drop},
    [NODE(GRANT_ROLE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_SCHEMA_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_OWNER_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_ENUM_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_DOMAIN_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_SEQ_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_FUNCTION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_EXTENSION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_EXTENSION_CONTENTS_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_OBJECT_DEPENDS_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_DEFAULT_PRIVILEGES_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_POLICY_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_TABLE_MOVE_ALL_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_OPERATOR_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_OP_FAMILY_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_TYPE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_STATS_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_ROLE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_ROLE_SET_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_DATABASE_SET_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_DATABASE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_FDW_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_FOREIGN_SERVER_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_USER_MAPPING_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_TSDICTIONARY_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_TSCONFIGURATION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_EVENT_TRIG_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_PUBLICATION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(ALTER_SUBSCRIPTION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(COMMENT_STMT)] = {STMT_DDL, true, fill_comment},
    [NODE(COMPOSITE_TYPE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_AM_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_CAST_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_CONVERSION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_DOMAIN_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_ENUM_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_EVENT_TRIG_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_EXTENSION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_FDW_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_FOREIGN_SERVER_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_FUNCTION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_OP_CLASS_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_OP_FAMILY_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_PLANG_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_POLICY_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_PUBLICATION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_RANGE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_ROLE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_STATS_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_SUBSCRIPTION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_TABLE_SPACE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_TRANSFORM_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATE_USER_MAPPING_STMT)] = {STMT_DDL, true, NULL},
    [NODE(CREATEDB_STMT)] = {STMT_DDL, true, NULL},
    [NODE(DEFINE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(DROP_OWNED_STMT)] = {STMT_DDL, true, NULL},
    [NODE(DROP_ROLE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(DROP_SUBSCRIPTION_STMT)] = {STMT_DDL, true, NULL},
    [NODE(DROP_TABLE_SPACE_STMT)] = {STMT_DDL, true, NULL},
    [NODE(DROP_USER_MAPPING_STMT)] = {STMT_DDL, true, NULL},
    [NODE(DROPDB_STMT)] = {STMT_DDL, true, NULL},
    [NODE(IMPORT_FOREIGN_SCHEMA_STMT)] = {STMT_DDL, true, NULL},
    [NODE(REASSIGN_OWNED_STMT)] = {STMT_DDL, true, NULL},
    [NODE(SEC_LABEL_STMT)] = {STMT_DDL, true, NULL},
};

void facts_statement(Convert *c, Statement *stmt, const Node *node) {
    const StatementRow *row = NULL;

    /* A row of zeroes is one that the table does not have. */
    if ((size_t)node->node_case < ARRAY_LEN(rows))
        row = &rows[node->node_case];
    if (!row || row->kind == STMT_EMPTY) {
        stmt->kind = STMT_UTILITY;
        return;
    }
    stmt->kind = row->kind;
    stmt->is_ddl = row->is_ddl;
    if (row->fill)
        row->fill(c, stmt, node);
    if (stmt->inner && stmt->inner->is_ddl)
        stmt->is_ddl = true;
}
