// What the templates use.
'use strict';

const path = require('node:path');
const { Eta } = require('eta');
const { escape, html, Safe } = require('./html');
const money = require('./money');

const eta = new Eta({
  views: path.join(__dirname, '..', 'views'),
  autoEscape: true,
  escapeFunction: escape,
  cache: true,
});

// Colors of states: what is good, what waits, what is over, what needs somebody.
const TONES = {
  good: ['paid', 'signed', 'succeeded', 'captured', 'applied', 'refunded', 'done', 'idle', 'busy', 'consumed', 'used',
    'inspected', 'out', 'won', 'approved', 'received'],
  busy: ['created', 'fulfilling', 'out_stock', 'delivering', 'requested', 'submitted', 'initiated', 'refunding', 'waiting',
    'leased', 'timer', 'reserved', 'locked', 'picking', 'labelled', 'starting', 'in_transit', 'to_send', 'awaiting', 'parked',
    'cancel_requested', 'retry', 'reopened'],
  bad: ['failed', 'held', 'unmatched', 'dead', 'error', 'not answering', 'failing', 'lost', 'damaged', 'opened', 'invalid'],
  warn: ['warning', 'late', 'surplus', 'refused', 'rejected', 'paused', 'duplicate', 'missing'],
};
const TONE_OF = new Map(Object.entries(TONES).flatMap(([tone, words]) => words.map((word) => [word, tone])));

function helpers({ timeZone }) {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  });

  function timeText(at) {
    const p = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]));
    return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
  }

  function time(at, { milliseconds = false } = {}) {
    if (!(at instanceof Date)) return '';
    if (Number.isNaN(at.getTime())) return 'never';
    const ms = milliseconds ? `.${String(at.getUTCMilliseconds()).padStart(3, '0')}` : '';
    return html`<time datetime="${at.toISOString()}">${timeText(at)}${ms}</time>`;
  }

  function status(word, text) {
    if (word === null || word === undefined) return '';
    return html`<span class="status ${TONE_OF.get(word) ?? 'plain'}">${(text ?? word).replaceAll('_', ' ')}</span>`;
  }

  function link(href, text) {
    return html`<a href="${href}">${text}</a>`;
  }

  function toOrder(id) {
    return id ? link(`/orders/${id}`, html`<span class="id">${id}</span>`) : '';
  }

  // to('refund', 7): a link to /refunds/7
  function to(kind, id) {
    return id && id !== '0' ? link(`/${kind}s/${id}`, html`<span class="id">${id}</span>`) : '';
  }

  function number(value) {
    return value === null || value === undefined ? '' : String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  }

  function json(value) {
    return value === null || value === undefined ? '' : html`<pre>${JSON.stringify(value, null, 2)}</pre>`;
  }

  // The detail of a step of the timeline, in a line: amounts are of the order's currency.
  function fact(key, value, currency) {
    if (typeof value === 'object') return JSON.stringify(value);
    if (/(^|_)amount$/.test(key) && Number.isSafeInteger(value)) return money.format(value, currency);
    if (/^\d{4}-\d\d-\d\dT/.test(value)) return time(new Date(value));
    const about = /^(payment|refund|after_sale)_id$/.exec(key);
    return about ? to(about[1].replace('_', '-'), value) : String(value).replaceAll('_', ' ');
  }

  function facts(detail, currency) {
    const there = Object.entries(detail ?? {}).filter(([, value]) => value !== null);
    return there.map(([key, value]) =>
      html`<span class="fact"><span class="key">${key.replaceAll('_', ' ')}</span> ${fact(key, value, currency)}</span> `);
  }

  // Columns: [title, row => cell, 'num' for numbers]. On small screens a row becomes a card, and
  // each cell shows its title.
  function table(caption, columns, rows, empty = 'None.') {
    if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
    return html`<table><caption>${caption}</caption>
<thead><tr>${columns.map(([title, , kind]) => html`<th scope="col" class="${kind}">${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${columns.map(([title, cell, kind]) =>
    html`<td data-label="${title}" class="${kind}">${cell(row)}</td>`)}</tr>
`)}</tbody></table>`;
  }

  // Pairs of a name and a value; those without a value are left out.
  function list(pairs) {
    const there = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
    return there.length === 0 ? '' : html`<dl>${there.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
  }

  return {
    facts, html, json, link, list, number, status, table, time, timeText, to, toOrder,
    money: (amount, currency) => (amount === null || amount === undefined ? '' : html`<span class="money">${money.format(amount, currency)}</span>`),
    plainMoney: money.plain,
  };
}

function render(template, data) {
  return eta.render(`./${template}`, data);
}

module.exports = { Safe, helpers, render };
