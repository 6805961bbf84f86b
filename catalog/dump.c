/* Reading a dump: the DDL facts of parser/ddl.h, applied in order as a server would apply them. Keys and
 * foreign keys are put aside until all tables are known. */
#include "catalog/dump.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "catalog/dump_internal.h"
#include "catalog/internal.h"

void dump_warn(DumpReader *reader, int line, const char *fmt, ...) {
    char text[400];
    va_list args;

    reader->nwarnings++;
    if (reader->first_warning)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    reader->first_warning = arena_printf(reader->arena, "%s:%d: %s", reader->file, line, text);
}

/* ---- names ---- */

/* "$user" is left out: whose schema it would be is not known. */
static void set_path(DumpReader *reader, const char *value) {
    const char **names =
        search_path_split(reader->arena, value ? value : "\"$user\", public", &reader->npath);
    int kept = 0;

    for (int i = 0; i < reader->npath; i++) {
        if (strcmp(names[i], "$user") != 0)
            names[kept++] = names[i];
    }
    reader->path = names;
    reader->npath = kept;
    if (!value || kept == 0)
        return;
    if (!reader->only_path)
        reader->only_path = arena_strdup(reader->arena, value);
    else if (strcmp(reader->only_path, value) != 0)
        reader->only_path = "";
}

static const char *creation_schema(const DumpReader *reader, const Name *name) {
    if (name->schema)
        return name->schema;
    for (int i = 0; i < reader->npath; i++) {
        if (strcmp(reader->path[i], "pg_catalog") != 0)
            return reader->path[i];
    }
    return "public";
}

static Table *find_table(const DumpReader *reader, const Name *name) {
    if (!name->name)
        return NULL;
    if (name->schema)
        return snapshot_find_table(reader->builder, name->schema, name->name);
    for (int i = 0; i < reader->npath; i++) {
        Table *table = snapshot_find_table(reader->builder, reader->path[i], name->name);

        if (table)
            return table;
    }
    return NULL;
}

/* ---- tables ---- */

static const char *serial_default(const DumpReader *reader, const Table *table, const char *column) {
    Buf buf = {0};
    const char *text;

    quote_identifier(&buf, table->schema);
    buf_append_cstr(&buf, ".");
    quote_identifier(&buf, dump_sequence_name(reader->arena, table->name, column));
    text = arena_printf(reader->arena, "nextval('%.*s'::regclass)", (int)buf_len(&buf),
                        (const char *)buf_ptr(&buf));
    buf_free(&buf);
    return text;
}

/* Adds a column, or, where an inherited one has its name, says more of that. */
static void add_column(DumpReader *reader, Table *table, const DdlColumn *def) {
    Column *column = snapshot_find_column(reader->builder, table, def->name);

    if (!column) {
        ResolvedType type = dump_type(reader, &def->type);

        column = snapshot_add_column(reader->builder, table, def->name, type.text, type.schema, type.name);
    }
    column->not_null = column->not_null || def->not_null;
    column->generated = column->generated || def->generated;
    if (def->identity)
        column->identity = def->identity;
    if (def->serial)
        column->default_expr = serial_default(reader, table, def->name);
    else if (def->default_text)
        column->default_expr = arena_strdup(reader->arena, def->default_text);
}

static void put_aside(DumpReader *reader, Table *table, const DdlFact *fact, const DdlConstraint *def,
                      bool constraint) {
    PendingConstraint pending = {table, *def, constraint, fact->only, fact->line, NULL};
    const Table *parent;

    if (def->kind == DDL_FOREIGN_KEY) {
        parent = find_table(reader, &def->parent);
        pending.parent_schema = parent ? parent->schema : creation_schema(reader, &def->parent);
    }
    if (def->name)
        dump_use_name(reader, table->schema, def->name);
    if (reader->nconstraints == reader->constraints_capacity) {
        reader->constraints_capacity = reader->constraints_capacity ? reader->constraints_capacity * 2 : 64;
        reader->constraints = mem_realloc(reader->constraints,
                                          sizeof(PendingConstraint) * (size_t)reader->constraints_capacity);
    }
    reader->constraints[reader->nconstraints++] = pending;
}

static Table *add_table(DumpReader *reader, const DdlFact *fact) {
    const char *schema = creation_schema(reader, &fact->name);
    Table *table = snapshot_add_table(reader->builder, schema, fact->name.name, fact->relkind);

    if (reader->ntables == reader->tables_capacity) {
        reader->tables_capacity = reader->tables_capacity ? reader->tables_capacity * 2 : 64;
        reader->tables = mem_realloc(reader->tables, sizeof(Table *) * (size_t)reader->tables_capacity);
    }
    reader->tables[reader->ntables++] = table;
    snapshot_add_schema(reader->builder, schema);
    return table;
}

