SELECT * FROM invoices WHERE company = '5';
--> single-tenant

SELECT * FROM invoices WHERE '5' = company;
--> single-tenant

SELECT * FROM invoices WHERE company = '5'::text;
--> single-tenant

SELECT * FROM invoices WHERE company = '5'::varchar;
--> single-tenant

SELECT * FROM invoices WHERE company = '5'::varchar(10);
--> single-tenant

SELECT * FROM invoices WHERE company = '5'::char(3);
--> single-tenant

SELECT * FROM invoices WHERE company = '5'::name;
--> single-tenant

SELECT * FROM invoices WHERE company::text = '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company::text = '5'::text;
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company::varchar = '5';
--> single-tenant

SELECT * FROM invoices WHERE company::varchar(40) = '5';
--> single-tenant

SELECT * FROM invoices WHERE company::varchar(10) = '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company::char(3) = '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company = $1;
--> single-tenant

SELECT * FROM invoices WHERE company = $1::text;
--> single-tenant

SELECT * FROM invoices WHERE company = $1::varchar;
--> single-tenant

SELECT * FROM invoices WHERE company::text = $1;
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company = 'a' || 'b';
--> single-tenant

SELECT * FROM invoices WHERE company = lower('ABC');
--> single-tenant

SELECT * FROM invoices WHERE company = upper($1);
--> single-tenant

SELECT * FROM invoices WHERE company = concat('a', 'b');
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company = trim(' 5 ');
--> single-tenant

SELECT * FROM invoices WHERE company = 5::text;
--> single-tenant

SELECT * FROM invoices WHERE company = current_user;
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company = current_setting('server_version');
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE lower(company) = '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE lower(company) = lower('5');
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE trim(company) = '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company || '' = '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company LIKE '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company LIKE '5%';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company ILIKE '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company ~ '^5$';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company SIMILAR TO '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company COLLATE "C" = '5';
--> single-tenant

SELECT * FROM invoices WHERE company = '5' COLLATE "C";
--> single-tenant

SELECT * FROM invoices WHERE company IN ('5');
--> single-tenant

SELECT * FROM invoices WHERE company IN ('5', '5');
--> single-tenant

SELECT * FROM invoices WHERE company IN ('5', '6');
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company = ANY ('{5}');
--> single-tenant

SELECT * FROM invoices WHERE company = ANY (ARRAY['5']);
--> single-tenant

SELECT * FROM invoices WHERE company = ANY (ARRAY['5']::text[]);
--> single-tenant

SELECT * FROM invoices WHERE company::text = ANY (ARRAY['5']::text[]);
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company::text = ANY ((ARRAY['5'::character varying])::text[]);
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company::text = ANY ((ARRAY['5'::character varying, '6'::character varying])::text[]);
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company = '5' OR company = '5';
--> single-tenant

SELECT * FROM invoices WHERE company = '5' OR company = '6';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE company = '';
--> single-tenant

SELECT * FROM invoices WHERE company = '5 ';
--> single-tenant

SELECT * FROM invoices WHERE company = '5' AND company = '5 ';
--> single-tenant

SELECT * FROM invoices WHERE company = E'\065';
--> single-tenant

SELECT * FROM invoices WHERE company = customer AND customer = '5';
--> single-tenant

SELECT * FROM invoices WHERE (company, number) = ('5', 7);
--> single-tenant

SELECT * FROM invoices WHERE company BETWEEN '5' AND '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE NOT company <> '5';
--> single-tenant

SELECT * FROM invoices WHERE company IS NOT DISTINCT FROM '5';
--> multi-tenant public.invoices

SELECT * FROM invoices WHERE starts_with(company, '5');
--> multi-tenant public.invoices

SELECT * FROM invoices i JOIN payments p ON p.company = i.company AND p.number = i.number WHERE i.company = '5';
--> single-tenant

SELECT * FROM invoices i JOIN payments p ON p.company = i.company AND p.number = i.number WHERE i.company = '5'::text;
--> single-tenant

SELECT * FROM invoices i JOIN payments p ON p.company::text = i.company::text AND p.number = i.number WHERE i.company::text = '5'::text;
--> refused public.invoices public.payments: the query contains a join that requires repartitioning

SELECT * FROM invoices i JOIN payments p ON p.number = i.number WHERE i.company = '5' AND p.company = '5';
--> single-tenant

SELECT * FROM invoices i JOIN payments p ON p.number = i.number WHERE i.company = '5' AND p.company = '5'::text;
--> single-tenant

SELECT * FROM invoices i JOIN payments p ON p.number = i.number WHERE i.company = '5';
--> refused public.payments: the query contains a join that requires repartitioning

SELECT * FROM invoices i JOIN payments p ON lower(p.company) = lower(i.company) WHERE i.company = '5';
--> refused public.payments: complex joins are only supported when all distributed tables are joined on their distribution columns with equal operator

SELECT * FROM invoices i JOIN payments p USING (company, number) WHERE company = '5';
--> single-tenant

SELECT * FROM invoices i LEFT JOIN payments p USING (company, number) WHERE company = '5';
--> single-tenant

SELECT * FROM invoices i JOIN (VALUES ('5')) v (c) ON v.c = i.company;
--> single-tenant

SELECT * FROM invoices i JOIN (SELECT '5'::text AS c) v ON v.c = i.company;
--> single-tenant

SELECT company, count(*) FROM invoices GROUP BY company HAVING company = '5';
--> single-tenant

INSERT INTO invoices (company, number) VALUES ('5', 100);
--> single-tenant

INSERT INTO invoices (company, number) VALUES ($1, $2);
--> single-tenant

INSERT INTO invoices (company, number) VALUES (lower('ABC'), 101);
--> single-tenant

INSERT INTO invoices (company, number) VALUES ('a' || 'b', 102);
--> single-tenant

INSERT INTO invoices (company, number) VALUES ('5', 103), ('5'::text, 104);
--> single-tenant

INSERT INTO invoices (company, number) VALUES ('5', 105), ('6', 106);
--> multi-tenant public.invoices

INSERT INTO payments (company, payment_id) SELECT company, number + 100 FROM invoices WHERE company = '5';
--> single-tenant

UPDATE invoices SET amount = 1 WHERE company = '5'::text;
--> single-tenant

UPDATE invoices SET company = '5' WHERE company = '5';
--> single-tenant

UPDATE invoices SET company = '5 ' WHERE company = '5';
--> refused public.invoices: modifying the partition value of rows is not allowed

DELETE FROM payments WHERE company = upper('5');
--> single-tenant
