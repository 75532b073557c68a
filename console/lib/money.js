// Amounts: bigint minor units in the database, decimals for people.
'use strict';

// How many decimals the minor units of a currency are; NULL: it is none that order_ext knows (a
// callback records whatever it was told). They are looked up when they are first seen.
const exponents = new Map();
const MOST = 1000;

function currenciesIn(value, found) {
  if (Array.isArray(value)) {
    value.forEach((element) => currenciesIn(element, found));
  } else if (value && typeof value === 'object' && !(value instanceof Date)) {
    if (typeof value.currency === 'string' && !exponents.has(value.currency)) found.add(value.currency);
    Object.values(value).forEach((element) => {
      if (element && typeof element === 'object') currenciesIn(element, found);
    });
  }
  return found;
}

// Looks up the currencies of whatever is about to be shown.
async function learn(q, data) {
  const unknown = [...currenciesIn(data, new Set())].slice(0, MOST);
  const known = unknown.filter((currency) => /^[A-Z]{3}$/.test(currency));
  if (exponents.size > MOST) exponents.clear();
  unknown.forEach((currency) => exponents.set(currency, null));
  for (const currency of known) {
    await q('SAVEPOINT currency');
    try {
      const rows = await q('SELECT order_ext.currency_exponent($1) AS exponent', [currency]);
      exponents.set(currency, rows[0].exponent);
    } catch (error) {
      if (error.code !== '22023') throw error;
    }
    await q('ROLLBACK TO currency');
  }
}

function group(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ' ');
}

// "1 234.50 CNY"
function format(amount, currency) {
  if (amount === null || amount === undefined) return '';
  const exponent = exponents.get(currency);
  if (exponent === null || exponent === undefined) return `${amount} minor units of ${currency}`;
  return `${plain(amount, currency).replace(/^(-?)(\d+)/, (all, sign, digits) => sign + group(digits))} ${currency}`;
}

// "1234.50", as it is typed
function plain(amount, currency) {
  const exponent = exponents.get(currency) ?? 0;
  const value = BigInt(amount);
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString().padStart(exponent + 1, '0');
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

// What was typed, in minor units; NULL: that is no amount of this currency.
function parse(text, currency) {
  const exponent = exponents.get(currency) ?? 0;
  const match = /^(\d{1,18})(?:\.(\d+))?$/.exec(text.replace(/[\s\u00a0\u202f]/g, ''));
  if (!match || (match[2] ?? '').length > exponent) return null;
  return BigInt(match[1] + (match[2] ?? '').padEnd(exponent, '0')).toString();
}

module.exports = { format, learn, parse, plain };
