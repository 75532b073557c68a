// A warehouse and its carrier, simulated, with pg; see README.md.
//
//   node warehouse.js CONNECTION_STRING [IDLE_SECONDS]
//
// Runs until SIGTERM or SIGINT, or until IDLE_SECONDS have passed with nothing to do. Parcels
// stay in its hands for WAREHOUSE_SECONDS (default 1), during which they can be stopped; the
// leases of their messages last WAREHOUSE_LEASE seconds (default 60) and are extended meanwhile.
'use strict';

const { Client } = require('pg');

const BATCH = 100;
const LEASE_MS = 1000 * Number(process.env.WAREHOUSE_LEASE ?? 60);
const LEASE = `${LEASE_MS} milliseconds`;
const HANDLING_MS = 1000 * Number(process.env.WAREHOUSE_SECONDS ?? 1);

// The consumer groups, as README.md sets them up.
const REQUESTS = 'warehouse_requests'; // fulfilment.requested: ship this
const CANCELS = 'warehouse_cancels'; // fulfilment.cancel_requested: can you stop it?
const CANCELED = 'warehouse_canceled'; // order.canceled: it is over

// The parcels in our hands, by order id. The message of a parcel is acked when it has arrived or
// was stopped: if we die before that, the message is delivered again, and our reports repeated.
const parcels = new Map();

let client;
let stopping = false;
let leasesKeptAt = Date.now();

function say(orderId, what) {
  process.stdout.write(`${orderId} ${what}\n`);
}

async function receive(group) {
  const { rows } = await client.query('SELECT * FROM order_ext.receive($1, $2, $3)', [group, BATCH, LEASE]);
  return rows;
}

async function ack(group, ...tokens) {
  await client.query('SELECT order_ext.ack($1, $2)', [group, tokens]);
}

// Run the work in a transaction: what it reports and what it acks happen together.
async function inTransaction(work) {
  await client.query('BEGIN');
  try {
    await work();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

// Report what happened to a parcel; returns the disposition. The event id is the same however
// often the same thing is reported, so nothing happens twice.
async function report(parcel, kind) {
  const { rows } = await client.query('SELECT * FROM order_ext.shipment_event($1, $2, $3, payload => $4)',
    [parcel.orderId, `${parcel.documentId}-${kind}`, kind, { document_id: parcel.documentId }]);
  return rows[0].disposition;
}

async function takeRequests() {
  const messages = await receive(REQUESTS);
  for (const { key, payload, token } of messages) {
    const parcel = { orderId: key, documentId: payload.document_id, token, leavesAt: Date.now() + HANDLING_MS };
    await report(parcel, 'picked');
    parcels.set(key, parcel);
  }
  return messages.length;
}

// The shop asks before it cancels. Only what is in our hands can be stopped: a parcel that we
// do not know has left.
async function answerCancels() {
  const messages = await receive(CANCELS);
  for (const { key, message_id: messageId, token } of messages) {
    const parcel = parcels.get(key);
    await inTransaction(async () => {
      await client.query('SELECT order_ext.fulfilment_cancel_result($1, $2, $3)',
        [key, parcel !== undefined, `answer-${messageId}`]);
      await ack(CANCELS, token);
      if (parcel) await ack(REQUESTS, parcel.token);
    });
    parcels.delete(key);
    say(key, parcel ? 'stopped' : 'not stopped');
  }
  return messages.length;
}

// Parcels still in our hands are canceled without asking: they go back to the shelf.
async function forgetCanceled() {
  const messages = await receive(CANCELED);
  for (const { key, token } of messages) {
    const parcel = parcels.get(key);
    await inTransaction(async () => {
      await ack(CANCELED, token);
      if (parcel) await ack(REQUESTS, parcel.token);
    });
    parcels.delete(key);
    if (parcel) say(key, 'back to the shelf');
  }
  return messages.length;
}

// Send the parcel out, unless the order has just been canceled ("held"): then it stays. The
// carrier reports in no particular order, and some things twice; the shop sorts that out.
async function send(parcel) {
  if (await report(parcel, 'out_stock') === 'held') {
    say(parcel.orderId, 'back to the shelf');
  } else {
    const end = Number(parcel.documentId) % 7 === 0 ? 'refused' : 'signed';
    for (const kind of [end, 'delivering', 'delivering']) await report(parcel, kind);
    say(parcel.orderId, end);
  }
  await ack(REQUESTS, parcel.token);
  parcels.delete(parcel.orderId);
}

async function sendWhatIsReady() {
  const ready = [...parcels.values()].filter((parcel) => parcel.leavesAt <= Date.now());
  for (const parcel of ready) await send(parcel);
  return ready.length;
}

// Parcels that stay longer than a lease keep theirs.
async function keepLeases() {
  if (Date.now() - leasesKeptAt < LEASE_MS / 3) return;
  leasesKeptAt = Date.now();
  if (parcels.size === 0) return;
  await client.query('SELECT order_ext.extend_lease($1, $2, $3)',
    [REQUESTS, [...parcels.values()].map((parcel) => parcel.token), LEASE]);
}

// One round. The requests come first: a question about a parcel is younger than its request,
// so after taking all requests we know the parcel, if it is still here.
async function round() {
  let done = 0;
  for (let taken = BATCH; taken === BATCH; done += taken) taken = await takeRequests();
  done += await answerCancels();
  done += await forgetCanceled();
  done += await sendWhatIsReady();
  await keepLeases();
  return done;
}

async function main() {
  const [connectionString, idleSeconds] = process.argv.slice(2);
  if (!connectionString) {
    process.stderr.write('usage: node warehouse.js CONNECTION_STRING [IDLE_SECONDS]\n');
    process.exitCode = 2;
    return;
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => { stopping = true; });

  client = new Client({ connectionString });
  await client.connect();
  try {
    let busyAt = Date.now();
    while (!stopping) {
      if (await round() > 0 || parcels.size > 0) busyAt = Date.now();
      if (idleSeconds && Date.now() - busyAt > 1000 * Number(idleSeconds)) break;
      await client.query("CALL order_ext.wait_for_messages($1, '100 milliseconds')", [REQUESTS]);
    }
  } finally {
    await client.end();
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
