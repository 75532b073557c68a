// Background processes.
'use strict';

module.exports = ({ page }) => {
  page('/workers', 'workers', async (q) => ({
    title: 'Workers',
    workers: await q(`
SELECT pid, database, role, kind, state, batches, messages, last_active, database IS NULL OR database = current_database() AS ours
FROM order_ext.worker_stats ORDER BY ours DESC, database NULLS FIRST, kind DESC, role LIMIT 500`),
  }));
};
