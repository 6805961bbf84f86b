/* A script's DDL, statement by statement. See ddl.h. */
#include "parser/ddl.h"

#include <ctype.h>
#include <pg_query.h>
#include <stdlib.h>

#include "base/mem.h"
#include "parser/ddl_internal.h"

typedef struct Collector {
    Arena *arena;
    DdlFact *facts; /* on the heap while it grows */
    int nfacts, facts_capacity;
    DdlWarning *warnings;
    int nwarnings, warnings_capacity;
} Collector;

static DdlFact *add_fact(Collector *c, DdlKind kind, int line) {
    if (c->nfacts == c->facts_capacity) {
        c->facts_capacity = c->facts_capacity ? c->facts_capacity * 2 : 64;
        c->facts = mem_realloc(c->facts, sizeof(DdlFact) * (size_t)c->facts_capacity);
    }
    c->facts[c->nfacts] = (DdlFact){.kind = kind, .line = line};
    return &c->facts[c->nfacts++];
}

static void add_warning(Collector *c, int line, const char *text) {
    if (c->nwarnings == c->warnings_capacity) {
        c->warnings_capacity = c->warnings_capacity ? c->warnings_capacity * 2 : 16;
        c->warnings = mem_realloc(c->warnings, sizeof(DdlWarning) * (size_t)c->warnings_capacity);
    }
    c->warnings[c->nwarnings++] = (DdlWarning){line, text};
}

static DdlFact *add_change(Collector *c, int line, Name name, const char *what) {
    DdlFact *fact = add_fact(c, DDL_CHANGE, line);

    fact->name = name;
    fact->text = what;
    return fact;
}

/* ---- CREATE TABLE ---- */

/* The constraints that stand at a column, behind those that the fact has already. */
static void add_column_constraints(DdlReader *reader, const PgQuery__ColumnDef *def, DdlFact *fact) {
    for (size_t i = 0; i < def->n_constraints; i++) {
        DdlConstraint constraint;

        if (ddl_constraint_of(reader, def->constraints[i]->constraint,
                              arena_strdup(reader->arena, def->colname), &constraint))
            fact->constraints[fact->nconstraints++] = constraint;
    }
}

static size_t count_constraints(const PgQuery__CreateStmt *stmt) {
    size_t n = stmt->n_constraints;

    for (size_t i = 0; i < stmt->n_table_elts; i++) {
        const PgQuery__Node *element = stmt->table_elts[i];

        n += element->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF ? element->column_def->n_constraints : 1;
    }
    return n;
}

static void read_table_elements(Collector *c, DdlReader *reader, const PgQuery__CreateStmt *stmt,
                                DdlFact *fact) {
    fact->columns = ARENA_ARRAY(c->arena, DdlColumn, stmt->n_table_elts);
    fact->constraints = ARENA_ARRAY(c->arena, DdlConstraint, count_constraints(stmt));
    for (size_t i = 0; i < stmt->n_table_elts; i++) {
        const PgQuery__Node *element = stmt->table_elts[i];
        DdlConstraint constraint;

        if (element->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF) {
            fact->columns[fact->ncolumns++] = ddl_column_of(reader, element->column_def);
            add_column_constraints(reader, element->column_def, fact);
        } else if (element->node_case == PG_QUERY__NODE__NODE_CONSTRAINT) {
            if (ddl_constraint_of(reader, element->constraint, NULL, &constraint))
                fact->constraints[fact->nconstraints++] = constraint;
        } else {
            add_warning(c, reader->line,
                        arena_printf(c->arena, "table %s: LIKE is not followed", fact->name.name));
        }
    }
}

static bool is_temporary(const PgQuery__RangeVar *var) {
    return (var->relpersistence && *var->relpersistence == 't') ||
           (var->schemaname && strcmp(var->schemaname, "pg_temp") == 0);
}

static void read_create_table(Collector *c, DdlReader *reader, const PgQuery__CreateStmt *stmt,
                              char relkind) {
    DdlFact *fact;

    if (is_temporary(stmt->relation))
        return;
    fact = add_fact(c, DDL_TABLE, reader->line);
    fact->name = ddl_name_of(c->arena, stmt->relation);
    fact->relkind = stmt->partspec ? 'p' : relkind;
    fact->if_not_exists = stmt->if_not_exists;
    fact->is_partition = stmt->partbound != NULL;
    fact->parents = ARENA_ARRAY(c->arena, Name, stmt->n_inh_relations);
    for (size_t i = 0; i < stmt->n_inh_relations; i++)
        fact->parents[fact->nparents++] = ddl_name_of(c->arena, stmt->inh_relations[i]->range_var);
    if (stmt->of_typename) {
        add_warning(c, reader->line,
                    arena_printf(c->arena, "table %s: the columns of its type (OF) are not followed",
                                 fact->name.name));
    }
    read_table_elements(c, reader, stmt, fact);
}

