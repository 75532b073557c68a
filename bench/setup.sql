-- Both sides, through their own calls: a thousand products with stock that never runs out.
-- search_path says which side is meant.
SELECT count(put_product('S-' || i, 'Product ' || i, 1000 + 10 * i))
FROM generate_series(1, 1000) AS i;
SELECT count(adjust_stock('S-' || i, 1000000000)) FROM generate_series(1, 1000) AS i;

-- What the drain's handlers update.
CREATE TABLE public.target (
	id bigint PRIMARY KEY,
	hits bigint NOT NULL DEFAULT 0,
	last bigint
) WITH (fillfactor = 50);
INSERT INTO public.target (id) SELECT generate_series(0, 20000);

-- Where a measuring session leaves its figure.
CREATE TABLE public.figures (seconds double precision);