/* A name that exists already: IF NOT EXISTS skips it, anything else would have failed. */
static bool exists(DumpReader *reader, const DdlFact *fact) {
    const char *schema = creation_schema(reader, &fact->name);

    if (!snapshot_find_table(reader->builder, schema, fact->name.name))
        return false;
    if (!fact->if_not_exists)
        dump_warn(reader, fact->line, "%s.%s is created a second time", schema, fact->name.name);
    return true;
}

static void inherit(DumpReader *reader, Table *table, const Table *parent) {
    Arena *arena = reader->arena;
    SnapshotBuilder *builder = reader->builder;
    const Column *column;

    for (int i = 0; (column = snapshot_column_at(builder, parent, i)); i++) {
        Column *copy = snapshot_find_column(builder, table, column->name);

        if (!copy)
            copy = snapshot_add_column(builder, table, column->name, column->type, column->type_schema,
                                       column->type_name);
        copy->not_null = column->not_null;
        copy->generated = column->generated;
        copy->default_expr = column->default_expr ? arena_strdup(arena, column->default_expr) : NULL;
    }
}

static void apply_table(DumpReader *reader, const DdlFact *fact) {
    Table *table;

    if (!fact->name.name || exists(reader, fact))
        return;
    table = add_table(reader, fact);
    for (int i = 0; i < fact->nparents; i++) {
        const Table *parent = find_table(reader, &fact->parents[i]);

        if (!parent || parent == table) {
            dump_warn(reader, fact->line, "the parent of table %s is not there", fact->name.name);
            continue;
        }
        inherit(reader, table, parent);
        if (fact->is_partition)
            table->partition_of = arena_printf(reader->arena, "%s.%s", parent->schema, parent->name);
    }
    for (int i = 0; i < fact->ncolumns; i++)
        add_column(reader, table, &fact->columns[i]);
    for (int kind = 0; kind < 2; kind++) { /* keys come before foreign keys, as the server does it */
        for (int i = 0; i < fact->nconstraints; i++) {
            if ((fact->constraints[i].kind == DDL_FOREIGN_KEY) == (kind == 1))
                put_aside(reader, table, fact, &fact->constraints[i], true);
        }
    }
}

static void apply_view(DumpReader *reader, const DdlFact *fact) {
    Table *view = find_table(reader, &fact->name);

    if (!view || strcmp(view->schema, creation_schema(reader, &fact->name)) != 0)
        view = add_table(reader, fact); /* else OR REPLACE, which pg_dump uses to break circles */
    view->view_definition = fact->text ? arena_strdup(reader->arena, fact->text) : NULL;
}

/* ---- changes ---- */

static void apply_add_column(DumpReader *reader, Table *table, const DdlFact *fact) {
    if (fact->if_not_exists && snapshot_find_column(reader->builder, table, fact->columns[0].name))
        return;
    add_column(reader, table, &fact->columns[0]);
    for (int i = 0; i < fact->nconstraints; i++)
        put_aside(reader, table, fact, &fact->constraints[i], true);
}

/* ADD CONSTRAINT … USING INDEX makes a constraint of an index, which takes the constraint's name. */
static void apply_add_constraint(DumpReader *reader, Table *table, const DdlFact *fact) {
    const DdlConstraint *def = &fact->constraints[0];

    if (!def->using_index) {
        put_aside(reader, table, fact, def, true);
        return;
    }
    for (int i = 0; i < reader->nconstraints; i++) {
        PendingConstraint *pending = &reader->constraints[i];

        if (pending->table == table && pending->def.name &&
            strcmp(pending->def.name, def->using_index) == 0) {
            pending->def.kind = def->kind;
            pending->def.name = def->name ? def->name : def->using_index;
            pending->constraint = true;
            return;
        }
    }
    dump_warn(reader, fact->line, "index %s is not there", def->using_index);
}

static void apply_validate(DumpReader *reader, const Table *table, const DdlFact *fact) {
    for (int i = 0; i < reader->nconstraints; i++) {
        PendingConstraint *pending = &reader->constraints[i];

        if (pending->table == table && pending->def.name && strcmp(pending->def.name, fact->column) == 0)
            pending->def.not_valid = false;
    }
}

static void apply_attach(DumpReader *reader, const Table *table, const DdlFact *fact) {
    Table *partition = find_table(reader, &fact->parents[0]);

    if (partition) /* else an index is attached, which ALTER TABLE may do as well */
        partition->partition_of = arena_printf(reader->arena, "%s.%s", table->schema, table->name);
}

