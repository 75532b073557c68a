# order_ext.operator, set for a database or a role, is about the calls of sessions: workers have those
# settings, too, and neither they nor their handlers are taken for whom it names.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use Test::More;

my $node = start_node('operator');
$node->safe_psql('postgres', q{ALTER DATABASE postgres SET order_ext.operator = 'Ann'});
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handlers($node, 'postgres');
$node->safe_psql('postgres', q{ALTER ROLE handlers SET order_ext.operator = 'Bo'});
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE seen (operator text);
CREATE FUNCTION look(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.seen VALUES (current_setting('order_ext.operator'));
	PERFORM order_ext.cancel_order(m.key, cancel_type => 'customer_service');
END
$$;
SELECT order_ext.put_product('tea', 'Tea', 100), order_ext.adjust_stock('tea', 5);
SELECT order_ext.create_topic('t');
SELECT order_ext.subscribe('g', 't', 'public.look(order_ext.message)', '{"run_as": "handlers"}');
SELECT * FROM order_ext.create_order(1, '[{"sku": "tea", "quantity": 1}]', 100) \gset
SELECT FROM order_ext.pay_callback(:id, 'T-1', 'card', 100);
SQL
my $steps = "SELECT string_agg(event || ' ' || operator, ', ' ORDER BY n) FROM order_ext.orders_view o,"
  . ' order_ext.order_timeline(o.order_id) WITH ORDINALITY AS l (at, from_status, to_status, event, actor, detail, operator, role, n)'
  . ' WHERE to_status IS NOT NULL';
my $me = $node->safe_psql('postgres', 'SELECT current_user');

wait_sql($node, 'postgres', $steps, "create Ann, pay Ann, fulfil $me", 10, 'the session is Ann, the worker nobody');
$node->safe_psql('postgres', "SELECT order_ext.publish('t', order_id) FROM order_ext.orders_view");
wait_sql($node, 'postgres', $steps, "create Ann, pay Ann, fulfil $me, cancel handlers", 10, 'nor is the handler');
is($node->safe_psql('postgres', "SELECT '[' || operator || ']' FROM seen"), '[]', 'which sees none');

verify_clean($node, 'postgres');
check_log($node);
$node->stop('fast');
done_testing();
