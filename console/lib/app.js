// The web server: what every request passes, logging in, decisions; the pages are in pages/.
'use strict';

const path = require('node:path');
const { randomUUID } = require('node:crypto');
const express = require('express');
const { Attempts, Sessions, same } = require('./sessions');
const { checkToken, headers, localPath, ownHost, ownOrigin, Refusal } = require('./security');
const { NotAllowed } = require('./database');
const { decisions, outcome } = require('./decisions');
const { forget } = require('./findings');
const { explain, isFromDatabase } = require('./errors');
const { helpers, render } = require('./view');
const money = require('./money');

// How long a session goes on before its name and password are tried again.
const RECHECK_MS = 5 * 60 * 1000;

const NAV = [['/', 'Overview'], ['/orders', 'Orders'], ['/payments', 'Payments'], ['/refunds', 'Refunds'],
  ['/after-sales', 'After-sales'], ['/messages', 'Messages'], ['/timers', 'Timers'], ['/workers', 'Workers'], ['/health', 'Health']];

function cookies(header) {
  const found = {};
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name && value !== undefined && !(name in found)) found[name] = value;
  }
  return found;
}

function create({ config, database, origins, log }) {
  const app = express();
  const sessions = new Sessions(config);
  const attempts = new Attempts();
  const h = helpers(config);

  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  // Behind a proxy of this machine, the address of a browser is what it says.
  app.set('trust proxy', config.secure ? 'loopback' : false);
  app.use(headers(config));
  app.use(ownHost(origins));

  const files = { index: false, dotfiles: 'ignore', setHeaders: (res) => res.set('Cache-Control', 'no-cache') };
  app.use('/static', express.static(path.join(__dirname, '..', 'static'), files));
  const chart = path.join(path.dirname(require.resolve('chart.js')), 'chart.umd.min.js');
  app.get('/static/chart.js', (req, res) => res.sendFile(chart, { cacheControl: false, headers: { 'Cache-Control': 'no-cache' } }));
  app.get('/favicon.ico', (req, res) => res.redirect(301, '/static/icon.svg'));

  // For monitors; asked of the database at most once a second, whoever asks.
  let alive = null;
  app.get('/healthz', async (req, res) => {
    if (!alive || Date.now() - alive.at > 1000) {
      alive = { at: Date.now(), up: database.read((q) => q('SELECT 1'), 2000).then(() => true, () => false) };
    }
    const up = await alive.up;
    res.status(up ? 200 : 503).type('text').send(up ? 'ok\n' : 'no database\n');
  });

  app.use(ownOrigin(origins));
  app.use(express.urlencoded({ extended: false, limit: '32kb', parameterLimit: 1500 }));
  app.use((req, res, next) => {
    const cookie = cookies(req.headers.cookie);
    req.sessionCookie = cookie[sessions.cookie];
    req.loginCookie = cookie[sessions.loginCookie];
    req.session = sessions.find(req.sessionCookie);
    next();
  });

  // Renders a page; what was said by the last decision is said once.
  function show(req, res, template, data = {}) {
    const { session } = req;
    const flash = session?.flash ?? null;
    if (session) session.flash = null;
    res.type('html').send(render(template, {
      h,
      flash,
      nav: NAV,
      path: req.path,
      here: req.originalUrl,
      consoleName: config.name,
      timeZone: config.timeZone,
      person: session && { user: session.user, operator: session.operator },
      token: session?.token,
      newRequestId: () => `console-${randomUUID()}`,
      decisions,
      query: one(req.query),
      q: '',
      ...data,
    }));
  }

  // ---- logging in and out ----

  function loginPage(req, res, { status = 200, message = '', user = '', next = '/' } = {}) {
    const cookie = sessions.newLoginCookie();
    res.cookie(sessions.loginCookie, cookie, { ...sessions.cookieOptions, maxAge: 3600000 });
    res.status(status);
    show(req, res, 'login', { title: 'Sign in', message, user, next, loginToken: sessions.loginToken(cookie) });
  }

  app.get('/login', (req, res) => {
    const next = localPath(req.query.next);
    if (req.session) return res.redirect(303, next);
    loginPage(req, res, { next });
  });

  app.post('/login', async (req, res) => {
    const { user, password, token, next: wanted } = req.body ?? {};
    const next = localPath(wanted);
    if (!req.loginCookie || !same(token, sessions.loginToken(req.loginCookie))) {
      return loginPage(req, res, { status: 403, message: 'This page was open for too long. Please sign in again.', next });
    }
    // An empty password would be looked up in a password file.
    if (typeof user !== 'string' || typeof password !== 'string' || user === '' || password === '' || user.length > 63 || password.length > 1024 || user.includes('\0')) {
      return loginPage(req, res, { status: 422, message: 'Name and password are needed.', next });
    }
    const wait = attempts.begin(req.ip, user);
    if (wait > 0) {
      log(`sign-in of ${JSON.stringify(user)} from ${req.ip}: too many attempts`);
      res.set('Retry-After', String(wait));
      return loginPage(req, res, { status: 429, message: `Too many attempts. Try again in ${Math.ceil(wait / 60)} minutes.`, user, next });
    }
    let role;
    try {
      role = await database.login(user, password);
    } catch (error) {
      const wrong = isFromDatabase(error) && /^(28|42501|3D)/.test(error.code);
      if (!wrong && !(error instanceof NotAllowed)) throw error;
      log(`sign-in of ${JSON.stringify(user)} from ${req.ip} refused: ${wrong ? error.code : error.message}`);
      return loginPage(req, res, { status: 403, message: wrong ? 'Name or password is wrong.' : error.message, user, next });
    }
    attempts.succeeded(req.ip, user);
    sessions.end(req.sessionCookie);
    res.clearCookie(sessions.loginCookie, sessions.cookieOptions);
    res.cookie(sessions.cookie, sessions.begin({ user, password, operator: role.operator }), sessions.cookieOptions);
    log(`${JSON.stringify(user)} has signed in from ${req.ip}`);
    res.redirect(303, next);
  });

  // From here on, for those who have logged in.
  app.use((req, res, next) => {
    if (req.session) return next();
    if (!['GET', 'HEAD'].includes(req.method)) throw new Refusal(403, 'Your session is over.', 'Nothing was done. Sign in, and repeat.');
    res.redirect(303, req.originalUrl === '/' ? '/login' : `/login?next=${encodeURIComponent(localPath(req.originalUrl))}`);
  });
  // A role that was dropped, locked or given another password is out within minutes.
  app.use(async (req, res, next) => {
    const { session } = req;
    if (Date.now() - session.checkedAt < RECHECK_MS) return next();
    session.checkedAt = Date.now();
    try {
      session.operator = (await database.login(session.user, session.password)).operator;
    } catch (error) {
      if (!(error instanceof NotAllowed) && !(isFromDatabase(error) && error.code.startsWith('28'))) {
        session.checkedAt = 0;
        throw error;
      }
      log(`${JSON.stringify(session.user)} may not sign in any more`);
      sessions.end(req.sessionCookie);
      return res.redirect(303, '/login');
    }
    next();
  });
  app.use((req, res, next) => {
    if (!['GET', 'HEAD'].includes(req.method)) checkToken(req.body?.token, req.session.token);
    next();
  });

  app.post('/logout', (req, res) => {
    log(`${JSON.stringify(req.session.user)} has signed out`);
    sessions.end(req.sessionCookie);
    res.clearCookie(sessions.cookie, sessions.cookieOptions);
    res.redirect(303, '/login');
  });

  // ---- decisions ----

  app.post('/do/:decision', async (req, res) => {
    const name = req.params.decision;
    const decision = Object.hasOwn(decisions, name) ? decisions[name] : null;
    if (!decision) throw new Refusal(404, 'There is no such decision.');
    const { token, back, ...fields } = req.body;
    const next = localPath(back);
    if (!req.session.operator) throw new Refusal(403, 'Your role may read, but not decide.', 'Sign in with a role of kind operator.');
    try {
      const rows = await database.decide(req.session, (q) => decision.call(q, fields));
      log(`${JSON.stringify(req.session.user)}: ${name} ${JSON.stringify(fields)}`);
      forget();
      req.session.flash = { title: decision.title, text: outcome(decision, rows) };
      res.redirect(303, next);
    } catch (error) {
      const refusal = explain(error);
      if (!refusal) throw error;
      log(`${JSON.stringify(req.session.user)}: ${name} ${JSON.stringify(fields)} refused: ${refusal.code ?? refusal.status}`);
      res.status(refusal.status);
      show(req, res, 'refused', { title: decision.title, refusal, name, decision, values: fields, back: next });
    }
  });

  // ---- pages ----

  // page(path, template, load): load(q, query, params, req) returns the template's data, or
  // {redirect}; it reads in one snapshot.
  function page(route, template, load, options = {}) {
    app.get(route, async (req, res) => {
      const query = one(req.query);
      const data = await database.read(async (q) => {
        const loaded = await load(q, query, req.params, req);
        await money.learn(q, loaded);
        return loaded;
      }, options.timeoutMs);
      if (data.redirect) return res.redirect(303, data.redirect);
      show(req, res, data.template ?? template, { ...data, q: query.q ?? '' });
    });
  }

  // What observers do not see, for a page of somebody who may: NULL for others.
  async function asOperator(req, work) {
    return req.session.operator ? database.decide(req.session, work, { readOnly: true }) : null;
  }

  const tools = { app, asOperator, config, database, log, page, Refusal, show };
  for (const name of ['overview', 'orders', 'money', 'after_sales', 'messages', 'workers', 'health']) {
    require(`./pages/${name}`)(tools);
  }

  // ---- errors ----

  app.use(() => {
    throw new Refusal(404, 'There is no such page.', 'The search finds orders, payments and refunds by their numbers.');
  });

  app.use((error, req, res, next) => {
    if (res.headersSent) return next(error);
    const known = explain(error);
    if (!known || known.status >= 500) log(`${req.requestId} ${req.method} ${req.path}: ${known ? error.message : error.stack}`);
    const refusal = known ?? {
      status: 500, title: 'The console has failed', message: 'Something went wrong in the console.', hint: `Its log says more under ${req.requestId}.`,
    };
    res.status(refusal.status);
    show(req, res, 'error', { title: refusal.title, refusal });
  });

  app.close = () => clearInterval(sessions.sweeper);
  return app;
}

// Each parameter once, as a string.
function one(query) {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, 200) : '']));
}

module.exports = { create };
