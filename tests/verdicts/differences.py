"""Statements of which lint knowingly says something else than Citus, each with the reason.

It is caution in each case: lint calls them multi-tenant, and where it differs is in what Citus can do all the same, or in
whether Citus refuses them.
"""

DIFFERENCES = {
    "SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND false WHERE o.store_id = 5":
        "Citus refuses it; lint sees as much, that the outer join is planned for all shards, but not the refusal",
    "SELECT * FROM orders WHERE store_id = ANY (string_to_array('5', ',')::bigint[])":
        "the elements that a function makes of a text are not computed",
    "SELECT * FROM orders WHERE (store_id, order_id) = ANY (ARRAY[(5::bigint, 7::bigint)])":
        "it fails on the shards, not in Citus's planner: an array of records cannot be sent",
    "SELECT * FROM customers c WHERE c.store_id = 5 AND EXISTS (SELECT 1 FROM orders o WHERE o.store_id = 5 "
    "AND o.customer_id = c.customer_id AND o.total > ALL (SELECT total FROM archive.orders a WHERE a.store_id "
    "= c.store_id))":
        "two levels of sub-selects depend on a tenant further out, which lint takes for refused",
    "SELECT * FROM invoices WHERE company::varchar(40) = '5'":
        "of the column's own length a cast does nothing; lint does not compare lengths",
    "SELECT * FROM invoices WHERE company COLLATE \"C\" = '5'":
        "a collation changes no equality of texts, but one that is not deterministic does",
    "SELECT * FROM invoices WHERE company = '5' COLLATE \"C\"":
        "a collation changes no equality of texts, but one that is not deterministic does",
}
