// verify(): the recent findings, asked for at most once a minute whoever looks; the full check on
// demand, one at a time.
'use strict';

const FRESH_MS = 60 * 1000;
const MOST = 1000;

let recent = null;
let asking = null;
const full = { startedAt: null, by: null, result: null, error: null };

async function ask(database, scope, timeoutMs) {
  const begin = Date.now();
  const rows = await database.read((q) => q(`
SELECT * FROM (SELECT invariant, severity, entity, expected, actual FROM order_ext.verify($1) LIMIT ${MOST + 1}) f
ORDER BY severity, invariant`, [scope]), timeoutMs, database.checks);
  return { rows: rows.slice(0, MOST), more: rows.length > MOST, at: new Date(), tookMs: Date.now() - begin };
}

// {rows, more, at, tookMs}, or {failed} where the check did not end in time
async function findings(database, config, { renew = false } = {}) {
  if (recent && !renew && Date.now() - recent.at < FRESH_MS) return recent;
  asking ??= ask(database, 'recent', Math.max(config.statementMs, 30000))
    .then((result) => { recent = result; })
    .finally(() => { asking = null; });
  try {
    await asking;
    return recent;
  } catch (error) {
    return { rows: [], more: false, at: new Date(), tookMs: 0, failed: error.code === '57014' ? 'The check did not end in time.' : 'The check has failed.' };
  }
}

// What a decision has changed shows up at once.
function forget() {
  recent = null;
}

function startFull(database, config, by) {
  if (full.startedAt) return false;
  Object.assign(full, { startedAt: new Date(), by, error: null });
  ask(database, 'full', config.verifyMs)
    .then((result) => { full.result = { ...result, by }; })
    .catch((error) => { full.error = error.code === '57014' ? 'The full check did not end in time.' : `The full check has failed: ${error.message}`; })
    .finally(() => { full.startedAt = null; });
  return true;
}

// Where the entity of a finding is shown: "payment 12" is at /payments/12.
const PLACES = [
  [/^(order|payment|refund) (\d{1,19})\b/, ([, kind, id]) => `/${kind}s/${id}`],
  [/^after-sale (\d{1,19})\b/, ([, id]) => `/after-sales/${id}`],
  [/^(?:held )?fact (\d{1,19})\b/, ([, id]) => `/facts/${id}`],
  [/^message (\d{1,19}) of group (.+)$/, ([, id, group]) => `/messages/${encodeURIComponent(group)}/dead/${id}`],
  [/^group (.+)$/, ([, group]) => `/messages/${encodeURIComponent(group)}`],
];

function place(entity) {
  for (const [pattern, path] of PLACES) {
    const match = pattern.exec(entity);
    if (match) return path(match);
  }
  return null;
}

// How many findings of each severity, by the first word of what they are about.
function summary(found) {
  const groups = new Map();
  for (const { severity, entity } of found.rows) {
    const kind = /^[a-z-]+/i.exec(entity)?.[0] ?? 'other';
    const key = `${severity} ${kind}`;
    groups.set(key, { severity, kind, n: (groups.get(key)?.n ?? 0) + 1 });
  }
  return [...groups.values()].sort((a, b) => a.severity.localeCompare(b.severity) || b.n - a.n);
}

module.exports = { findings, forget, full, place, startFull, summary };
