-- What a name means: quotes, schemas, aliases that hide a table, columns of the same name.

SELECT * FROM "orders" WHERE "store_id" = 5;
--> single-tenant

SELECT * FROM ORDERS WHERE STORE_ID = 5;
--> single-tenant

SELECT * FROM "public"."orders" WHERE "public"."orders"."store_id" = 5;
--> single-tenant

SELECT * FROM "OrderNotes" WHERE store_id = 5;
--> single-tenant

SELECT * FROM "OrderNotes" n WHERE n."orderId" = 5;
--> multi-tenant public."OrderNotes"

SELECT * FROM public."OrderNotes" WHERE "NoteId" = 5;
--> multi-tenant public."OrderNotes"

SELECT * FROM "OrderNotes" n JOIN orders o ON o.order_id = n."orderId" AND o.store_id = n.store_id WHERE n.store_id = 5;
--> single-tenant

SELECT * FROM "OrderNotes" n JOIN orders o ON o.order_id = n."orderId" WHERE n.store_id = 5;
--> refused public.orders: the query contains a join that requires repartitioning

SELECT "Body Text" FROM "OrderNotes" "Orders" WHERE "Orders".store_id = 5;
--> single-tenant

SELECT * FROM archive.orders WHERE store_id = 5;
--> single-tenant

SELECT * FROM archive.orders WHERE orders.store_id = 5;
--> single-tenant

SELECT * FROM archive.orders WHERE archive.orders.order_id = 5;
--> multi-tenant archive.orders

SELECT * FROM archive.orders, public.orders WHERE archive.orders.store_id = 5 AND public.orders.store_id = 5;
--> single-tenant

SELECT * FROM archive.orders, public.orders WHERE archive.orders.store_id = 5 AND archive.orders.store_id = public.orders.store_id;
--> single-tenant

SELECT * FROM archive.orders, public.orders WHERE archive.orders.store_id = 5 AND archive.orders.order_id = public.orders.order_id;
--> refused public.orders: the query contains a join that requires repartitioning

SELECT * FROM orders line_items WHERE line_items.store_id = 5;
--> single-tenant

SELECT * FROM orders line_items JOIN line_items orders ON orders.order_id = line_items.order_id WHERE orders.store_id = 5 AND line_items.store_id = 5;
--> single-tenant

SELECT * FROM orders line_items JOIN line_items orders ON orders.order_id = line_items.order_id WHERE orders.store_id = 5;
--> refused public.orders: the query contains a join that requires repartitioning

SELECT * FROM settings orders WHERE orders.key = '5';
--> no-tenant-table

SELECT * FROM orders settings WHERE settings.store_id = 5;
--> single-tenant

SELECT * FROM orders settings;
--> multi-tenant public.orders

SELECT * FROM orders AS o (a, b, c) WHERE a = 5;
--> single-tenant

SELECT * FROM orders AS o (a, store_id, c) WHERE store_id = 5;
--> multi-tenant public.orders

SELECT * FROM orders AS o (order_id, store_id) WHERE order_id = 5;
--> single-tenant

SELECT * FROM (SELECT 5 AS store_id) orders;
--> no-tenant-table

SELECT * FROM (SELECT 5 AS store_id) x, orders WHERE x.store_id = orders.store_id;
--> single-tenant

SELECT * FROM (SELECT 5 AS store_id) x, orders WHERE x.store_id = 5;
--> multi-tenant public.orders

SELECT store_id AS order_id FROM orders WHERE order_id = 5;
--> multi-tenant public.orders

SELECT order_id AS store_id FROM orders WHERE store_id = 5;
--> single-tenant

SELECT order_id AS store_id FROM orders ORDER BY store_id;
--> multi-tenant public.orders

SELECT order_id AS store_id, count(*) FROM orders GROUP BY 1 HAVING order_id = 5;
--> multi-tenant public.orders

SELECT o.* FROM orders o WHERE store_id = 5 AND order_id IN (SELECT order_id FROM settings WHERE key = 'theme');
--> refused: direct joins between distributed and local tables are not supported

SELECT * FROM orders WHERE store_id = 5 AND order_id IN (SELECT o.order_id FROM orders o WHERE o.store_id = orders.store_id);
--> multi-tenant public.orders

SELECT * FROM orders o WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM line_items WHERE store_id = o.store_id);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND EXISTS (SELECT 1 FROM line_items WHERE store_id = store_id);
--> multi-tenant public.line_items

SELECT * FROM orders o WHERE EXISTS (SELECT 1 FROM settings WHERE store_id = 5);
--> refused: direct joins between distributed and local tables are not supported

SELECT * FROM orders WHERE status = 'store_id = 5';
--> multi-tenant public.orders

SELECT * FROM orders /* WHERE store_id = 5 */;
--> multi-tenant public.orders

SELECT * FROM orders -- WHERE store_id = 5
;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id /* the tenant */ = /* is */ 5;
--> single-tenant

/* a comment ahead */ SELECT * FROM orders WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 /*tenant='6'*/;
--> single-tenant

select*from orders o where o.store_id=5 and(o.order_id)=7;
--> single-tenant

SELECT * FROM orders WHERE store_id = U&'\0035';
--> single-tenant

SELECT * FROM orders WHERE store_id = E'5';
--> single-tenant

SELECT * FROM orders WHERE store_id = $$5$$;
--> single-tenant

SELECT * FROM orders WHERE store_id = 0005;
--> single-tenant

SELECT * FROM orders WHERE store_id = +5;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5e0;
--> single-tenant

SELECT * FROM orders WHERE store_id = ' 5 ';
--> single-tenant
