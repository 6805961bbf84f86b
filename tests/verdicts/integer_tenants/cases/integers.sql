SELECT * FROM visits WHERE shop_id = 5;
--> single-tenant

SELECT * FROM visits WHERE shop_id = '5';
--> single-tenant

SELECT * FROM visits WHERE shop_id = 5::bigint;
--> single-tenant

SELECT * FROM visits WHERE shop_id = 5::smallint;
--> single-tenant

SELECT * FROM visits WHERE shop_id = 5::numeric;
--> single-tenant

SELECT * FROM visits WHERE shop_id = 5.0;
--> single-tenant

SELECT * FROM visits WHERE shop_id = 5::real;
--> single-tenant

SELECT * FROM visits WHERE shop_id = '5'::bigint;
--> single-tenant

SELECT * FROM visits WHERE 5::bigint = shop_id;
--> single-tenant

SELECT * FROM visits WHERE shop_id::bigint = 5;
--> multi-tenant public.visits

SELECT * FROM visits WHERE shop_id::bigint = 5::bigint;
--> multi-tenant public.visits

SELECT * FROM visits WHERE shop_id::int = 5;
--> single-tenant

SELECT * FROM visits WHERE shop_id = $1;
--> single-tenant

SELECT * FROM visits WHERE shop_id = $1::bigint;
--> single-tenant

SELECT * FROM visits WHERE shop_id = $1::int;
--> single-tenant

SELECT * FROM visits WHERE shop_id = $1::numeric;
--> single-tenant

SELECT * FROM visits WHERE shop_id = $1::smallint;
--> single-tenant

SELECT * FROM visits WHERE shop_id = length('12345');
--> single-tenant

SELECT * FROM visits WHERE shop_id = 2 + 3::bigint;
--> single-tenant

SELECT * FROM visits WHERE shop_id IN (5);
--> single-tenant

SELECT * FROM visits WHERE shop_id IN (5::bigint);
--> single-tenant

SELECT * FROM visits WHERE shop_id = ANY ('{5}');
--> single-tenant

SELECT * FROM visits WHERE shop_id = ANY ('{5}'::bigint[]);
--> single-tenant

SELECT * FROM visits WHERE shop_id = ANY (ARRAY[5::bigint]);
--> single-tenant

SELECT * FROM visits WHERE shop_id = big_id AND big_id = 5;
--> single-tenant

SELECT * FROM visits WHERE shop_id = small_id AND small_id = 5;
--> single-tenant

SELECT * FROM visits WHERE shop_id = rate AND rate = 5;
--> single-tenant

SELECT * FROM visits WHERE (shop_id, visit_id) = (5, 7);
--> single-tenant

SELECT * FROM visits WHERE (shop_id, visit_id) = (5::bigint, 7);
--> single-tenant

SELECT * FROM visits v JOIN pages p ON p.shop_id = v.shop_id WHERE v.shop_id = 5;
--> single-tenant

SELECT * FROM visits v JOIN pages p ON p.shop_id = v.shop_id WHERE v.shop_id = 5::bigint;
--> single-tenant

SELECT * FROM visits v JOIN pages p ON p.shop_id = v.big_id WHERE v.shop_id = 5 AND v.big_id = 5;
--> single-tenant

SELECT * FROM visits v JOIN pages p ON p.shop_id = v.big_id WHERE v.shop_id = 5;
--> refused public.pages: complex joins are only supported when all distributed tables are joined on their distribution columns with equal operator

SELECT * FROM visits v JOIN pages p ON p.shop_id::bigint = v.shop_id WHERE v.shop_id = 5;
--> refused public.pages: complex joins are only supported when all distributed tables are joined on their distribution columns with equal operator

SELECT * FROM visits v JOIN pages p USING (shop_id, page) WHERE shop_id = 5;
--> single-tenant

SELECT * FROM visits v JOIN (VALUES (5)) x (id) ON x.id = v.shop_id;
--> single-tenant

SELECT * FROM visits v JOIN (VALUES (5::bigint)) x (id) ON x.id = v.shop_id;
--> single-tenant

SELECT * FROM visits v JOIN (SELECT 5::bigint AS id) x ON x.id = v.shop_id;
--> single-tenant

SELECT * FROM visits WHERE shop_id IN (SELECT 5);
--> single-tenant

SELECT * FROM visits WHERE shop_id IN (SELECT 5::bigint);
--> single-tenant

SELECT * FROM visits WHERE NOT (shop_id <> 5);
--> single-tenant

SELECT * FROM visits WHERE NOT (shop_id <> 5::bigint);
--> single-tenant

SELECT * FROM visits WHERE shop_id BETWEEN 5 AND 5;
--> multi-tenant public.visits

INSERT INTO visits (shop_id, visit_id) VALUES (5, 100);
--> single-tenant

INSERT INTO visits (shop_id, visit_id) VALUES ('5', 101);
--> single-tenant

INSERT INTO visits (shop_id, visit_id) VALUES (5.0, 102);
--> single-tenant

INSERT INTO visits (shop_id, visit_id) VALUES ($1, $2);
--> single-tenant

INSERT INTO visits (shop_id, visit_id) VALUES ($1::bigint, $2);
--> single-tenant

INSERT INTO visits (shop_id, visit_id) SELECT shop_id, visit_id + 100 FROM visits WHERE shop_id = 5;
--> single-tenant

INSERT INTO visits (shop_id, visit_id) SELECT big_id, visit_id + 100 FROM visits WHERE shop_id = 5 AND big_id = 5;
--> multi-tenant public.visits

UPDATE visits SET page = 'x' WHERE shop_id = 5::bigint;
--> single-tenant

UPDATE visits SET shop_id = 5 WHERE shop_id = 5;
--> single-tenant

UPDATE visits SET shop_id = 5::bigint WHERE shop_id = 5;
--> single-tenant

DELETE FROM visits WHERE shop_id = 5.0;
--> single-tenant
