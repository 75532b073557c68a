-- metrics() writes its lines itself.
DROP FUNCTION order_ext_internal.metric_line(text, text[], anyelement);
