-- The sweep notes when it ran, and schedule_jobs() that it should.
ALTER TABLE order_ext_internal.sweep_progress ADD COLUMN swept_at timestamptz;
ALTER TABLE order_ext_internal.instance ADD COLUMN jobs_since timestamptz;
