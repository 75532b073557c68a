// One field for all numbers: of an order, payment, refund, after-sale, buyer or message, the
// application's own, the gateway's trade number, its refund's or its dispute's. Each is found by
// an index.
'use strict';

const { isId } = require('./ids');

const MOST = 20;

const BY_ID = [
  ['Order', `SELECT order_id AS id, order_id, status, pay_amount AS amount, currency, created_at AS at
    FROM order_ext.orders_view WHERE order_id = $1`, 'order'],
  ['Payment', `SELECT payment_id AS id, order_id, coalesce(purpose, status) AS status, amount, currency, created_at AS at
    FROM order_ext.payments_view WHERE payment_id = $1`, 'payment'],
  ['Refund', `SELECT refund_id AS id, order_id, status, amount, currency, requested_at AS at
    FROM order_ext.refunds_view WHERE refund_id = $1`, 'refund'],
  ['After-sale', `SELECT a.after_sale_id AS id, a.order_id, a.status, a.amount, o.currency, a.applied_at AS at
    FROM order_ext.after_sales_view a JOIN order_ext.orders_view o USING (order_id) WHERE a.after_sale_id = $1`, 'after-sale'],
  ['Order of buyer', `SELECT order_id AS id, order_id, status, pay_amount AS amount, currency, created_at AS at
    FROM order_ext.orders_view WHERE user_id = $1 ORDER BY order_id DESC LIMIT ${MOST}`, 'order'],
  ['Dead letter', `SELECT d.message_id AS id, NULL AS order_id, 'dead' AS status, NULL AS amount, NULL AS currency, d.died_at AS at, d.consumer_group
    FROM order_ext.subscriptions_view s
    CROSS JOIN LATERAL (SELECT * FROM (SELECT message_id, consumer_group, died_at FROM order_ext.dead_letters) l
      WHERE l.consumer_group = s.consumer_group AND l.message_id = $1 OFFSET 0) d LIMIT ${MOST}`, 'dead'],
];

const BY_TEXT = [
  ['Order', `SELECT order_id AS id, order_id, status, pay_amount AS amount, currency, created_at AS at
    FROM order_ext.orders_view WHERE external_id = $1`, 'order'],
  ['Payment', `SELECT payment_id AS id, order_id, coalesce(purpose, status) AS status, amount, currency, created_at AS at
    FROM order_ext.payments_view WHERE out_trade_no = $1 ORDER BY payment_id DESC LIMIT ${MOST}`, 'payment'],
  ['Refund', `SELECT refund_id AS id, order_id, status, amount, currency, requested_at AS at
    FROM order_ext.refunds_view WHERE gateway_refund_no = $1 ORDER BY refund_id DESC LIMIT ${MOST}`, 'refund'],
  ['Dispute', `SELECT payment_id AS id, order_id, status, amount, currency, coalesce(opened_at, ended_at) AS at
    FROM order_ext.disputes_view WHERE dispute_no = $1 LIMIT ${MOST}`, 'payment'],
];

function href(kind, row) {
  return kind === 'dead'
    ? `/messages/${encodeURIComponent(row.consumer_group)}/dead/${row.id}`
    : `/${kind}s/${row.id}`;
}

// [{what, kind, id, order_id, status, amount, currency, at, href}]
async function find(q, text) {
  const hits = [];
  const kinds = [...(isId(text) ? BY_ID : []), ...BY_TEXT];
  for (const [what, sql, kind] of kinds) {
    for (const row of await q(sql, [text])) hits.push({ ...row, what, href: href(kind, row) });
  }
  // an order under its own number, and as the only one of its buyer, is one
  return hits.filter((hit, i) => hits.findIndex((other) => other.href === hit.href) === i);
}

module.exports = { find };
