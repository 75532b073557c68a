// The decisions of staff: what is asked for, and the call that is made. A decision is sent to
// /do/NAME with its fields; the forms of the pages and the one of a refused call are made of this.
'use strict';

const { isId } = require('./ids');
const { Refusal } = require('./security');
const money = require('./money');

// ---- fields ----

function text(value, name) {
  if (value === undefined) return '';
  if (typeof value !== 'string') throw new Refusal(400, `${name} was given more than once.`, 'Nothing was done.');
  return value.trim();
}

function id(fields, name) {
  const value = text(fields[name], name);
  if (!isId(value)) throw new Refusal(422, `"${value.slice(0, 40)}" is no id.`, `${name.replaceAll('_', ' ')} is a number of up to 19 digits.`);
  return value;
}

function optional(fields, name) {
  return text(fields[name], name) || null;
}

function choice(fields, name, words) {
  const value = text(fields[name], name);
  if (!words.includes(value)) throw new Refusal(422, `${name} must be one of: ${words.join(', ')}.`, 'Nothing was done.');
  return value;
}

function amount(fields, name, currency) {
  const value = text(fields[name], name);
  const parsed = money.parse(value, currency);
  if (parsed === null) throw new Refusal(422, `"${value.slice(0, 40)}" is no amount of ${currency}.`, `Write it as ${money.plain('1250', currency)}, with a point and without a currency.`);
  return parsed;
}

// Ids that were ticked: one is a string, several are an array.
function ids(fields, name) {
  const values = [].concat(fields[name] ?? []);
  if (values.length > 200 || !values.every(isId)) throw new Refusal(422, 'These are no ids.', 'Nothing was done.');
  return values;
}

function count(value, name) {
  if (!/^[0-9]{1,9}$/.test(value)) throw new Refusal(422, `"${value.slice(0, 40)}" is no number of ${name}.`, 'Write a whole number.');
  return Number(value);
}

const REASON = { name: 'reason', label: 'Reason', type: 'text', required: true };
const OPTIONAL_REASON = { name: 'reason', label: 'Reason', type: 'text' };

// ---- the calls; each returns a row of order_ext.result unless it says so ----