static void apply_column_change(DumpReader *reader, Table *table, const DdlFact *fact) {
    Column *column = snapshot_find_column(reader->builder, table, fact->column);

    if (!column) {
        if (table->relkind != 'v' && table->relkind != 'm')
            dump_warn(reader, fact->line, "%s.%s has no column %s", table->schema, table->name, fact->column);
    } else if (fact->kind == DDL_SET_DEFAULT) {
        column->default_expr = fact->text ? arena_strdup(reader->arena, fact->text) : NULL;
    } else if (fact->kind == DDL_SET_NOT_NULL) {
        column->not_null = fact->on;
    } else {
        column->identity = fact->identity;
        column->not_null = column->not_null || fact->identity;
    }
}

/* What is said of a table that is not there is passed over: DROP … IF EXISTS at the top of a script, ALTER
 * TABLE of sequences and indexes. A foreign key without its table would go unnoticed, though. */
static void apply_to_table(DumpReader *reader, const DdlFact *fact) {
    Table *table = find_table(reader, &fact->name);

    if (!table) {
        if (fact->kind == DDL_ADD_CONSTRAINT || fact->kind == DDL_UNIQUE_INDEX ||
            fact->kind == DDL_ADD_COLUMN)
            dump_warn(reader, fact->line, "table %s is not there", fact->name.name);
        return;
    }
    switch (fact->kind) {
    case DDL_ADD_COLUMN:
        return apply_add_column(reader, table, fact);
    case DDL_ADD_CONSTRAINT:
        return apply_add_constraint(reader, table, fact);
    case DDL_UNIQUE_INDEX:
        return put_aside(reader, table, fact, &fact->constraints[0], false);
    case DDL_ATTACH:
        return apply_attach(reader, table, fact);
    case DDL_VALIDATE:
        return apply_validate(reader, table, fact);
    case DDL_CHANGE:
        return dump_warn(reader, fact->line, "%s of %s.%s is not followed", fact->text, table->schema,
                         table->name);
    default:
        return apply_column_change(reader, table, fact);
    }
}

static void apply_type(DumpReader *reader, const DdlFact *fact) {
    if (!fact->name.name)
        return;
    if (reader->ntypes == reader->types_capacity) {
        reader->types_capacity = reader->types_capacity ? reader->types_capacity * 2 : 16;
        reader->types = mem_realloc(reader->types, sizeof(NamedType) * (size_t)reader->types_capacity);
    }
    reader->types[reader->ntypes++] =
        (NamedType){arena_strdup(reader->arena, creation_schema(reader, &fact->name)),
                    arena_strdup(reader->arena, fact->name.name)};
}

static void apply(DumpReader *reader, const DdlFact *fact) {
    switch (fact->kind) {
    case DDL_SCHEMA:
        return snapshot_add_schema(reader->builder, fact->name.name);
    case DDL_TYPE:
        return apply_type(reader, fact);
    case DDL_TABLE:
        return apply_table(reader, fact);
    case DDL_VIEW:
        return apply_view(reader, fact);
    case DDL_SEARCH_PATH:
        return set_path(reader, fact->text);
    case DDL_SETTING:
        if (fact->text)
            snapshot_add_setting(reader->builder, fact->role, fact->database, fact->column, fact->text);
        return;
    default:
        return apply_to_table(reader, fact);
    }
}

/* ---- the whole ---- */

static void finish(DumpReader *reader, const Ddl *ddl) {
    Snapshot *snapshot = snapshot_builder_target(reader->builder);
    static const char *const always[] = {"public", "pg_catalog", "information_schema"};

    dump_add_constraints(reader);
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        snapshot_add_schema(reader->builder, always[i]);
    if (reader->only_path && *reader->only_path)
        snapshot->search_path = reader->only_path;
    for (int i = 0; i < ddl->nwarnings; i++)
        dump_warn(reader, ddl->warnings[i].line, "%s", ddl->warnings[i].text);
    if (reader->nwarnings > 1) {
        snapshot->warning = arena_printf(reader->arena, "%s (and %d more that could not be followed)",
                                         reader->first_warning, reader->nwarnings - 1);
    } else {
        snapshot->warning = reader->first_warning;
    }
}

Snapshot *catalog_from_dump(Str text, const char *name, const Config *config, Error *err) {
    return catalog_from_dump_in_stage(text, name, config, STAGE_OBSERVE, err);
}

Snapshot *catalog_from_dump_in_stage(Str text, const char *name, const Config *config, Stage stage,
                                     Error *err) {
    Arena *scratch = arena_new();
    const Ddl *ddl = ddl_parse(scratch, text);
    DumpReader reader = {.builder = snapshot_builder_new(), .file = name};
    SnapshotBuilder *builder = reader.builder;

    reader.arena = snapshot_builder_arena(builder);
    snapshot_assume_stage(builder, stage);
    set_path(&reader, NULL);
    for (int i = 0; i < ddl->nfacts; i++)
        apply(&reader, &ddl->facts[i]);
    finish(&reader, ddl);
    free(reader.tables);
    free(reader.constraints);
    free(reader.types);
    arena_free(scratch);
    return snapshot_build(builder, config, err);
}
