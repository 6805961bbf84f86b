-- Devices and what they report: each device is a tenant, their types are shared.
CREATE TABLE device_types (
    device_type_id int PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE devices (
    device_id serial PRIMARY KEY,
    device_type_id int REFERENCES device_types (device_type_id),
    name text NOT NULL
);

CREATE TABLE events (
    event_id serial PRIMARY KEY,
    device_id int REFERENCES devices (device_id),
    payload jsonb
);
