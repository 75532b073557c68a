// A shop's calls from Node.js: see ../README.md.  Usage: node shop.js CONNECTION_URI
'use strict';

const { randomUUID } = require('node:crypto');
const { Client } = require('pg');

// Errors that say "not now": nothing was done, and the same call may succeed.
const AGAIN = new Set(['OE110', '40001', '40P01']);

// Calls a function that returns a row.  Objects and arrays of objects are passed as JSON: pg would
// make one of PostgreSQL's arrays of them.  bigint comes back as a string: 2^53 is not enough for ids.
async function call(client, sql, ...values) {
  const texts = values.map((v) => (v !== null && typeof v === 'object' ? JSON.stringify(v) : v));
  for (let attempt = 1; ; attempt++) {
    try {
      return (await client.query(sql, texts)).rows[0];
    } catch (error) {
      if (!AGAIN.has(error.code) || attempt === 10) throw error;
      console.log('busy, trying again');
      await new Promise((resolve) => setTimeout(resolve, 50 * attempt));
    }
  }
}

// What a refused call says for programs: DETAIL is an object in this session.
async function refused(code, promise) {
  try {
    await promise;
  } catch (error) {
    if (error.code === code) return JSON.parse(error.detail);
    throw error;
  }
  throw new Error(`not refused with ${code}`);
}

async function main() {
  const client = new Client({ connectionString: process.argv[2] });
  await client.connect();
  await client.query("SET order_ext.error_detail = 'json'");
  await client.query("SET order_ext.lock_timeout = '300ms'");

  const items = [{ sku: 'tea', quantity: 2 }, { sku: 'cup', quantity: 1 }];
  const create = 'SELECT * FROM order_ext.create_order($1, $2, $3, request_id => $4)';
  const quote = (await call(client, 'SELECT order_ext.quote_order(7, $1) AS quote', items)).quote;
  console.log(`quoted ${quote.pay_amount}`);

  const price = await refused('OE002', call(client, create, 7, items, 1, randomUUID()));
  console.log(`price: ${price.expected}, not ${price.pay_amount}`);
  const many = [{ sku: 'tea', quantity: 1000 }];
  const { short } = await refused('OE201', call(client, create, 7, many, 1250000, randomUUID()));
  console.log(`short: ${short.map((s) => `${s.sku} ${s.wanted} of ${s.available}`).join()}`);

  // The same request_id again, after a timeout or a lost connection: the first answer again.
  const request = randomUUID();
  for (let i = 0; i < 2; i++) {
    const made = await call(client, create, 7, items, quote.pay_amount, request);
    console.log(`order: ${made.disposition} ${made.status}`);
  }
  const order = (await call(client, create, 7, items, quote.pay_amount, request)).id;

  // What the gateway reports, twice; what the warehouse reports, once the order is on its way.
  const paid = 'SELECT * FROM order_ext.pay_callback($1, $2, $3, $4)';
  for (let i = 0; i < 2; i++) {
    const told = await call(client, paid, order, `T-${order}`, 'card', quote.pay_amount);
    console.log(`payment: ${told.disposition}`);
  }
  const status = 'SELECT order_ext.get_order($1) AS found';
  while ((await call(client, status, order)).found.status !== 'fulfilling') {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const kind of ['out_stock', 'delivering', 'signed']) {
    await call(client, 'SELECT * FROM order_ext.shipment_event($1, $2, $3)', order, kind, kind);
  }

  const back = [{ sku: 'cup', quantity: 1 }];
  const applied = await call(client, 'SELECT * FROM order_ext.apply_after_sale($1, 7, $2, $3, $4, request_id => $5)',
    order, 'refund_only', back, 'chipped', randomUUID());
  console.log(`after-sale: ${applied.disposition} ${applied.status}`);

  // An order that its buyer cancels, while somebody else is at it, perhaps.
  const other = (await call(client, "SELECT order_ext.find_order('contended') AS id")).id;
  const canceled = await call(client, 'SELECT * FROM order_ext.cancel_order($1, 7, request_id => $2)', other, randomUUID());
  console.log(`cancel: ${canceled.disposition} ${canceled.status}`);

  const page = await client.query('SELECT o FROM order_ext.list_orders(7, max_orders => 10) AS o');
  console.log(`orders: ${page.rows.map(({ o }) => `${o.external_id ?? 'new'} ${o.status}`).join(', ')}`);
  await client.end();
}

main().catch((error) => {
  console.error(error.code ?? '', error.message, error.detail ?? '', error.hint ?? '');
  process.exit(1);
});
