"""The grammar of all else: chains of WITH, MERGE, UPDATE, DELETE, reads."""

from .grammar import quoted
from .inserts import Inserts
from .schema import SEEDED, TABLES, names


class Changes(Inserts):
    # WITH chains

    _CHAINS = ["serial", "serial", "key", "three", "two parents", "text", "update"]

    def chain(self, extended=False):
        """Parent and child in one statement, the child fed by what the parent returns; or three levels."""
        values, form = self.values(extended), self.pick(self._CHAINS)
        return self.done(f"chain {form}", self.chain_of(form, values), values)

    def chain_of(self, form, values):
        returning = {name: self.returning(TABLES[name], drawn=form == "two parents")
                     for name in ("line_items", "parcels", "books", "notes")}
        if form == "text":
            code = quoted(self.new_key(TABLES["shelves"])[0])
            return (f"WITH~s~AS~(INSERT~INTO~shelves~(code,~store_id)~VALUES~({code},~{self.tenant()})~RETURNING~code)~"
                    f"INSERT~INTO~books~(code,~title)~SELECT~code,~'t' || code~FROM~s{returning['books']}")
        if form == "key":
            # A's trigger cannot see a parent that the same statement inserts without feeding the child.
            key, tenant = self.new_key(TABLES["orders"])[0], self.tenant()
            return (f"WITH~o~AS~(INSERT~INTO~orders~(order_id,~store_id)~VALUES~({key},~{tenant}))~"
                    f"INSERT~INTO~line_items~(order_id,~quantity‹, store_id¦›)~VALUES~({key},~3‹, {tenant}¦›)~"
                    f"RETURNING~order_id,~store_id")
        if form == "update":
            key = values.spell("bigint", self.existing_key(TABLES["orders"])[0], True)
            return (f"WITH~o~AS~(UPDATE~orders~SET~status~=~'x'~WHERE~order_id~=~{key}~RETURNING~order_id)~"
                    f"INSERT~INTO~notes~(order_no,~body)~SELECT~order_id,~'n'~FROM~o{returning['notes']}")
        if form == "two parents":
            return (f"WITH~o~AS~(INSERT~INTO~orders~(store_id,~status)~VALUES~({self.tenant()},~'a'),~({self.tenant()},~'b')~"
                    f"RETURNING~*)~INSERT~INTO~line_items~(quantity,~order_id)~SELECT~1,~o.order_id~FROM~o~"
                    f"ORDER~BY~o.order_id{returning['line_items']}")
        column, key = ("order_id,~", f"{self.new_key(TABLES['orders'])[0]},~") if self.explicit_keys else ("", "")
        order = (f"WITH~o~AS~(INSERT~INTO~orders~({column}store_id,~status)~VALUES~({key}{self.tenant()},~"
                 f"{values.spell('text', 'chained', True)})~RETURNING~order_id)")
        if form == "three":
            return (f"{order},~l~AS~(INSERT~INTO~line_items~(order_id,~quantity)~SELECT~order_id,~2~FROM~o~"
                    f"RETURNING~line_item_id)~INSERT~INTO~parcels~(line_item_id,~weight)~SELECT~line_item_id,~1.5~"
                    f"FROM~l{returning['parcels']}")
        return f"{order}~INSERT~INTO~line_items~(order_id)~SELECT~order_id~FROM~o{returning['line_items']}"

    # MERGE

    def merge(self, extended=False):
        """From a row of values, or from the parent."""
        table = self.child("line_items", "books", "cart_rows", "notes", "parcels")
        parent, values = TABLES[table.parent], self.values(extended, declared=True)
        (pk,), (fk,), last = table.key, table.fk, table.columns[-1][0]
        fk_type = table.type_of(fk)
        fresh = self.distributed or self.chance(0.8)  # Citus would take a key again for another tenant
        key = values.spell("bigint", (self.new_key(table) if fresh else self.existing_key(table))[0], True)
        parent_key = values.spell(fk_type, self.existing_key(parent)[0], True)
        overriding = "~OVERRIDING~SYSTEM~VALUE" if table.identity and self.chance(0.3) else ""
        if self.chance(0.5) and not self.distributed:
            using = f"(SELECT~{key}::bigint~AS~id,~{parent_key}::{fk_type}~AS~fk)~s~ON~t.{pk}~=~s.id"
            guard, insert = "", f"({pk},~{fk}){overriding}~VALUES~(s.id,~s.fk)"
        else:
            using = f"{parent.name}~s~ON~t.{fk}~=~s.{parent.key[0]}~AND~t.{pk}~=~{key}"
            guard = f"~AND~s.{parent.key[0]}~=~{parent_key}"
            insert = f"({fk}){overriding}~VALUES~(s.{parent.key[0]})"
            if fresh and self.chance(0.8):  # a key that is there would be deleted and inserted in the order of a join
                cells = names((key, f"s.{parent.key[0]}", self.some_cell(table, last, values)))
                insert = f"({pk},~{fk},~{last}){overriding}~VALUES~({cells})"
        matched = self.pick(["", "~WHEN~MATCHED~THEN~DO~NOTHING", "~WHEN~MATCHED~THEN~DELETE",
                             f"~WHEN~MATCHED~THEN~UPDATE~SET~{last}~=~{self.some_cell(table, last, values)}"])
        return self.done("merge", f"MERGE~INTO~{self.name(table)}~t~USING~{using}{matched}~"
                                  f"WHEN~NOT~MATCHED{guard}~THEN~INSERT~{insert}", values)

    # UPDATE, DELETE

    def update_plain(self, extended=False):
        table, values = self.child(), self.values(extended)
        last = table.columns[-1][0]
        return self.done("update", f"UPDATE~{self.name(table)}~SET~{last}~=~{self.some_cell(table, last, values)}~"
                                   f"WHERE~{self.where(table, values)}{self.returning(table)}", values)

    def update_fk(self, extended=False):
        """The foreign key changes, and the tenant with it."""
        table, form = self.child(), self.pick(["plain", "plain", "alias", "row", "from", "select"])
        parent, values = TABLES[table.parent], self.values(extended)
        cells = self.fk_cells(table, self.parent_key(table), values)
        pairs = ",~".join(f"{column}~=~{cell}" for column, cell in zip(table.fk, cells))
        text = f"UPDATE~{self.name(table)}"
        if form == "from":
            pairs = ",~".join(f"{column}~=~p.{key}" for column, key in zip(table.fk, parent.key))
            where = f"{self.where(parent, values, 'p')}~AND~{self.where(table, values, 't')}"
            text += f"~t~SET~{pairs}~FROM~{parent.name}~p~WHERE~{where}"
        elif form == "select":
            query = f"SELECT~{names(parent.key)}~FROM~{parent.name}~WHERE~{self.where(parent, values)}"
            text += f"~SET~({names(table.fk)})~=~({query})~WHERE~{self.where(table, values)}"
        elif form == "row":
            text += f"~SET~({names(table.fk)})~=~ROW({names(cells)})~WHERE~{self.where(table, values)}{self.returning(table)}"
        elif form == "alias":
            text += f"~AS~t~SET~{pairs}~WHERE~{self.where(table, values, 't')}{self.returning(table, 't')}"
        else:
            text += f"~SET~{pairs}~WHERE~{self.where(table, values)}{self.returning(table)}"
        return self.done(f"update of the foreign key {form}", text, values)

    def update_tenant_itself(self, extended=False):
        """The tenant is set to what it is."""
        table, values = TABLES[self.pick(list(TABLES))], self.values(extended)
        if self.chance(0.6):
            tail = f"store_id~WHERE~{self.where(table, values)}{self.returning(table)}"
        else:
            n = self.rng.randint(1, SEEDED)
            tenant = quoted(self.seeds.tenant(n))
            tail = f"{tenant}~WHERE~{self.where(table, values, key=self.seeds.key(table, n))}~AND~store_id~=~{tenant}"
        return self.done("update of the tenant to itself", f"UPDATE~{self.name(table)}~SET~store_id~=~{tail}", values)

    def update_parent_tenant(self, extended=False):
        """A parent moves to another tenant, and all that hangs on it with it."""
        table, values = TABLES[self.pick(["orders", "orders", "shelves", "carts", "regions"])], self.values(extended)
        last, tenant = table.columns[-1][0], self.tenant()
        if self.seeds.tenants[0].isalnum() and self.chance(0.3):  # there is no max(uuid)
            tenant = f"(SELECT~max(store_id)~FROM~stores~WHERE~store_id~=~{tenant})"
        more = f",~{last}~=~{self.some_cell(table, last, values)}" if self.chance(0.3) else ""
        return self.done("update of the parent's tenant", f"UPDATE~{self.name(table)}~SET~store_id~=~{tenant}{more}~"
                                                          f"WHERE~{self.where(table, values)}{self.returning(table)}", values)

    def delete(self, extended=False):
        table, values = self.child(), self.values(extended)
        return self.done("delete", f"DELETE~FROM~{self.name(table)}~WHERE~{self.where(table, values)}"
                                   f"{self.returning(table)}", values)

    # Reads

    def read(self, extended=False):
        table, values = self.child(), self.values(extended)
        form = self.pick(["count", "row", "currval"] + ([] if self.distributed else ["join"]))
        if form == "count":
            text = f"SELECT~store_id,~count(*)~FROM~{table.name}~GROUP~BY~1~ORDER~BY~1"
        elif form == "join":
            on = "~AND~".join(f"c.{column}~=~p.{key}" for column, key in zip(table.fk, TABLES[table.parent].key))
            text = (f"SELECT~p.store_id,~c.*~FROM~{table.name}~c~JOIN~{table.parent}~p~ON~{on}~"
                    f"WHERE~p.store_id~=~{self.tenant()}~ORDER~BY~c.{table.key[0]}")
        elif form == "row":
            text = f"SELECT~*~FROM~{table.name}~WHERE~{self.where(table, values)}~ORDER~BY~1"
        else:
            text = "SELECT~nextval('aux_seq'),~currval('aux_seq'),~lastval()"
        return self.done("read", text, values)
