-- What Django sends where django-multitenant has put the tenant in.

SELECT "orders"."store_id", "orders"."order_id", "orders"."status" FROM "orders" WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT "orders"."order_id" FROM "orders" WHERE ("orders"."store_id" = 5 AND "orders"."order_id" = 7) LIMIT 21;
--> single-tenant

SELECT "orders"."order_id", "customers"."name" FROM "orders" INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."customer_id" AND ("orders"."store_id" = ("customers"."store_id"))) WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT "orders"."order_id", "customers"."name" FROM "orders" LEFT OUTER JOIN "customers" ON ("orders"."customer_id" = "customers"."customer_id" AND ("orders"."store_id" = "customers"."store_id")) WHERE ("orders"."store_id" = 5 AND "orders"."status" IN ('a', 'b')) ORDER BY "orders"."placed_at" DESC LIMIT 100;
--> single-tenant

SELECT COUNT(*) AS "__count" FROM "orders" WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT (1) AS "a" FROM "orders" WHERE ("orders"."store_id" = 5 AND "orders"."status" = 'paid') LIMIT 1;
--> single-tenant

SELECT "orders"."status", COUNT("orders"."order_id") AS "n" FROM "orders" WHERE "orders"."store_id" = 5 GROUP BY "orders"."status" ORDER BY "n" DESC;
--> single-tenant

SELECT "orders"."order_id", COUNT("line_items"."line_item_id") AS "n" FROM "orders" LEFT OUTER JOIN "line_items" ON ("orders"."order_id" = "line_items"."order_id" AND ("orders"."store_id" = "line_items"."store_id")) WHERE "orders"."store_id" = 5 GROUP BY "orders"."store_id", "orders"."order_id" HAVING COUNT("line_items"."line_item_id") > 1;
--> single-tenant

SELECT COUNT(*) FROM (SELECT "orders"."order_id" AS "col1" FROM "orders" WHERE "orders"."store_id" = 5 GROUP BY 1) "__col1";
--> single-tenant

SELECT "orders"."order_id", (SELECT U0."price" FROM "line_items" U0 WHERE (U0."store_id" = 5 AND U0."order_id" = "orders"."order_id") ORDER BY U0."price" DESC LIMIT 1) AS "dearest" FROM "orders" WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT "orders"."order_id", EXISTS(SELECT 1 AS "a" FROM "line_items" U0 WHERE (U0."store_id" = 5 AND U0."order_id" = ("orders"."order_id")) LIMIT 1) AS "has_items" FROM "orders" WHERE "orders"."store_id" = 5;
--> single-tenant

SELECT "orders"."order_id" FROM "orders" WHERE ("orders"."store_id" = 5 AND NOT (EXISTS(SELECT 1 AS "a" FROM "line_items" U1 WHERE (U1."store_id" = 5 AND U1."quantity" > 1 AND U1."order_id" = ("orders"."order_id")) LIMIT 1)));
--> single-tenant

SELECT "orders"."order_id" FROM "orders" WHERE ("orders"."store_id" = 5 AND "orders"."customer_id" IN (SELECT U0."customer_id" FROM "customers" U0 WHERE (U0."store_id" = 5 AND U0."email" LIKE '%@example.com')));
--> single-tenant

SELECT "line_items"."line_item_id" FROM "line_items" WHERE ("line_items"."store_id" = 5 AND "line_items"."order_id" IN (1, 2, 3));
--> single-tenant

SELECT "orders"."order_id" FROM "orders" WHERE ("orders"."store_id" = 5 AND NOT ("orders"."customer_id" IS NULL));
--> single-tenant

SELECT "orders"."order_id" FROM "orders" WHERE "orders"."store_id" IN (5);
--> single-tenant

SELECT "orders"."order_id" FROM "orders" WHERE "orders"."store_id" IN (5, 6);
--> multi-tenant public.orders

SELECT "orders"."order_id" FROM "orders" WHERE ("orders"."store_id" = 5 AND "orders"."order_id" = 5) FOR UPDATE;
--> single-tenant

INSERT INTO "orders" ("store_id", "order_id", "status") VALUES (5, 2000, 'new') RETURNING "orders"."order_id";
--> single-tenant

INSERT INTO "orders" ("store_id", "order_id", "status") VALUES (5, 2001, 'new'), (5, 2002, 'new') RETURNING "orders"."order_id";
--> single-tenant

UPDATE "orders" SET "status" = 'paid' WHERE ("orders"."store_id" = 5 AND "orders"."order_id" = 7);
--> single-tenant

UPDATE "orders" SET "total" = ("orders"."total" + 1) WHERE "orders"."store_id" = 5;
--> single-tenant

UPDATE "orders" SET "status" = CASE WHEN ("orders"."order_id" = 1) THEN 'a' WHEN ("orders"."order_id" = 2) THEN 'b' ELSE NULL END WHERE ("orders"."store_id" = 5 AND "orders"."order_id" IN (1, 2));
--> single-tenant

UPDATE "orders" SET "status" = 'x' WHERE "orders"."order_id" IN (SELECT U0."order_id" FROM "orders" U0 INNER JOIN "customers" U1 ON (U0."customer_id" = U1."customer_id" AND (U0."store_id" = U1."store_id")) WHERE (U0."store_id" = 5 AND U1."name" = 'x')) AND "orders"."store_id" = 5;
--> single-tenant