/* ---- ALTER TABLE ---- */

static const char *const changes_not_followed[] = {
    [PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn] = "DROP COLUMN",
    [PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint] = "DROP CONSTRAINT",
    [PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType] = "ALTER COLUMN TYPE",
    [PG_QUERY__ALTER_TABLE_TYPE__AT_AddInherit] = "INHERIT",
    [PG_QUERY__ALTER_TABLE_TYPE__AT_DropInherit] = "NO INHERIT",
    [PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition] = "DETACH PARTITION",
};

static void read_add_column(Collector *c, DdlReader *reader, const PgQuery__AlterTableCmd *cmd, Name table) {
    const PgQuery__ColumnDef *def = cmd->def->column_def;
    DdlFact *fact = add_fact(c, DDL_ADD_COLUMN, reader->line);

    fact->name = table;
    fact->if_not_exists = cmd->missing_ok;
    fact->columns = ARENA_ARRAY(c->arena, DdlColumn, 1);
    fact->columns[0] = ddl_column_of(reader, def);
    fact->ncolumns = 1;
    fact->constraints = ARENA_ARRAY(c->arena, DdlConstraint, def->n_constraints);
    add_column_constraints(reader, def, fact);
}

static void read_add_constraint(Collector *c, DdlReader *reader, const PgQuery__AlterTableCmd *cmd,
                                Name table) {
    DdlConstraint constraint;
    DdlFact *fact;

    if (!ddl_constraint_of(reader, cmd->def->constraint, NULL, &constraint))
        return;
    fact = add_fact(c, DDL_ADD_CONSTRAINT, reader->line);
    fact->name = table;
    fact->constraints = ARENA_ARRAY(c->arena, DdlConstraint, 1);
    fact->constraints[0] = constraint;
    fact->nconstraints = 1;
}

/* SET GENERATED comes as a list of DefElems, of which "generated" has the code of the character as an
 * integer. */
static char identity_option(const PgQuery__Node *def) {
    for (size_t i = 0; def && def->node_case == PG_QUERY__NODE__NODE_LIST && i < def->list->n_items; i++) {
        const PgQuery__DefElem *option = def->list->items[i]->def_elem;

        if (strcmp(option->defname, "generated") == 0 &&
            option->arg->node_case == PG_QUERY__NODE__NODE_INTEGER)
            return (char)option->arg->integer->ival;
    }
    return '\0';
}

static void read_column_change(Collector *c, DdlReader *reader, const PgQuery__AlterTableCmd *cmd, Name table,
                               int *ndefaults) {
    DdlFact fact = {.line = reader->line, .name = table, .column = ddl_string(c->arena, cmd->name)};

    switch (cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault:
        fact.kind = DDL_SET_DEFAULT;
        fact.text = cmd->def ? ddl_set_default_text(reader, (*ndefaults)++) : NULL;
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull:
        fact.kind = DDL_SET_NOT_NULL;
        fact.on = cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull;
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity:
        fact.kind = DDL_SET_IDENTITY;
        fact.identity = *cmd->def->constraint->generated_when;
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetIdentity:
        fact.kind = DDL_SET_IDENTITY;
        fact.identity = identity_option(cmd->def);
        if (!fact.identity)
            return; /* only options of the sequence */
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropIdentity:
        fact.kind = DDL_SET_IDENTITY;
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint:
        fact.kind = DDL_VALIDATE;
        break;
    default:
        return;
    }
    *add_fact(c, fact.kind, fact.line) = fact;
}

static void read_alter_table(Collector *c, DdlReader *reader, const PgQuery__AlterTableStmt *stmt) {
    Name table = ddl_name_of(c->arena, stmt->relation);
    int ndefaults = 0;

    for (size_t i = 0; i < stmt->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = stmt->cmds[i]->alter_table_cmd;
        int before = c->nfacts;

        if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn) {
            read_add_column(c, reader, cmd, table);
        } else if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint) {
            read_add_constraint(c, reader, cmd, table);
        } else if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition) {
            DdlFact *fact = add_fact(c, DDL_ATTACH, reader->line);

            fact->name = table;
            fact->parents = ARENA_ARRAY(c->arena, Name, 1);
            fact->parents[0] = ddl_name_of(c->arena, cmd->def->partition_cmd->name);
            fact->nparents = 1;
        } else if (cmd->subtype < ARRAY_LEN(changes_not_followed) && changes_not_followed[cmd->subtype]) {
            add_change(c, reader->line, table, changes_not_followed[cmd->subtype]);
        } else {
            read_column_change(c, reader, cmd, table, &ndefaults);
        }
        for (int j = before; j < c->nfacts; j++)
            c->facts[j].only = !stmt->relation->inh;
    }
}

