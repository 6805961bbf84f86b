-- Tenants whose key is a text, and one of another length where the column repeats it.

CREATE TABLE public.companies (
    company character varying(40) PRIMARY KEY,
    name text
);

CREATE TABLE public.invoices (
    company character varying(40) NOT NULL REFERENCES public.companies (company),
    number bigint NOT NULL,
    customer text,
    amount numeric,
    PRIMARY KEY (company, number)
);

CREATE TABLE public.payments (
    company character varying(40) NOT NULL,
    payment_id bigint NOT NULL,
    number bigint,
    amount numeric,
    PRIMARY KEY (company, payment_id),
    FOREIGN KEY (company, number) REFERENCES public.invoices (company, number)
);
