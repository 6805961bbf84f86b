-- Tenants whose key is an integer: constants of other types are compared with it by other operators.

CREATE TABLE public.shops (
    shop_id integer PRIMARY KEY,
    name text
);

CREATE TABLE public.visits (
    shop_id integer NOT NULL REFERENCES public.shops (shop_id),
    visit_id bigint NOT NULL,
    page text,
    big_id bigint,
    small_id smallint,
    rate numeric,
    PRIMARY KEY (shop_id, visit_id)
);

CREATE TABLE public.pages (
    shop_id integer NOT NULL,
    page text NOT NULL,
    title text,
    PRIMARY KEY (shop_id, page)
);