/* ---- everything else ---- */

static void read_index(Collector *c, DdlReader *reader, const PgQuery__IndexStmt *stmt) {
    DdlFact *fact;

    if (!stmt->unique)
        return;
    fact = add_fact(c, DDL_UNIQUE_INDEX, reader->line);
    fact->name = ddl_name_of(c->arena, stmt->relation);
    fact->if_not_exists = stmt->if_not_exists;
    fact->only = !stmt->relation->inh;
    fact->constraints = ARENA_ARRAY(c->arena, DdlConstraint, 1);
    fact->constraints[0] = ddl_index_of(reader, stmt);
    fact->nconstraints = 1;
}

static void read_view(Collector *c, DdlReader *reader, const PgQuery__RangeVar *name, char relkind,
                      bool tail) {
    DdlFact *fact;

    if (is_temporary(name))
        return;
    fact = add_fact(c, DDL_VIEW, reader->line);
    fact->name = ddl_name_of(c->arena, name);
    fact->relkind = relkind;
    fact->text = ddl_view_text(reader, tail);
}

/* CREATE MATERIALIZED VIEW, and CREATE TABLE AS, whose columns only a server can know. */
static void read_table_as(Collector *c, DdlReader *reader, const PgQuery__CreateTableAsStmt *stmt) {
    Name name = ddl_name_of(c->arena, stmt->into->rel);

    if (stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW) {
        const char *text = reader->text;
        size_t len = strlen(text);
        bool tail = len > 4 && strcasecmp(text + len - 4, "data") == 0;

        read_view(c, reader, stmt->into->rel, 'm', tail);
    } else if (!is_temporary(stmt->into->rel)) {
        add_fact(c, DDL_TABLE, reader->line)->name = name;
        c->facts[c->nfacts - 1].relkind = 'r';
        add_warning(
            c, reader->line,
            arena_printf(c->arena, "table %s: the columns of CREATE TABLE AS are not known", name.name));
    }
}

