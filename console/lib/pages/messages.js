// Consumer groups and their dead letters; timers.
'use strict';

const { isId } = require('../ids');

const GROUPS = 500;
const LETTERS = 50;
const PARKED = 10000;

const GROUP_SQL = `
SELECT s.consumer_group, s.topic, s.handler, s.run_as, s.max_attempts, s.backoff, s.builtin, s.ordered, s.paused,
  c.lag, c.lag_exact, c.retrying, c.dead, c.parked, c.consumed, extract(epoch FROM c.oldest_age)::float8 AS oldest
FROM order_ext.subscriptions_view s JOIN order_ext.consumer_stats c USING (consumer_group)`;

// Lateness at a percentile, out of the histogram of metrics(): {count, p50, p99} in seconds.
function lateness(metrics) {
  const buckets = [...metrics.matchAll(/^order_ext_timer_lateness_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)]
    .map(([, le, n]) => ({ le: le === '+Inf' ? Infinity : Number(le), n: Number(n) }));
  const count = buckets.at(-1)?.n ?? 0;
  const at = (share) => (count === 0 ? null : buckets.find(({ n }) => n >= share * count)?.le ?? null);
  return { count, p50: at(0.5), p99: at(0.99) };
}

module.exports = ({ page, asOperator, Refusal }) => {
  page('/messages', 'messages', async (q) => {
    const groups = await q(`${GROUP_SQL} ORDER BY c.dead > 0 DESC, s.paused DESC, c.lag + c.retrying DESC, s.builtin, 1 LIMIT ${GROUPS}`);
    return { title: 'Messages', groups, most: GROUPS };
  });

  page('/messages/:group', 'group', async (q, query, { group: name }) => {
    const [group] = await q(`${GROUP_SQL} WHERE s.consumer_group = $1`, [name]);
    if (!group) throw new Refusal(404, 'There is no such consumer group.', 'The page Messages lists them.');
    const after = isId(query.after ?? '') ? query.after : '0';
    const letters = await q(`
SELECT message_id, topic, key, attempts, last_sqlstate, died_at FROM order_ext.dead_letters
WHERE consumer_group = $1 AND message_id > $2 ORDER BY message_id LIMIT ${LETTERS + 1}`, [name, after]);
    const parked = group.parked > 0 && group.parked <= PARKED ? await q(`
SELECT key, waiting, since FROM order_ext.parked_keys WHERE consumer_group = $1 ORDER BY since LIMIT ${LETTERS}`, [name]) : [];
    return {
      title: `Group ${name}`,
      group,
      letters: letters.slice(0, LETTERS),
      next: letters.length > LETTERS ? letters[LETTERS - 1].message_id : null,
      parked,
    };
  });

  page('/messages/:group/dead/:id', 'dead_letter', async (q, query, { group: name, id }, req) => {
    if (!isId(id)) throw new Refusal(404, 'That is no id of a message.');
    const [letter] = await q(`
SELECT message_id, consumer_group, topic, key, attempts, last_sqlstate, died_at FROM order_ext.dead_letters
WHERE consumer_group = $1 AND message_id = $2`, [name, id]);
    const attempts = await q(`
SELECT attempt, state, sqlstate, worker, started_at, extract(epoch FROM duration)::float8 AS seconds FROM order_ext.attempt_log
WHERE message_id = $1 AND consumer_group = $2 ORDER BY started_at LIMIT 200`, [id, name]);
    if (!letter && attempts.length === 0) throw new Refusal(404, `Message ${id} is no dead letter of this group.`, 'It was delivered again, or given up.');
    const [order] = letter && isId(letter.key) ? await q('SELECT order_id, status FROM order_ext.orders_view WHERE order_id = $1', [letter.key]) : [];
    const secret = await asOperator(req, async (ask) => {
      const [dead] = await ask('SELECT payload, last_error FROM order_ext.dead_letters WHERE consumer_group = $1 AND message_id = $2', [name, id]);
      const errors = await ask('SELECT started_at, error FROM order_ext.attempt_log WHERE message_id = $1 AND consumer_group = $2 ORDER BY started_at LIMIT 200', [id, name]);
      return { ...dead, errors: new Map(errors.map((row) => [row.started_at.getTime(), row.error])) };
    });
    return { title: `Dead letter ${id}`, letter, name, id, attempts, order, secret };
  });

  page('/timers', 'timers', async (q, query) => {
    const [{ metrics }] = await q('SELECT order_ext.metrics() AS metrics');
    const counted = query.count === 'yes'
      ? (await q('SELECT pending, next_due FROM order_ext.timer_stats'))[0] : null;
    const key = /^-?[0-9]{1,19}$/.test(query.key ?? '') ? query.key : '';
    const timers = key === '' ? [] : await q(`
SELECT m.message_id, m.topic, m.state, m.published_at, t.builtin
FROM order_ext.message_trace($1) m LEFT JOIN order_ext.topics_view t USING (topic)
WHERE m.state IN ('timer', 'void') LIMIT 200`, [key]);
    return { title: 'Timers', late: lateness(metrics), counted, key, timers };
  });
};
