-- The kinds know the new functions.
DROP FUNCTION order_ext_internal.grants();

