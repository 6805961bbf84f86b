/* CREATE TABLE and ALTER TABLE. */
#include "parser/ddl_internal.h"

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

static void read_table_elements(DdlCollector *c, DdlReader *reader, const PgQuery__CreateStmt *stmt,
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
            ddl_add_warning(c, reader->line,
                            arena_printf(c->arena, "table %s: LIKE is not followed", fact->name.name));
        }
    }
}

bool ddl_is_temporary(const PgQuery__RangeVar *var) {
    return (var->relpersistence && *var->relpersistence == 't') ||
           (var->schemaname && strcmp(var->schemaname, "pg_temp") == 0);
}

void ddl_read_create_table(DdlCollector *c, DdlReader *reader, const PgQuery__CreateStmt *stmt,
                           char relkind) {
    DdlFact *fact;

    if (ddl_is_temporary(stmt->relation))
        return;
    fact = ddl_add_fact(c, DDL_TABLE, reader->line);
    fact->name = ddl_name_of(c->arena, stmt->relation);
    fact->relkind = stmt->partspec ? 'p' : relkind;
    fact->if_not_exists = stmt->if_not_exists;
    fact->is_partition = stmt->partbound != NULL;
    fact->parents = ARENA_ARRAY(c->arena, Name, stmt->n_inh_relations);
    for (size_t i = 0; i < stmt->n_inh_relations; i++)
        fact->parents[fact->nparents++] = ddl_name_of(c->arena, stmt->inh_relations[i]->range_var);
    if (stmt->of_typename) {
        ddl_add_warning(c, reader->line,
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

static void read_add_column(DdlCollector *c, DdlReader *reader, const PgQuery__AlterTableCmd *cmd,
                            Name table) {
    const PgQuery__ColumnDef *def = cmd->def->column_def;
    DdlFact *fact = ddl_add_fact(c, DDL_ADD_COLUMN, reader->line);

    fact->name = table;
    fact->if_not_exists = cmd->missing_ok;
    fact->columns = ARENA_ARRAY(c->arena, DdlColumn, 1);
    fact->columns[0] = ddl_column_of(reader, def);
    fact->ncolumns = 1;
    fact->constraints = ARENA_ARRAY(c->arena, DdlConstraint, def->n_constraints);
    add_column_constraints(reader, def, fact);
}

static void read_add_constraint(DdlCollector *c, DdlReader *reader, const PgQuery__AlterTableCmd *cmd,
                                Name table) {
    DdlConstraint constraint;
    DdlFact *fact;

    if (!ddl_constraint_of(reader, cmd->def->constraint, NULL, &constraint))
        return;
    fact = ddl_add_fact(c, DDL_ADD_CONSTRAINT, reader->line);
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

static void read_column_change(DdlCollector *c, DdlReader *reader, const PgQuery__AlterTableCmd *cmd,
                               Name table, int *ndefaults) {
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
    *ddl_add_fact(c, fact.kind, fact.line) = fact;
}

void ddl_read_alter_table(DdlCollector *c, DdlReader *reader, const PgQuery__AlterTableStmt *stmt) {
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
            DdlFact *fact = ddl_add_fact(c, DDL_ATTACH, reader->line);

            fact->name = table;
            fact->parents = ARENA_ARRAY(c->arena, Name, 1);
            fact->parents[0] = ddl_name_of(c->arena, cmd->def->partition_cmd->name);
            fact->nparents = 1;
        } else if (cmd->subtype < ARRAY_LEN(changes_not_followed) && changes_not_followed[cmd->subtype]) {
            ddl_add_change(c, reader->line, table, changes_not_followed[cmd->subtype]);
        } else {
            read_column_change(c, reader, cmd, table, &ndefaults);
        }
        for (int j = before; j < c->nfacts; j++)
            c->facts[j].only = !stmt->relation->inh;
    }
}
