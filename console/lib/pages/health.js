// verify(): is everything in order, and what waits.
'use strict';

const { findings, full, place, startFull } = require('../findings');

module.exports = ({ app, page, config, database, log, Refusal }) => {
  page('/health', 'health', async (q, query) => {
    const [{ version }] = await q('SELECT order_ext.version() AS version');
    const found = await findings(database, config, { renew: false });
    const kind = /^[a-z-]{1,30}$/i.test(query.kind ?? '') ? query.kind : '';
    return { title: 'Health', version, found, full, place, kind };
  });

  app.post('/verify', (req, res) => {
    if (!req.session.operator) throw new Refusal(403, 'Your role may read, but not start a full check.', 'Sign in with a role of kind operator.');
    const started = startFull(database, config, req.session.user);
    if (started) log(`${JSON.stringify(req.session.user)} has started verify('full')`);
    req.session.flash = { title: 'Full check', text: started ? 'It has begun. Load this page again for its result.' : 'One is running already.' };
    res.redirect(303, '/health#full');
  });
};
