-- What ActiveRecord sends where activerecord-multi-tenant has put the tenant in.

SELECT "orders".* FROM "orders" WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT "orders".* FROM "orders" WHERE "orders"."store_id" = 5 ORDER BY "orders"."order_id" ASC LIMIT 1;
--> single-tenant

SELECT "orders".* FROM "orders" WHERE "orders"."store_id" = 5 AND "orders"."order_id" = $1 LIMIT $2;
--> single-tenant

SELECT 1 AS one FROM "orders" WHERE "orders"."store_id" = 5 AND "orders"."status" = $1 LIMIT $2;
--> single-tenant

SELECT COUNT(*) FROM "orders" WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT COUNT(*) FROM (SELECT 1 AS one FROM "orders" WHERE "orders"."store_id" = 5 LIMIT $1) subquery_for_count;
--> single-tenant

SELECT COUNT(DISTINCT "orders"."order_id") FROM "orders" INNER JOIN "line_items" ON "line_items"."order_id" = "orders"."order_id" AND "line_items"."store_id" = "orders"."store_id" WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT "line_items".* FROM "line_items" INNER JOIN "orders" ON "orders"."order_id" = "line_items"."order_id" AND "orders"."store_id" = 5 WHERE "line_items"."store_id" = 5;
--> single-tenant

SELECT "line_items".* FROM "line_items" INNER JOIN "orders" ON "orders"."order_id" = "line_items"."order_id" AND "orders"."store_id" = "line_items"."store_id" WHERE "line_items"."store_id" = 5 AND "orders"."status" = 'paid';
--> single-tenant

SELECT "orders".* FROM "orders" LEFT OUTER JOIN "line_items" ON "line_items"."order_id" = "orders"."order_id" AND "line_items"."store_id" = 5 WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT "orders"."order_id" AS t0_r0, "orders"."store_id" AS t0_r1, "line_items"."line_item_id" AS t1_r0 FROM "orders" LEFT OUTER JOIN "line_items" ON "line_items"."order_id" = "orders"."order_id" AND "orders"."store_id" = "line_items"."store_id" LEFT OUTER JOIN "products" ON "products"."product_id" = "line_items"."product_id" WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT "products".* FROM "products" INNER JOIN "line_items" ON "products"."product_id" = "line_items"."product_id" WHERE "line_items"."store_id" = 5 AND "line_items"."order_id" = $1;
--> single-tenant

SELECT "orders".* FROM "orders" INNER JOIN "line_items" "line_items_orders" ON "line_items_orders"."order_id" = "orders"."order_id" AND "line_items_orders"."store_id" = 5 INNER JOIN "customers" ON "customers"."customer_id" = "orders"."customer_id" AND "customers"."store_id" = 5 WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT "orders".* FROM "orders" WHERE "orders"."store_id" = 5 AND "orders"."order_id" IN (SELECT "line_items"."order_id" FROM "line_items" WHERE "line_items"."store_id" = 5 AND "line_items"."quantity" > 1);
--> single-tenant

SELECT "orders".* FROM "orders" WHERE "orders"."store_id" = 5 AND "orders"."status" IN ('new', 'paid') AND ("orders"."total" BETWEEN 1 AND 100) AND NOT ("orders"."note" IS NULL);
--> single-tenant

SELECT "orders".* FROM "orders" WHERE "orders"."store_id" = 5 AND ("orders"."status" = 'a' OR "orders"."status" = 'b');
--> single-tenant

SELECT "orders"."status", COUNT(*) AS count_all FROM "orders" WHERE "orders"."store_id" = 5 GROUP BY "orders"."status";
--> single-tenant

SELECT DISTINCT "orders"."order_id", "orders"."placed_at" AS alias_0 FROM "orders" LEFT OUTER JOIN "line_items" ON "line_items"."store_id" = 5 AND "line_items"."order_id" = "orders"."order_id" WHERE "orders"."store_id" = 5 ORDER BY "orders"."placed_at" DESC LIMIT $1;
--> single-tenant

