// Orders: newest first, and the whole life of one.
'use strict';

const { explain } = require('../errors');
const { isId } = require('../ids');
const { EXAMINED, PAGE } = require('../paging');

const STATUSES = ['created', 'paid', 'fulfilling', 'out_stock', 'delivering', 'signed', 'refused', 'canceled', 'invalid'];
const FILTERS = ['status', 'user_id', 'sku', 'created_from', 'created_to'];
const MOST = 200;
const SOON_MS = 2000;
const COLUMNS = 'order_id, user_id, status, pay_amount, currency, external_id, created_at, expire_at, paid_at, canceled_at, cancel_type';

// The calls of staff among what allowed_actions says.
const OF_STAFF = ['cancel_order'];

async function life(q, id) {
  const [order] = await q(`SELECT ${COLUMNS}, coupon_id, version, origin_amount, discount_amount, freight_amount, removed_at FROM order_ext.orders_view WHERE order_id = $1`, [id]);
  const payments = await q(`
SELECT payment_id, pay_type, out_trade_no, amount, currency, status, purpose, captured_at, paid_at, created_at, told_order_id, duplicate_of
FROM order_ext.payments_view WHERE order_id = $1 ORDER BY created_at, payment_id LIMIT ${MOST}`, [id]);
  const facts = await q(`
SELECT fact_id, kind, at, entity_id, reason, resolved_at, resolved_by FROM order_ext.held_facts WHERE order_id = $1 ORDER BY fact_id LIMIT ${MOST}`, [id]);
  if (!order) return { order: null, payments, facts };

  const refunds = await q(`
SELECT refund_id, payment_id, cause, amount, currency, status, attempt, requested_at, settled_at, after_sale_id, held, kept, gateway_refund_no
FROM order_ext.refunds_view WHERE order_id = $1 ORDER BY requested_at, refund_id LIMIT ${MOST}`, [id]);
  const items = await q(`
SELECT i.line, i.sku, i.quantity, i.price, i.discount, i.pay, i.reservation, coalesce(b.quantity, 0) AS back
FROM order_ext.order_items_view i
LEFT JOIN (SELECT line, sum(quantity) AS quantity FROM order_ext.after_sale_items_view
  JOIN order_ext.after_sales_view a USING (after_sale_id)
  WHERE after_sale_items_view.order_id = $1 AND a.status NOT IN ('rejected', 'closed', 'revoked') GROUP BY line) b USING (line)
WHERE i.order_id = $1 ORDER BY i.line LIMIT 1000`, [id]);
  const afterSales = await q(`
SELECT after_sale_id, type, status, return_status, amount, reason_kind, applied_at, settled_at, origin, carrier, tracking_no
FROM order_ext.after_sales_view WHERE order_id = $1 ORDER BY applied_at, after_sale_id LIMIT ${MOST}`, [id]);
  const [fulfilment] = await q(`
SELECT status, external, intercept_refused, delivery_order, logistic_order, created_at, out_at, cancel_requested_at, canceled_at
FROM order_ext.fulfilments_view WHERE order_id = $1`, [id]);
  const events = await q(`
SELECT event_id, kind, state, reason, occurred_at, recorded_at FROM order_ext.shipment_events_view WHERE order_id = $1 ORDER BY recorded_at, event_id LIMIT ${MOST}`, [id]);
  const [coupon] = order.coupon_id === null ? [] : await q(`
SELECT coupon_id, status, amount, threshold, order_id, coalesce(currency, $2) AS currency FROM order_ext.coupons_view WHERE coupon_id = $1`, [order.coupon_id, order.currency]);
  const disputes = payments.length === 0 ? [] : await q(`
SELECT payment_id, dispute_no, pay_type, status, amount, currency, opened_at, ended_at FROM order_ext.disputes_view WHERE payment_id = ANY ($1) LIMIT ${MOST}`, [payments.map((p) => p.payment_id)]);
  const stock = await q(`
SELECT sku, at, kind, available_delta, reserved_delta, consumed_delta FROM order_ext.stock_ledger_view WHERE order_id = $1 ORDER BY at LIMIT ${MOST}`, [id]);
  const timeline = await q(`SELECT * FROM order_ext.order_timeline($1) LIMIT 500`, [id]);
  const actions = (await q('SELECT call FROM order_ext.allowed_actions($1) AS call', [id])).map((row) => row.call);
  return { order, payments, facts, refunds, items, afterSales, fulfilment, events, coupon, disputes, stock, timeline, actions };
}

