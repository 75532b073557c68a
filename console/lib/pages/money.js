// Payments, refunds, and facts that are held.
'use strict';

const { isId } = require('../ids');
const { newest } = require('../paging');

const MOST = 200;

const PAYMENT = `payment_id, order_id, pay_type, out_trade_no, amount, currency, status, purpose, captured_at, paid_at, created_at,
  version, told_order_id, duplicate_of`;
const REFUND = `refund_id, order_id, payment_id, cause, amount, currency, status, attempt, requested_at, settled_at, after_sale_id,
  held, version, gateway_refund_no, claimed_by, lease_until, claim_after, asked, kept`;

// Conditions that lists can be narrowed by: constants, nothing that was typed.
const PAYMENTS = {
  waiting: ['Waiting for a decision', `status = 'captured' AND purpose IN ('held', 'unmatched')
    AND NOT EXISTS (SELECT FROM order_ext.refunds_view r WHERE r.payment_id = examined.payment_id)`],
  surplus: ['Surplus and late', "purpose IN ('surplus', 'late')"],
  duplicate: ['Duplicates', "purpose = 'duplicate'"],
  open: ['Begun', "status = 'initiated'"],
  all: ['All', null],
};
const REFUNDS = {
  failed: ['Failed', "status = 'failed'"],
  held: ['Held back', "held AND status = 'requested'"],
  open: ['Open', "status IN ('requested', 'submitted')"],
  several: ['Several of one payment', `status <> 'withdrawn' AND EXISTS (SELECT FROM order_ext.refunds_view r
    WHERE r.payment_id = examined.payment_id AND r.refund_id <> examined.refund_id AND r.status <> 'withdrawn')`],
  withdrawn: ['Withdrawn', "status = 'withdrawn'"],
  all: ['All', null],
};

function checked(id, what, Refusal) {
  if (!isId(id)) throw new Refusal(404, `That is no id of a ${what}.`, 'The search finds orders, payments and refunds by their numbers.');
  return id;
}

module.exports = ({ page, asOperator, Refusal }) => {
  function listing(route, template, title, kinds, source) {
    page(route, template, async (q, query) => {
      const kind = Object.hasOwn(kinds, query.kind ?? '') ? query.kind : Object.keys(kinds)[0];
      const filter = kinds[kind][1];
      const found = await newest(q, { ...source, filter: filter ? [filter] : [], before: isId(query.before ?? '') ? query.before : null });
      return { title, kinds, kind, found };
    });
  }

  listing('/payments', 'payments', 'Payments', PAYMENTS, { view: 'order_ext.payments_view', key: 'payment_id', columns: PAYMENT });
  listing('/refunds', 'refunds', 'Refunds', REFUNDS, { view: 'order_ext.refunds_view', key: 'refund_id', columns: REFUND });

  page('/payments/:id', 'payment', async (q, query, { id }) => {
    const [payment] = await q(`SELECT ${PAYMENT} FROM order_ext.payments_view WHERE payment_id = $1`, [checked(id, 'payment', Refusal)]);
    if (!payment) throw new Refusal(404, `There is no payment ${id}.`, 'The search finds payments by their trade numbers, too.');
    const refunds = await q(`SELECT ${REFUND} FROM order_ext.refunds_view WHERE payment_id = $1 ORDER BY refund_id LIMIT ${MOST}`, [id]);
    const disputes = await q(`
SELECT dispute_no, status, amount, currency, opened_at, ended_at FROM order_ext.disputes_view WHERE payment_id = $1 LIMIT ${MOST}`, [id]);
    const [order] = await q('SELECT order_id, status, pay_amount, currency FROM order_ext.orders_view WHERE order_id = $1', [payment.order_id]);
    const others = await q(`
SELECT ${PAYMENT} FROM order_ext.payments_view WHERE order_id = $1 AND payment_id <> $2 ORDER BY payment_id LIMIT ${MOST}`, [payment.order_id, id]);
    const undecided = payment.status === 'captured' && ['held', 'unmatched'].includes(payment.purpose) && refunds.length === 0;
    return { title: `Payment ${id}`, payment, refunds, disputes, order, others, undecided };
  });

  page('/refunds/:id', 'refund', async (q, query, { id }, req) => {
    const [refund] = await q(`SELECT ${REFUND} FROM order_ext.refunds_view WHERE refund_id = $1`, [checked(id, 'refund', Refusal)]);
    if (!refund) throw new Refusal(404, `There is no refund ${id}.`, "The search finds refunds by the gateway's numbers, too.");
    const [payment] = await q(`SELECT ${PAYMENT} FROM order_ext.payments_view WHERE payment_id = $1`, [refund.payment_id]);
    const others = await q(`
SELECT ${REFUND} FROM order_ext.refunds_view WHERE payment_id = $1 AND refund_id <> $2 ORDER BY refund_id LIMIT ${MOST}`, [refund.payment_id, id]);
    const secret = await asOperator(req, async (ask) =>
      (await ask('SELECT last_outcome, reason FROM order_ext.refunds_view WHERE refund_id = $1', [id]))[0]);
    return { title: `Refund ${id}`, refund, payment, others, secret };
  });

  page('/facts', 'facts', async (q, query) => {
    const all = query.kind === 'all';
    const found = await newest(q, {
      view: 'order_ext.held_facts',
      key: 'fact_id',
      columns: 'fact_id, kind, at, order_id, entity_id, reason, resolved_at, resolved_by',
      where: all ? [] : ['resolved_at IS NULL'],
      before: isId(query.before ?? '') ? query.before : null,
    });
    return { title: 'Held facts', kind: all ? 'all' : 'open', found };
  });

  page('/facts/:id', 'fact', async (q, query, { id }, req) => {
    const [fact] = await q(`
SELECT fact_id, kind, at, order_id, entity_id, reason, resolved_at, resolved_by FROM order_ext.held_facts WHERE fact_id = $1`, [checked(id, 'fact', Refusal)]);
    if (!fact) throw new Refusal(404, `There is no held fact ${id}.`);
    const secret = await asOperator(req, async (ask) =>
      (await ask('SELECT payload, note FROM order_ext.held_facts WHERE fact_id = $1', [id]))[0]);
    return { title: `Held fact ${id}`, fact, secret };
  });
};