SELECT "orders".* FROM "orders" WHERE "orders"."store_id" = 5 AND "orders"."order_id" = 5 LIMIT 1 FOR UPDATE;
--> single-tenant

INSERT INTO "orders" ("store_id", "order_id", "status") VALUES (5, 1000, 'new') RETURNING "order_id";
--> single-tenant

INSERT INTO "orders" ("store_id", "order_id", "status", "placed_at") VALUES ($1, $2, $3, $4) RETURNING "order_id";
--> single-tenant

UPDATE "orders" SET "status" = $1, "updated_at" = $2 WHERE "orders"."order_id" = $3 AND "orders"."store_id" = 5;
--> single-tenant

UPDATE "orders" SET "lock_version" = COALESCE("orders"."lock_version", 0) + 1 WHERE "orders"."order_id" = 7 AND "orders"."store_id" = 5;
--> single-tenant

UPDATE "orders" SET "status" = 'x' WHERE "orders"."order_id" IN (SELECT "orders"."order_id" FROM "orders" INNER JOIN "line_items" ON "line_items"."order_id" = "orders"."order_id" AND "line_items"."store_id" = 5 WHERE "orders"."store_id" = 5) AND "orders"."store_id" = 5;
--> single-tenant

UPDATE "orders" SET "status" = 'x' WHERE "orders"."order_id" IN (SELECT "orders"."order_id" FROM "orders" WHERE "orders"."store_id" = 5 LIMIT 2) AND "orders"."store_id" = 5;
--> single-tenant

DELETE FROM "line_items" WHERE "line_items"."line_item_id" = $1 AND "line_items"."store_id" = 5;
--> single-tenant

DELETE FROM "line_items" WHERE "line_items"."line_item_id" IN (SELECT "line_items"."line_item_id" FROM "line_items" INNER JOIN "orders" ON "orders"."order_id" = "line_items"."order_id" AND "orders"."store_id" = 5 WHERE "line_items"."store_id" = 5) AND "line_items"."store_id" = 5;
--> single-tenant

-- What it sends where no tenant is set, or where the gem does not look: raw SQL, strings in joins, insert_all, CTEs.

SELECT "orders".* FROM "orders" WHERE "orders"."order_id" = $1 LIMIT $2;
--> multi-tenant public.orders

SELECT "orders".* FROM "orders" ORDER BY "orders"."order_id" ASC LIMIT 1000;
--> multi-tenant public.orders

SELECT "orders".* FROM "orders" WHERE "orders"."order_id" IN (1, 2, 3);
--> multi-tenant public.orders

SELECT "line_items".* FROM "line_items" WHERE "line_items"."order_id" = $1;
--> multi-tenant public.line_items

SELECT "line_items".* FROM "line_items" INNER JOIN "orders" ON "orders"."order_id" = "line_items"."order_id" AND "orders"."store_id" = "line_items"."store_id";
--> multi-tenant public.line_items public.orders

SELECT "orders".* FROM "orders" WHERE ("orders"."store_id" = 5 OR "orders"."status" = 'public');
--> multi-tenant public.orders

SELECT "orders".* FROM "orders" WHERE ("orders"."status" = 'paid' OR "orders"."store_id" = 5 AND "orders"."note" IS NULL);
--> multi-tenant public.orders

SELECT "orders".* FROM "orders" WHERE NOT ("orders"."store_id" = 5);
--> multi-tenant public.orders

SELECT "orders".* FROM "orders" LEFT JOIN line_items li ON li.order_id = orders.order_id WHERE "orders"."store_id" = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT "orders".* FROM "orders" INNER JOIN line_items li ON li.order_id = orders.order_id WHERE "orders"."store_id" = 5;
--> refused public.line_items: the query contains a join that requires repartitioning

