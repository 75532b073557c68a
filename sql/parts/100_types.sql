-- Types of the API.

CREATE TYPE order_ext.result AS (
	id bigint,
	status text,
	version integer,
	disposition text,
	detail jsonb
);
COMMENT ON TYPE order_ext.result IS 'Answer of a writing call: what it was about, its status and version after the call, what the call did, and facts.';

CREATE TYPE order_ext.message AS (
	id bigint,
	topic text,
	key bigint,
	payload jsonb,
	attempt integer,
	published_at timestamptz
);
COMMENT ON TYPE order_ext.message IS 'What a handler sees of a message.';
