-- Both sides, through their own calls: a thousand products with stock that never runs out.
-- search_path says which side is meant.
SELECT count(put_product('S-' || i, 'Product ' || i, 1000 + 10 * i))
FROM generate_series(1, 1000) AS i;
SELECT count(adjust_stock('S-' || i, 1000000000)) FROM generate_series(1, 1000) AS i;
