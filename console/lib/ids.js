// Ids are bigint: strings here, since a JavaScript number has 53 bits.
'use strict';

const LARGEST = 9223372036854775807n;

function isId(text) {
  return typeof text === 'string' && /^[0-9]{1,19}$/.test(text) && BigInt(text) <= LARGEST;
}

// Order ids sort by the second of their creation: date (UTC), second of the day, a number that is
// unique in that second (5 digits), and 3 digits of the buyer.
const IN_A_SECOND = 100000000n;
const SECONDS = 100000n;

// The least id of an order that is created at this time or later.
function orderIdAt(ms) {
  const at = new Date(ms);
  const day = BigInt((at.getUTCFullYear() % 100) * 10000 + (at.getUTCMonth() + 1) * 100 + at.getUTCDate());
  const second = BigInt(at.getUTCHours() * 3600 + at.getUTCMinutes() * 60 + at.getUTCSeconds());
  return ((day * SECONDS + second) * IN_A_SECOND).toString();
}

// When an order of this id was created, to the second.
function timeOfOrderId(id) {
  const seconds = BigInt(id) / IN_A_SECOND;
  const day = Number(seconds / SECONDS);
  return Date.UTC(2000 + Math.floor(day / 10000), Math.floor(day / 100) % 100 - 1, day % 100)
    + Number(seconds % SECONDS) * 1000;
}

module.exports = { isId, orderIdAt, timeOfOrderId };
