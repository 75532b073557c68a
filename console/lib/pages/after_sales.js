// After-sales: what comes back, and the reviews of staff.
'use strict';

const { isId } = require('../ids');
const { newest } = require('../paging');

const COLUMNS = `after_sale_id, order_id, user_id, type, status, amount, applied_at, freight, detail_type, source, reason_kind, origin,
  return_status, carrier, tracking_no, reviewed_at, return_by, goods_sent_at, goods_received_at, settled_at, version, extra, paid_outside,
  review_reason`;
const KINDS = {
  applied: ['To review', "status = 'applied'"],
  open: ['Under way', "status IN ('approved', 'refunding', 'reopened')"],
  failed: ['Failed', "status = 'failed'"],
  rejected: ['Rejected', "status = 'rejected'"],
  all: ['All', null],
};

// Amounts are of the order's currency.
async function withCurrencies(q, rows) {
  const orders = await q('SELECT order_id, currency FROM order_ext.orders_view WHERE order_id = ANY ($1)', [[...new Set(rows.map((row) => row.order_id))]]);
  const of = new Map(orders.map((order) => [order.order_id, order.currency]));
  return rows.map((row) => ({ ...row, currency: of.get(row.order_id) ?? '' }));
}

module.exports = ({ page, asOperator, Refusal }) => {
  page('/after-sales', 'after_sales', async (q, query) => {
    const kind = Object.hasOwn(KINDS, query.kind ?? '') ? query.kind : 'applied';
    const filter = KINDS[kind][1];
    const found = await newest(q, {
      view: 'order_ext.after_sales_view',
      key: 'after_sale_id',
      columns: COLUMNS,
      filter: filter ? [filter] : [],
      before: isId(query.before ?? '') ? query.before : null,
    });
    found.rows = await withCurrencies(q, found.rows);
    return { title: 'After-sales', kinds: KINDS, kind, found };
  });

  page('/after-sales/:id', 'after_sale', async (q, query, { id }, req) => {
    if (!isId(id)) throw new Refusal(404, 'That is no id of an after-sale.');
    const rows = await q(`SELECT ${COLUMNS} FROM order_ext.after_sales_view WHERE after_sale_id = $1`, [id]);
    if (rows.length === 0) throw new Refusal(404, `There is no after-sale ${id}.`);
    const [sale] = await withCurrencies(q, rows);
    const items = await q(`
SELECT line, sku, quantity, amount, received, damaged, restocked FROM order_ext.after_sale_items_view WHERE after_sale_id = $1 ORDER BY line LIMIT 1000`, [id]);
    const events = await q(`
SELECT kind, disposition, reason, recorded_at FROM order_ext.after_sale_events_view WHERE after_sale_id = $1 ORDER BY recorded_at LIMIT 200`, [id]);
    const refunds = (await q(`
SELECT refund_id, payment_id, cause, amount, currency, status, attempt, requested_at, settled_at, after_sale_id, held, kept, gateway_refund_no
FROM order_ext.refunds_view WHERE order_id = $1 ORDER BY refund_id LIMIT 200`, [sale.order_id])).filter((refund) => refund.after_sale_id === id);
    const secret = await asOperator(req, async (ask) =>
      (await ask('SELECT reason FROM order_ext.after_sales_view WHERE after_sale_id = $1', [id]))[0]);
    return { title: `After-sale ${id}`, sale, items, events, refunds, secret };
  });
};
