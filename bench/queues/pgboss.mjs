// pg-boss's side: workers that do what the handlers of the others do, with the shortest polling
// interval that it accepts and batches of 500.
import PgBoss from 'pg-boss';
import pg from 'pg';

const connectionString = process.env.BENCH_URL;
const pool = new pg.Pool({ connectionString, max: 4 });
const boss = new PgBoss({ connectionString, supervise: false, schedule: false });
boss.on('error', (error) => console.error(error.message));
await boss.start();

const batches = { batchSize: 500, pollingIntervalSeconds: 0.5 };
const handlers = {
  each: async (jobs) => {
    for (const { data } of jobs) {
      await pool.query(
        'UPDATE public.target SET hits = hits + 1, last = $2 WHERE id = $1', [data.key, data.n]);
    }
  },
  set: async (jobs) => {
    await pool.query(`
      UPDATE public.target AS t SET hits = t.hits + m.hits, last = m.last
      FROM (SELECT key, count(*) AS hits, max(n) AS last
            FROM unnest($1::bigint[], $2::bigint[]) AS u (key, n) GROUP BY key) AS m
      WHERE t.id = m.key`, [jobs.map((job) => job.data.key), jobs.map((job) => job.data.n)]);
  },
  effect: async (jobs) => {
    for (const { data } of jobs) {
      await pool.query('INSERT INTO public.effects VALUES ($1, clock_timestamp())', [data.n]);
    }
  },
  count: async (jobs) => {
    await pool.query('INSERT INTO public.batches VALUES ($1)', [jobs.length]);
  },
};
for (const name of [...Object.keys(handlers), 'idle']) await boss.createQueue(name);
if (process.env.BENCH_SETUP !== '1') {
  for (const [name, handler] of Object.entries(handlers)) await boss.work(name, batches, handler);
}
process.on('SIGTERM', async () => { await boss.stop({ graceful: false }); process.exit(0); });
console.log('ready');
