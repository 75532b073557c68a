// graphile-worker's side: tasks that do what the handlers of the others do. With its local queue
// and batched completion, which its documentation recommends for throughput.
import { run } from 'graphile-worker';
import pg from 'pg';

const connectionString = process.env.BENCH_URL;
const pgPool = new pg.Pool({ connectionString, max: 12 });
const localQueue = process.env.BENCH_LOCAL_QUEUE === '1';
let counted = 0;

const runner = await run({
  preset: {
    worker: {
      concurrentJobs: 10,
      pollInterval: 100,
      maxPoolSize: 12,
      ...(localQueue ? { localQueue: { size: 500 }, completeJobBatchDelay: 0 } : {}),
    },
  },
  pgPool,
  noHandleSignals: true,
  taskList: {
    each: async ({ n, key }) => {
      await pgPool.query(
        'UPDATE public.target SET hits = hits + 1, last = $2 WHERE id = $1', [key, n]);
    },
    effect: async ({ n }) => {
      await pgPool.query('INSERT INTO public.effects VALUES ($1, clock_timestamp())', [n]);
    },
    count: async () => { counted++; },
    migrate: async () => {},
  },
});

// The counts of a batch, as a handler that gets a batch writes them.
setInterval(async () => {
  const n = counted;
  counted = 0;
  if (n > 0) await pgPool.query('INSERT INTO public.batches VALUES ($1)', [n]);
}, 5);
process.on('SIGTERM', async () => { await runner.stop(); process.exit(0); });
console.log('ready');