static const char *setting_value(Arena *arena, const PgQuery__VariableSetStmt *stmt) {
    char *value = NULL;

    for (size_t i = 0; i < stmt->n_args; i++) {
        const PgQuery__Node *arg = stmt->args[i];
        const char *text = "";
        bool plain = true;

        if (arg->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
            arg = arg->type_cast->arg;
        if (arg->node_case != PG_QUERY__NODE__NODE_A_CONST)
            continue;
        if (arg->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL)
            text = arg->a_const->sval->sval;
        else if (arg->a_const->val_case == PG_QUERY__A__CONST__VAL_FVAL)
            text = arg->a_const->fval->fval;
        else if (arg->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL)
            text = arena_printf(arena, "%d", arg->a_const->ival->ival);
        for (const char *p = text; *p; p++)
            plain = plain && (*p == '_' || islower((unsigned char)*p) || isdigit((unsigned char)*p));
        /* Only in lists are names apart; a single value is kept as it is, unless it is a path of one odd
         * name. */
        if (!plain && stmt->name && strcmp(stmt->name, "search_path") == 0)
            text = arena_printf(arena, "\"%s\"", text);
        value = value ? arena_printf(arena, "%s, %s", value, text) : arena_strdup(arena, text);
    }
    return value;
}

static bool sets_value(const PgQuery__VariableSetStmt *stmt) {
    return stmt->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE;
}

static void read_set(Collector *c, DdlReader *reader, const PgQuery__VariableSetStmt *stmt) {
    if (stmt->name && strcmp(stmt->name, "search_path") == 0) {
        const char *value = sets_value(stmt) ? setting_value(c->arena, stmt) : NULL;

        add_fact(c, DDL_SEARCH_PATH, reader->line)->text = value;
    }
}

static void read_setting(Collector *c, DdlReader *reader, const PgQuery__VariableSetStmt *stmt,
                         const char *role, const char *database) {
    DdlFact *fact;

    if (!sets_value(stmt))
        return;
    fact = add_fact(c, DDL_SETTING, reader->line);
    fact->role = ddl_string(c->arena, role);
    fact->database = ddl_string(c->arena, database);
    fact->column = arena_strdup(c->arena, stmt->name);
    fact->text = setting_value(c->arena, stmt);
}

/* SELECT [pg_catalog.]set_config('search_path', 'value', false) */
static void read_set_config(Collector *c, DdlReader *reader, const PgQuery__SelectStmt *stmt) {
    const PgQuery__FuncCall *call;
    Name name;
    const char *args[2];

    if (stmt->n_target_list != 1 ||
        stmt->target_list[0]->res_target->val->node_case != PG_QUERY__NODE__NODE_FUNC_CALL)
        return;
    call = stmt->target_list[0]->res_target->val->func_call;
    name = ddl_name_of_list(c->arena, call->funcname, call->n_funcname);
    if (call->n_args != 3 || !name.name || strcmp(name.name, "set_config") != 0)
        return;
    for (int i = 0; i < 2; i++) {
        const PgQuery__Node *arg = call->args[i];

        if (arg->node_case != PG_QUERY__NODE__NODE_A_CONST ||
            arg->a_const->val_case != PG_QUERY__A__CONST__VAL_SVAL)
            return;
        args[i] = arg->a_const->sval->sval;
    }
    if (strcasecmp(args[0], "search_path") == 0)
        add_fact(c, DDL_SEARCH_PATH, reader->line)->text = arena_strdup(c->arena, args[1]);
}

static void read_type(Collector *c, DdlReader *reader, PgQuery__Node *const *names, size_t n) {
    add_fact(c, DDL_TYPE, reader->line)->name = ddl_name_of_list(c->arena, names, n);
}

static void read_create_schema(Collector *c, DdlReader *reader, const PgQuery__CreateSchemaStmt *stmt) {
    const char *name = ddl_string(c->arena, stmt->schemaname);

    if (!name && stmt->authrole)
        name = ddl_string(c->arena, stmt->authrole->rolename);
    add_fact(c, DDL_SCHEMA, reader->line)->name.name = name ? name : "";
    if (stmt->n_schema_elts > 0)
        add_warning(c, reader->line, "objects inside CREATE SCHEMA are not followed");
}

static void read_drop(Collector *c, DdlReader *reader, const PgQuery__DropStmt *stmt) {
    bool relation = stmt->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE ||
                    stmt->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW ||
                    stmt->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;

    for (size_t i = 0; relation && i < stmt->n_objects; i++) {
        const PgQuery__Node *object = stmt->objects[i];

        if (object->node_case == PG_QUERY__NODE__NODE_LIST)
            add_change(c, reader->line,
                       ddl_name_of_list(c->arena, object->list->items, object->list->n_items), "DROP");
    }
}

static void read_node(Collector *c, DdlReader *reader, const PgQuery__Node *node) {
    switch (node->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT:
        return read_create_schema(c, reader, node->create_schema_stmt);
    case PG_QUERY__NODE__NODE_CREATE_STMT:
        return read_create_table(c, reader, node->create_stmt, 'r');
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT:
        return read_create_table(c, reader, node->create_foreign_table_stmt->base_stmt, 'f');
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        return read_alter_table(c, reader, node->alter_table_stmt);
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        return read_index(c, reader, node->index_stmt);
    case PG_QUERY__NODE__NODE_VIEW_STMT:
        return read_view(c, reader, node->view_stmt->view, 'v',
                         node->view_stmt->with_check_option > PG_QUERY__VIEW_CHECK_OPTION__NO_CHECK_OPTION);
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        return read_table_as(c, reader, node->create_table_as_stmt);
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
        return read_set(c, reader, node->variable_set_stmt);
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT:
        return read_setting(c, reader, node->alter_database_set_stmt->setstmt, NULL,
                            node->alter_database_set_stmt->dbname);
    case PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT:
        return read_setting(c, reader, node->alter_role_set_stmt->setstmt,
                            node->alter_role_set_stmt->role ? node->alter_role_set_stmt->role->rolename
                                                            : NULL,
                            node->alter_role_set_stmt->database);
    case PG_QUERY__NODE__NODE_SELECT_STMT:
        return read_set_config(c, reader, node->select_stmt);
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
        add_fact(c, DDL_TYPE, reader->line)->name = ddl_name_of(c->arena, node->composite_type_stmt->typevar);
        return;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        return read_drop(c, reader, node->drop_stmt);
    case PG_QUERY__NODE__NODE_RENAME_STMT:
        if (node->rename_stmt->relation)
            add_change(c, reader->line, ddl_name_of(c->arena, node->rename_stmt->relation), "RENAME");
        return;
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
        if (node->alter_object_schema_stmt->relation)
            add_change(c, reader->line, ddl_name_of(c->arena, node->alter_object_schema_stmt->relation),
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

static void read_statement(Collector *c, const DdlStatement *statement) {
    DdlReader reader = {.arena = c->arena, .line = statement->line};
    PgQueryProtobufParseResult result;
    PgQuery__ParseResult *tree = NULL;

    if (!may_define(statement->text))
        return;
    if (!is_shallow(statement->text)) {
        add_warning(c, statement->line, "nested too deeply, not read");
        return;
    }
    reader.text = arena_strndup(c->arena, statement->text.ptr, statement->text.len);
    result = pg_query_parse_protobuf(reader.text);
    if (result.error)
        add_warning(c, statement->line, arena_strdup(c->arena, result.error->message));
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
    Collector c = {.arena = arena};
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