// Its messages, NULL where the log is so long that the page would have to wait for them.
async function messagesOf(q, id, patient) {
  await q('SAVEPOINT messages');
  if (!patient) await q(`SET LOCAL statement_timeout = ${SOON_MS}`);
  try {
    const rows = await q(`
SELECT message_id, topic, consumer_group, state, attempt, published_at, finished_at, error FROM order_ext.message_trace($1) LIMIT 500`, [id]);
    await q('RELEASE messages');
    return rows;
  } catch (error) {
    if (error.code !== '57014' || patient) throw error;
    await q('ROLLBACK TO messages');
    return null;
  }
}

// What came in and what goes back, per currency: more back than in must not be.
function balance({ order, payments, refunds }) {
  const of = new Map();
  const entry = (currency) => {
    if (!of.has(currency)) of.set(currency, { currency, captured: 0n, refunded: 0n, open: 0n });
    return of.get(currency);
  };
  entry(order.currency);
  for (const payment of payments) {
    if (payment.status === 'captured' && payment.purpose !== 'duplicate') entry(payment.currency).captured += BigInt(payment.amount);
  }
  for (const refund of refunds) {
    if (refund.status === 'succeeded') entry(refund.currency).refunded += BigInt(refund.amount);
    else if (refund.status !== 'withdrawn') entry(refund.currency).open += BigInt(refund.amount);
  }
  return [...of.values()].map((sums) => ({
    ...sums, left: sums.captured - sums.refunded - sums.open, tooMuch: sums.refunded + sums.open > sums.captured,
  }));
}

module.exports = ({ page, asOperator, config, Refusal }) => {
  page('/orders', 'orders', async (q, query) => {
    const filter = Object.fromEntries(FILTERS.map((name) => [name, (query[name] ?? '').trim().replaceAll('\0', '')]).filter(([, value]) => value !== ''));
    if (!STATUSES.includes(filter.status)) delete filter.status;
    // Times are read in the zone that the console shows.
    await q("SELECT set_config('TimeZone', $1, true)", [config.timeZone]);
    const before = isId(query.before ?? '') ? query.before : null;
    const [answer, refusal] = await q('SELECT o FROM order_ext.search_orders($1, $2, $3) AS o', [JSON.stringify(filter), before, PAGE + 1])
      .then((rows) => [rows.map((row) => row.o), null], (error) => {
        if (!/^22/.test(error.code ?? '')) throw error;
        return [[], explain(error)];
      });
    // A page that could not look at everything ends with where to go on.
    const cut = answer.length > 0 && answer.at(-1).next_before ? answer.pop().next_before : null;
    const rows = answer.slice(0, PAGE).map((order) => ({ ...order, created_at: new Date(order.created_at), paid_at: order.paid_at && new Date(order.paid_at) }));
    const more = answer.length > PAGE;
    return {
      title: 'Orders',
      statuses: STATUSES,
      filter,
      refusal,
      found: { rows, next: more ? rows.at(-1).order_id : cut, examined: cut && !more ? EXAMINED : null },
    };
  });

  page('/orders/:id', 'order', async (q, query, { id }, req) => {
    if (!isId(id)) throw new Refusal(404, 'That is no order id.', 'Order ids have 19 digits. The search also finds other numbers.');
    const all = await life(q, id);
    if (!all.order && all.payments.length + all.facts.length === 0) {
      throw new Refusal(404, `There is no order ${id}.`, 'The search also finds payments, refunds and other numbers.');
    }
    if (!all.order) return { template: 'no_order', title: `Order ${id}`, id, ...all };
    const messages = await messagesOf(q, id, query.show === 'messages');
    const secret = query.show === 'all' ? await asOperator(req, async (ask) => {
      const [{ order }] = await ask('SELECT order_ext.get_order($1) AS order', [id]);
      return order;
    }) : null;
    return {
      title: `Order ${id}`,
      id,
      ...all,
      messages,
      staff: all.actions.filter((call) => OF_STAFF.includes(call)),
      balance: balance(all),
      secret,
    };
  });
};
