-- Types of the API.

CREATE TYPE order_ext.result AS (
	id bigint,
	status text,
	version integer,
	disposition text,
	detail jsonb
);

CREATE TYPE order_ext.message AS (
	id bigint,
	topic text,
	key bigint,
	payload jsonb,
	attempt integer,
	published_at timestamptz
);