const decisions = {
  retry_refund: {
    title: 'Try the refund again',
    about: 'Requests a failed refund again under the same id, or releases one that is held back.',
    hidden: ['refund_id'],
    call: async (q, f) => q('SELECT * FROM order_ext.retry_refund($1)', [id(f, 'refund_id')]),
  },
  withdraw_refund: {
    title: 'Withdraw the refund',
    about: 'The shop keeps the money. Only before anybody has claimed it.',
    danger: true,
    hidden: ['refund_id', 'request_id'],
    fields: [REASON],
    call: async (q, f) => q('SELECT * FROM order_ext.withdraw_refund($1, $2, $3)', [id(f, 'refund_id'), optional(f, 'reason'), optional(f, 'request_id')]),
  },
  settle_refund: {
    title: 'Settle with another amount',
    about: 'The gateway has paid another amount than it was asked for, such as less a fee.',
    danger: true,
    hidden: ['refund_id'],
    fields: [{ name: 'amount', label: 'What was paid', type: 'amount', required: true }, REASON],
    call: async (q, f) => {
      const currency = await currencyOf(q, 'refunds_view', 'refund_id', id(f, 'refund_id'));
      return q('SELECT * FROM order_ext.settle_refund($1, $2, $3)', [id(f, 'refund_id'), amount(f, 'amount', currency), optional(f, 'reason')]);
    },
  },
  resolve_held_payment: {
    title: 'Decide about the payment',
    about: 'Accept: it pays its order. Refund: it goes back. Duplicate: another capture tells of the same money.',
    hidden: ['payment_id'],
    fields: [
      { name: 'decision', label: 'Decision', type: 'choice', choices: [['refund', 'Refund'], ['accept', 'Accept'], ['duplicate', 'Duplicate']] },
      { name: 'accept_less', label: 'Accept less than the order costs: the rest becomes a discount', type: 'flag' },
    ],
    call: async (q, f) => q('SELECT * FROM order_ext.resolve_held_payment($1, $2, $3)', [
      id(f, 'payment_id'), choice(f, 'decision', ['refund', 'accept', 'duplicate']), f.accept_less === 'yes']),
  },
  assign_payment: {
    title: 'Assign to an order',
    about: 'For a held or unmatched payment that names a wrong order.',
    hidden: ['payment_id', 'request_id'],
    fields: [{ name: 'order_id', label: 'Order', type: 'id', required: true }],
    call: async (q, f) => q('SELECT * FROM order_ext.assign_payment($1, $2, $3)', [id(f, 'payment_id'), id(f, 'order_id'), optional(f, 'request_id')]),
  },
  resolve_fact: {
    title: 'Say what was done',
    about: 'The fact stays on record; it no longer waits for anybody.',
    hidden: ['fact_id'],
    fields: [{ name: 'note', label: 'What was done', type: 'text', required: true }],
    call: async (q, f) => q('SELECT * FROM order_ext.resolve_fact($1, $2)', [id(f, 'fact_id'), optional(f, 'note')]),
  },
  refund_order: {
    title: 'Refund by decision',
    about: 'Goodwill, a lost parcel, after the window: an amount, or pieces of lines and the freight, or all that is left.',
    danger: true,
    hidden: ['order_id', 'request_id'],
    fields: [
      { name: 'what', label: 'What', type: 'choice', choices: [['amount', 'An amount'], ['pieces', 'Pieces, as below'], ['all', 'All that is left']] },
      { name: 'amount', label: 'Amount', type: 'amount' },
      { name: 'freight', label: 'Refund the freight, too (with pieces)', type: 'flag' },
      OPTIONAL_REASON,
    ],
    call: async (q, f) => {
      const order = id(f, 'order_id');
      const what = choice(f, 'what', ['amount', 'pieces', 'all']);
      const currency = await currencyOf(q, 'orders_view', 'order_id', order);
      const lines = what === 'pieces' ? pieces(f) : null;
      const freight = what === 'pieces' && f.freight === 'yes';
      if (what === 'pieces' && !lines && !freight) throw new Refusal(422, 'No pieces were named.', 'Write how many of each line, or refund an amount.');
      return q('SELECT * FROM order_ext.refund_order($1, amount => $2, lines => $3, freight => $4, reason => $5, request_id => $6)', [
        order, what === 'amount' ? amount(f, 'amount', currency) : null, lines && JSON.stringify(lines), freight, optional(f, 'reason'), optional(f, 'request_id')]);
    },
  },
  cancel_order: {
    title: 'Cancel the order',
    about: 'Stock, coupon and money go back. Possible until it has left the warehouse.',
    danger: true,
    hidden: ['order_id', 'request_id'],
    fields: [
      OPTIONAL_REASON,
      { name: 'refund_policy', label: 'Refunds', type: 'choice', choices: [['full', 'Pay back at once'], ['hold', 'Hold: they wait for a retry']] },
    ],
    call: async (q, f) => q("SELECT * FROM order_ext.cancel_order($1, cancel_type => 'customer_service', reason => $2, request_id => $3, refund_policy => $4)", [
      id(f, 'order_id'), optional(f, 'reason'), optional(f, 'request_id'), choice(f, 'refund_policy', ['full', 'hold'])]),
  },
  review_after_sale: {
    title: 'Review the application',
    about: 'Accepted: it is refunded, or the goods may be sent. Rejected: it can be reopened.',
    hidden: ['after_sale_id', 'request_id'],
    fields: [
      { name: 'accept', label: 'Decision', type: 'choice', choices: [['yes', 'Accept'], ['no', 'Reject']] },
      OPTIONAL_REASON,
    ],
    call: async (q, f) => q('SELECT * FROM order_ext.review_after_sale($1, $2, $3, $4)', [
      id(f, 'after_sale_id'), choice(f, 'accept', ['yes', 'no']) === 'yes', optional(f, 'reason'), optional(f, 'request_id')]),
  },
  close_after_sale: {
    title: 'Close the after-sale',
    about: 'It was settled in another way; a refund that nobody has claimed is withdrawn.',
    danger: true,
    hidden: ['after_sale_id', 'request_id'],
    fields: [REASON],
    call: async (q, f) => q('SELECT * FROM order_ext.close_after_sale($1, $2, $3)', [id(f, 'after_sale_id'), optional(f, 'reason'), optional(f, 'request_id')]),
  },
  reopen_after_sale: {
    title: 'Reopen the application',
    about: 'A rejected application is up for review again, at what it is worth now.',
    hidden: ['after_sale_id', 'request_id'],
    call: async (q, f) => q('SELECT * FROM order_ext.reopen_after_sale($1, $2)', [id(f, 'after_sale_id'), optional(f, 'request_id')]),
  },
  redrive: {
    title: 'Deliver again',
    about: 'Dead letters are delivered again under the same ids; their attempts start over.',
    hidden: ['consumer_group', 'message_ids'],
    call: async (q, f) => letters(q, f, 'redrive'),
    done: ([{ n }]) => `${n} ${n === 1 ? 'message is' : 'messages are'} delivered again.`,
  },
  discard: {
    title: 'Give up',
    about: 'Dead letters are given up: nobody will get them any more.',
    danger: true,
    hidden: ['consumer_group', 'message_ids'],
    call: async (q, f) => letters(q, f, 'discard'),
    done: ([{ n }]) => `${n} ${n === 1 ? 'message was' : 'messages were'} given up.`,
  },
  pause: {
    title: 'Pause the group',
    about: 'No message is delivered to it until it is resumed.',
    danger: true,
    hidden: ['consumer_group'],
    call: async (q, f) => q('SELECT order_ext.pause($1)', [text(f.consumer_group, 'consumer_group')]),
    done: () => 'The group is paused.',
  },
  resume: {
    title: 'Resume the group',
    about: 'Its messages are delivered again.',
    hidden: ['consumer_group'],
    call: async (q, f) => q('SELECT order_ext.resume($1)', [text(f.consumer_group, 'consumer_group')]),
    done: () => 'The group goes on.',
  },
  cancel_message: {
    title: 'Cancel the timer',
    about: 'A message that was published for later is not delivered.',
    danger: true,
    hidden: ['message_id'],
    call: async (q, f) => q('SELECT order_ext.cancel_message($1) AS done', [id(f, 'message_id')]),
    done: ([{ done }]) => (done ? 'The message will not be delivered.' : 'There is no such timer any more: nothing was done.'),
  },
  reschedule_message: {
    title: 'Give the timer another time',
    about: 'Sooner or later than before; a past time delivers it now.',
    hidden: ['message_id'],
    fields: [{ name: 'minutes', label: 'Minutes from now', type: 'number', required: true }],
    call: async (q, f) => q("SELECT order_ext.reschedule_message($1, now() + $2 * interval '1 minute') AS done", [
      id(f, 'message_id'), count(text(f.minutes, 'minutes'), 'minutes')]),
    done: ([{ done }]) => (done ? 'The message will be delivered then.' : 'There is no such timer any more: nothing was done.'),
  },
};

