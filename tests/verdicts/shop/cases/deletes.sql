-- DELETE, and MERGE.

DELETE FROM orders WHERE store_id = 5 AND order_id = 700;
--> single-tenant

DELETE FROM orders WHERE store_id = $1 AND order_id = $2;
--> single-tenant

DELETE FROM line_items WHERE order_id = 7;
--> multi-tenant public.line_items

DELETE FROM line_items;
--> multi-tenant public.line_items

DELETE FROM line_items WHERE store_id = 5;
--> single-tenant

DELETE FROM line_items AS l WHERE l.store_id = 5 RETURNING l.*;
--> single-tenant

DELETE FROM line_items WHERE store_id = ANY ('{5}');
--> single-tenant

DELETE FROM line_items WHERE store_id = ANY ('{5,6}');
--> multi-tenant public.line_items

DELETE FROM line_items WHERE store_id = 5 AND random() < 0.5;
--> refused: functions used in the WHERE/ON/WHEN clause of modification queries on distributed tables must not be VOLATILE

DELETE FROM line_items WHERE random() < 0.5;
--> refused public.line_items: functions used in the WHERE/ON/WHEN clause of modification queries on distributed tables must not be VOLATILE

DELETE FROM line_items WHERE line_item_id IN (SELECT line_item_id FROM line_items WHERE store_id = 5 LIMIT 10);
--> multi-tenant public.line_items

DELETE FROM line_items WHERE store_id = 5 AND line_item_id IN (SELECT line_item_id FROM line_items WHERE store_id = 5 ORDER BY line_item_id LIMIT 10);
--> single-tenant

DELETE FROM line_items WHERE store_id = 5 AND ctid IN (SELECT ctid FROM line_items WHERE store_id = 5 LIMIT 10);
--> single-tenant

DELETE FROM line_items l USING orders o WHERE o.store_id = l.store_id AND o.order_id = l.order_id AND l.store_id = 5;
--> single-tenant

DELETE FROM line_items l USING orders o WHERE o.store_id = l.store_id AND o.order_id = l.order_id AND o.store_id = 5 AND o.status = 'new';
--> single-tenant

DELETE FROM line_items l USING orders o WHERE o.order_id = l.order_id AND o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

DELETE FROM line_items l USING orders o WHERE o.order_id = l.order_id AND l.store_id = 5;
--> refused public.orders: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

DELETE FROM line_items l USING orders o WHERE o.store_id = l.store_id AND o.order_id = l.order_id;
--> multi-tenant public.line_items public.orders

DELETE FROM line_items l USING orders o WHERE o.order_id = l.order_id AND o.status = 'new';
--> refused public.line_items public.orders: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

DELETE FROM line_items l USING products p WHERE p.product_id = l.product_id AND l.store_id = 5;
--> single-tenant

DELETE FROM line_items l USING settings s WHERE s.key = l.order_id::text AND l.store_id = 5;
--> single-tenant

DELETE FROM line_items WHERE store_id = 5 AND EXISTS (SELECT 1 FROM orders o WHERE o.store_id = line_items.store_id AND o.order_id = line_items.order_id AND o.status = 'new');
--> single-tenant

DELETE FROM line_items WHERE EXISTS (SELECT 1 FROM orders o WHERE o.order_id = line_items.order_id AND o.store_id = 5);
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

DELETE FROM line_items WHERE store_id = 5 AND order_id NOT IN (SELECT order_id FROM orders WHERE store_id = 5);
--> single-tenant

DELETE FROM job_log WHERE logged_at < now();
--> no-tenant-table

DELETE FROM job_log USING orders o WHERE o.store_id = 5 AND o.order_id = job_log.id;
--> single-tenant

DELETE FROM job_log WHERE id IN (SELECT order_id FROM orders WHERE store_id = 5);
--> single-tenant

DELETE FROM job_log WHERE id IN (SELECT order_id FROM orders);
--> multi-tenant public.orders

DELETE FROM countries WHERE code = 'xx';
--> no-tenant-table

MERGE INTO orders t USING archive.orders s ON t.store_id = s.store_id AND t.order_id = s.order_id AND t.store_id = 5 WHEN MATCHED THEN UPDATE SET status = s.status;
--> single-tenant

MERGE INTO orders t USING (SELECT * FROM archive.orders WHERE store_id = 5) s ON t.store_id = s.store_id AND t.order_id = s.order_id WHEN MATCHED THEN UPDATE SET status = s.status WHEN NOT MATCHED THEN INSERT (store_id, order_id, status) VALUES (s.store_id, s.order_id, s.status);
--> refused: non-IMMUTABLE functions are not yet supported in MERGE sql with distributed tables

MERGE INTO orders t USING (SELECT * FROM archive.orders WHERE store_id = 5) s ON t.store_id = s.store_id AND t.store_id = 5 AND t.order_id = s.order_id WHEN MATCHED THEN UPDATE SET status = s.status WHEN NOT MATCHED THEN INSERT (store_id, order_id, status) VALUES (s.store_id, s.order_id, s.status);
--> refused: non-IMMUTABLE functions are not yet supported in MERGE sql with distributed tables

MERGE INTO orders t USING archive.orders s ON t.store_id = s.store_id AND t.order_id = s.order_id WHEN MATCHED THEN UPDATE SET status = s.status;
--> multi-tenant archive.orders public.orders

MERGE INTO orders t USING archive.orders s ON t.order_id = s.order_id WHEN MATCHED THEN DELETE;
--> refused archive.orders public.orders: The required join operation is missing between the target's distribution column and any expression originating from the source. The issue may arise from a non-equi-join.

MERGE INTO orders t USING (VALUES (5::bigint, 7::bigint, 'paid')) s (store_id, order_id, status) ON t.store_id = s.store_id AND t.order_id = s.order_id WHEN MATCHED THEN UPDATE SET status = s.status;
--> refused public.orders: To MERGE into a distributed table, source must be Citus table(s)

MERGE INTO settings t USING (VALUES ('a', 'b')) s (key, value) ON t.key = s.key WHEN MATCHED THEN UPDATE SET value = s.value WHEN NOT MATCHED THEN INSERT VALUES (s.key, s.value);
--> no-tenant-table

MERGE INTO orders t USING settings s ON t.status = s.key AND t.store_id = 5 WHEN MATCHED THEN DELETE;
--> refused public.orders: MERGE INTO an distributed table from Postgres table is not yet supported

MERGE INTO orders t USING products s ON t.order_id = s.product_id AND t.store_id = 5 WHEN MATCHED THEN UPDATE SET note = s.name;
--> refused public.orders: The required join operation is missing between the target's distribution column and any expression originating from the source. The issue may arise from a non-equi-join.
