// The first page: what needs somebody, and orders by status over time. And the search.
'use strict';

const { orderIdAt, timeOfOrderId } = require('../ids');
const { find } = require('../search');
const { findings, place, summary } = require('../findings');

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;
const RANGES = {
  hour: { title: 'the last hour', bucketMs: 5 * MINUTE, buckets: 12 },
  day: { title: 'the last 24 hours', bucketMs: HOUR, buckets: 24 },
  week: { title: 'the last 7 days', bucketMs: 6 * HOUR, buckets: 28 },
  month: { title: 'the last 30 days', bucketMs: 24 * HOUR, buckets: 30 },
};
const STATUSES = ['created', 'paid', 'fulfilling', 'out_stock', 'delivering', 'signed', 'refused', 'canceled', 'invalid'];

// Each bar is read in slices of at most so many orders, by the primary key: the page costs the
// same however many orders there are. Of a slice with more, what was read stands for the rest.
const SLICES = 4;
const SLICE_MOST = 1000;

async function ordersOverTime(q, range) {
  const { bucketMs, buckets } = RANGES[range];
  const sliceMs = bucketMs / SLICES;
  const end = (Math.floor(Date.now() / bucketMs) + 1) * bucketMs;
  const begin = end - buckets * bucketMs;
  const slices = Array.from({ length: buckets * SLICES }, (_, i) => begin + i * sliceMs);
  const rows = await q(`
SELECT b.slice::integer, o.status, count(*)::integer AS orders, max(o.order_id) AS last
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS b (low, high, slice)
CROSS JOIN LATERAL (
  SELECT v.order_id, v.status FROM order_ext.orders_view v
  WHERE v.order_id >= b.low AND v.order_id < b.high ORDER BY v.order_id LIMIT ${SLICE_MOST}) o
GROUP BY 1, 2`, [slices.map(orderIdAt), slices.map((at) => orderIdAt(at + sliceMs))]);

  const read = slices.map(() => ({ orders: 0, last: 0n }));
  for (const { slice, orders, last } of rows) {
    const of = read[slice - 1];
    of.orders += orders;
    if (BigInt(last) > of.last) of.last = BigInt(last);
  }
  const weights = read.map(({ orders, last }, i) =>
    (orders < SLICE_MOST ? 1 : Math.max(1, sliceMs / Math.max(1000, timeOfOrderId(last) - slices[i]))));
  const bars = Array.from({ length: buckets }, (_, i) => ({
    at: new Date(begin + i * bucketMs), total: 0, counts: Object.fromEntries(STATUSES.map((status) => [status, 0])),
  }));
  for (const { slice, status, orders } of rows) {
    const bar = bars[Math.floor((slice - 1) / SLICES)];
    const n = orders * weights[slice - 1];
    bar.counts[status] = (bar.counts[status] ?? 0) + n;
    bar.total += n;
  }
  for (const bar of bars) {
    bar.total = Math.round(bar.total);
    for (const status of Object.keys(bar.counts)) bar.counts[status] = Math.round(bar.counts[status]);
  }
  return {
    bars,
    statuses: STATUSES.filter((status) => bars.some((bar) => bar.counts[status] > 0)),
    estimated: weights.some((weight) => weight > 1),
  };
}

module.exports = ({ page, database, config }) => {
  page('/', 'overview', async (q, query) => {
    const range = Object.hasOwn(RANGES, query.range ?? '') ? query.range : 'day';
    const chart = await ordersOverTime(q, range);
    const [load] = await q(`
SELECT count(*) AS groups, coalesce(sum(lag), 0) AS lag, coalesce(sum(retrying), 0) AS retrying, coalesce(sum(dead), 0) AS dead,
  bool_and(lag_exact) AS exact, extract(epoch FROM max(oldest_age))::float8 AS oldest FROM order_ext.consumer_stats`);
    const [{ paused }] = await q('SELECT count(*) AS paused FROM order_ext.subscriptions_view WHERE paused');
    const workers = await q(`
SELECT state, count(*) AS n FROM order_ext.worker_stats WHERE database IS NULL OR database = current_database() GROUP BY 1 ORDER BY 1`);
    const found = await findings(database, config);
    return { title: 'Overview', range, ranges: RANGES, chart, load, paused, workers, found, place, summary: summary(found) };
  });

  page('/search', 'search', async (q, query) => {
    const wanted = (query.q ?? '').trim().slice(0, 128);
    const hits = wanted === '' || wanted.includes('\0') ? [] : await find(q, wanted);
    return hits.length === 1 ? { redirect: hits[0].href } : { title: 'Search', wanted, hits };
  });
};
