-- What handlers write to, in every database.
CREATE TABLE public.target (
	id bigint PRIMARY KEY,
	hits bigint NOT NULL DEFAULT 0,
	last bigint
) WITH (fillfactor = 50);
INSERT INTO public.target (id) SELECT generate_series(0, 20000);

-- When a message was committed (or due), and when its handler ran.
CREATE TABLE public.sent (n bigint NOT NULL, at timestamptz NOT NULL);
CREATE TABLE public.effects (n bigint NOT NULL, at timestamptz NOT NULL);

-- How many messages a handler got at once.
CREATE TABLE public.batches (messages bigint NOT NULL);

-- Where a measuring session leaves its figure.
CREATE TABLE public.figures (seconds double precision);