SELECT "orders".* FROM "orders" INNER JOIN "line_items" ON "line_items"."order_id" = "orders"."order_id" AND "line_items"."store_id" = 5 LEFT JOIN customers c ON c.customer_id = orders.customer_id WHERE "orders"."store_id" = 5;
--> refused public.customers: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT "customers".* FROM "customers" WHERE "customers"."store_id" = 5 AND EXISTS (SELECT 1 FROM orders WHERE orders.customer_id = customers.customer_id);
--> refused public.orders: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT "customers".* FROM "customers" WHERE "customers"."store_id" = 5 AND "customers"."customer_id" NOT IN (SELECT customer_id FROM orders);
--> multi-tenant public.orders

WITH "recent" AS (SELECT "orders".* FROM "orders" WHERE "orders"."placed_at" > '2024-01-01') SELECT "recent".* FROM "recent" WHERE "recent"."status" = 'paid';
--> multi-tenant public.orders

WITH "recent" AS (SELECT "orders".* FROM "orders" WHERE "orders"."placed_at" > '2024-01-01') SELECT "line_items".* FROM "line_items" INNER JOIN "recent" ON "recent"."order_id" = "line_items"."order_id" WHERE "line_items"."store_id" = 5;
--> multi-tenant public.orders

SELECT "orders".* FROM ((SELECT "orders".* FROM "orders" WHERE "orders"."store_id" = 5 AND "orders"."status" = 'a') UNION (SELECT "orders".* FROM "orders" WHERE "orders"."status" = 'b')) "orders";
--> multi-tenant public.orders

INSERT INTO "orders" ("order_id", "status") VALUES (1001, 'a'), (1002, 'b') ON CONFLICT DO NOTHING RETURNING "order_id";
--> refused public.orders: cannot perform an INSERT without a partition column value

INSERT INTO "orders" ("store_id", "order_id", "status") VALUES (5, 1003, 'a'), (5, 1004, 'b') ON CONFLICT DO NOTHING RETURNING "order_id";
--> single-tenant

INSERT INTO "orders" ("store_id", "order_id", "status") VALUES (5, 1003, 'a') ON CONFLICT ("order_id") DO UPDATE SET "status" = excluded."status" RETURNING "order_id";
--> refused: there is no unique or exclusion constraint matching the ON CONFLICT specification

INSERT INTO "orders" ("store_id", "order_id", "status") VALUES (5, 1003, 'a') ON CONFLICT ("store_id", "order_id") DO UPDATE SET updated_at = (CASE WHEN ("orders"."status" IS NOT DISTINCT FROM excluded."status") THEN "orders".updated_at ELSE CURRENT_TIMESTAMP END), "status" = excluded."status" RETURNING "order_id";
--> refused: functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE

UPDATE "orders" SET "status" = $1 WHERE "orders"."order_id" = $2;
--> multi-tenant public.orders

UPDATE "orders" SET "status" = 'x' WHERE "orders"."order_id" IN (SELECT "orders"."order_id" FROM "orders" INNER JOIN "line_items" ON "line_items"."order_id" = "orders"."order_id" WHERE "line_items"."quantity" > 1);
--> refused public.orders public.line_items: the query contains a join that requires repartitioning

UPDATE "customers" SET "name" = 'x' WHERE "customers"."customer_id" = 7;
--> multi-tenant public.customers

DELETE FROM "line_items" WHERE "line_items"."order_id" = $1;
--> multi-tenant public.line_items

DELETE FROM "line_items";
--> multi-tenant public.line_items

SELECT SUM("line_items"."price" * "line_items"."quantity") FROM "line_items";
--> multi-tenant public.line_items

SELECT COUNT(DISTINCT "orders"."customer_id") FROM "orders" WHERE "orders"."status" = 'paid';
--> multi-tenant public.orders

SELECT "orders".* FROM "orders" WHERE "orders"."order_id" = 5 LIMIT 1 FOR UPDATE;
--> refused public.orders: could not run distributed query with FOR UPDATE/SHARE commands

SELECT "stores".* FROM "stores" WHERE "stores"."store_id" = $1 LIMIT $2;
--> single-tenant

SELECT "stores".* FROM "stores" WHERE "stores"."name" = $1 LIMIT $2;
--> multi-tenant public.stores

SELECT "products".* FROM "products" WHERE "products"."sku" = $1 LIMIT $2;
--> no-tenant-table