DELETE FROM "line_items" WHERE ("line_items"."store_id" = 5 AND "line_items"."line_item_id" IN (7, 8));
--> single-tenant

-- What it sends where no tenant is set, or where the package does not look: raw(), cursors, plain foreign keys, many-to-many, bulk_create.

SELECT "orders"."order_id" FROM "orders" WHERE "orders"."order_id" = 7 LIMIT 21;
--> multi-tenant public.orders

SELECT "orders"."order_id" FROM "orders";
--> multi-tenant public.orders

SELECT "orders"."order_id", "customers"."name" FROM "orders" INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."customer_id") WHERE "orders"."store_id" = 5;
--> refused public.customers: the query contains a join that requires repartitioning

SELECT "orders"."order_id", "customers"."name" FROM "orders" LEFT OUTER JOIN "customers" ON ("orders"."customer_id" = "customers"."customer_id") WHERE "orders"."store_id" = 5;
--> refused public.customers: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT "line_items"."line_item_id" FROM "line_items" INNER JOIN "orders" ON ("line_items"."order_id" = "orders"."order_id") INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."customer_id") WHERE ("line_items"."store_id" = 5 AND "customers"."email" = 'x');
--> refused public.orders public.customers: the query contains a join that requires repartitioning

SELECT ("line_items"."order_id") AS "_prefetch_related_val_order_id", "products"."name" FROM "products" INNER JOIN "line_items" ON ("products"."product_id" = "line_items"."product_id") WHERE "line_items"."order_id" IN (7, 8);
--> multi-tenant public.line_items

SELECT "products"."name" FROM "products" INNER JOIN "line_items" ON ("products"."product_id" = "line_items"."product_id") WHERE ("line_items"."store_id" = 5 AND "line_items"."order_id" = 7);
--> single-tenant

SELECT "orders"."order_id" FROM "orders" WHERE ("orders"."store_id" = 5 OR "orders"."status" = 'public');
--> multi-tenant public.orders

SELECT "orders"."order_id", (SELECT U0."price" FROM "line_items" U0 WHERE U0."order_id" = ("orders"."order_id") ORDER BY U0."price" DESC LIMIT 1) AS "dearest" FROM "orders" WHERE "orders"."store_id" = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT "orders"."order_id", EXISTS(SELECT 1 AS "a" FROM "line_items" U0 WHERE U0."order_id" = ("orders"."order_id") LIMIT 1) AS "has_items" FROM "orders" WHERE "orders"."store_id" = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT "orders"."order_id" FROM "orders" WHERE ("orders"."store_id" = 5 AND "orders"."customer_id" IN (SELECT U0."customer_id" FROM "customers" U0 WHERE U0."email" LIKE '%@example.com'));
--> multi-tenant public.customers

SELECT * FROM orders WHERE status = 'paid' AND placed_at > now() - interval '7 days';
--> multi-tenant public.orders

INSERT INTO "orders" ("order_id", "status") VALUES (2003, 'new'), (2004, 'new') RETURNING "orders"."order_id";
--> refused public.orders: cannot perform an INSERT without a partition column value

INSERT INTO "orders" ("store_id", "order_id", "status") VALUES (NULL, 2005, 'new') RETURNING "orders"."order_id";
--> refused public.orders: cannot perform an INSERT with NULL in the partition column

INSERT INTO "orders" ("store_id", "order_id", "status") VALUES (5, 2006, 'new'), (6, 2007, 'new') RETURNING "orders"."order_id";
--> multi-tenant public.orders

INSERT INTO "orders" ("store_id", "order_id", "status") VALUES (5, 2008, 'new') ON CONFLICT("order_id") DO UPDATE SET "status" = EXCLUDED."status";
--> refused: there is no unique or exclusion constraint matching the ON CONFLICT specification

INSERT INTO "line_items" ("order_id", "product_id") VALUES (7, 5) ON CONFLICT DO NOTHING;
--> refused public.line_items: cannot perform an INSERT without a partition column value

UPDATE "orders" SET "status" = 'paid' WHERE "orders"."order_id" = 7;
--> multi-tenant public.orders

UPDATE "orders" SET "store_id" = 5, "status" = 'paid' WHERE "orders"."order_id" = 7;
--> refused public.orders: modifying the partition value of rows is not allowed

UPDATE "orders" SET "store_id" = 5, "status" = 'paid' WHERE ("orders"."store_id" = 5 AND "orders"."order_id" = 7);
--> single-tenant

UPDATE "orders" SET "status" = 'x' WHERE "orders"."order_id" IN (SELECT U0."order_id" FROM "orders" U0 INNER JOIN "customers" U1 ON (U0."customer_id" = U1."customer_id") WHERE U1."name" = 'x');
--> refused public.orders public.customers: the query contains a join that requires repartitioning

DELETE FROM "line_items" WHERE "line_items"."line_item_id" IN (7);
--> multi-tenant public.line_items

DELETE FROM "line_items" WHERE "line_items"."order_id" IN (7, 8);
--> multi-tenant public.line_items

DELETE FROM "customers" WHERE ("customers"."store_id" = 5 AND "customers"."customer_id" IN (70));
--> single-tenant

SELECT SUM("line_items"."price") AS "sum" FROM "line_items" WHERE "line_items"."quantity" > 1;
--> multi-tenant public.line_items