async function currencyOf(q, view, key, value) {
  const rows = await q(`SELECT currency FROM order_ext.${view} WHERE ${key} = $1`, [value]);
  if (rows.length === 0) throw new Refusal(404, `There is no ${key.replace('_id', '')} ${value}.`, 'Look for it under Search.');
  await money.learn(q, rows);
  return rows[0].currency;
}

// pieces_N: how many of line N
function pieces(fields) {
  const lines = [];
  for (const [name, value] of Object.entries(fields)) {
    const match = /^pieces_([0-9]{1,4})$/.exec(name);
    if (!match || text(value, name) === '') continue;
    const quantity = count(text(value, name), 'pieces');
    if (quantity > 0) lines.push({ line: Number(match[1]), quantity });
  }
  return lines.length > 0 ? lines : null;
}

// The ticked ones; all of the group only where the form says so.
async function letters(q, fields, call) {
  const chosen = ids(fields, 'message_ids');
  if (chosen.length === 0 && fields.all !== 'yes') throw new Refusal(422, 'No message was chosen.', 'Tick the messages, or the box for all.');
  return q(`SELECT order_ext.${call}($1, message_ids => $2) AS n`, [
    text(fields.consumer_group, 'consumer_group'), fields.all === 'yes' ? null : chosen]);
}

// What a row of order_ext.result says.
const MEANINGS = {
  applied: 'Done', replayed: 'This was done already', noop: 'There was nothing to do',
  intercept_pending: 'The warehouse has been asked to stop the parcel',
  amount_mismatch_held: 'The amount does not fit that order: the payment is held',
  late_refund_queued: 'The order is over: a refund was requested',
  surplus_refund_queued: 'The order is paid already: a refund was requested',
};

function outcome(decision, rows) {
  if (decision.done) return decision.done(rows);
  const [{ disposition, status, id: about }] = rows;
  const said = MEANINGS[disposition] ?? disposition;
  return `${said}${about ? `: ${about}` : ''}${status ? ` is ${status.replaceAll('_', ' ')}` : ''}.`;
}

module.exports = { decisions, outcome };
