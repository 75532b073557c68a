// The console in a real browser: what people see and do, and what attackers try. Prints TAP.
//
//   node browser.js URL FACTS     FACTS: a file of what there is to find, see test/t/430_console.pl
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const { chromium } = require('playwright-core');

const [, , base, factsFile] = process.argv;
const facts = JSON.parse(fs.readFileSync(factsFile, 'utf8'));
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

// A busy machine is no failure.
const PATIENCE_MS = 120000;

let tests = 0;
function ok(holds, name, got) {
  tests++;
  process.stdout.write(`${holds ? 'ok' : 'not ok'} ${tests} - ${name}\n`);
  if (!holds && got !== undefined) process.stdout.write(`# ${String(got).replace(/\n/g, '\n# ').slice(0, 2000)}\n`);
  return holds;
}
const is = (got, expected, name) => ok(got === expected, name, `${JSON.stringify(got)}, not ${JSON.stringify(expected)}`);
const like = (got, pattern, name) => ok(pattern.test(got), name, got);

// A request as a browser would not send it.
function request(method, path, { headers = {}, form } = {}) {
  const body = form ? new URLSearchParams(form).toString() : '';
  return new Promise((resolve, reject) => {
    const req = http.request(base + path, {
      method, headers: { ...(form && { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) }), ...headers },
    }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk) => { text += chunk; }).on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
    });
    req.on('error', reject);
    req.end(body);
  });
}

const PAGES = ['/', '/?range=hour', '/orders', `/orders/${facts.order}`, `/orders/${facts.order}?show=all`, `/orders/${facts.unknown}`,
  '/payments', `/payments/${facts.held}`, '/refunds?kind=all', `/refunds/${facts.failed}`, '/facts', '/facts?kind=all', `/facts/${facts.fact}`,
  '/after-sales', `/after-sales/${facts.sale}`, '/messages', '/messages/broken', `/messages/broken/dead/${facts.dead}`,
  `/timers?key=${facts.order}&count=yes`, '/workers', '/health', '/search', '/search?q=nothing', '/no/such/page'];

async function signIn(page, user, password) {
  await page.getByLabel('Name').fill(user);
  await page.getByLabel('Password').fill(password);
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Sign in' }).click()]);
}

// Opens the decision, fills in its fields by their labels, and sends it.
async function decide(page, title, fields = {}) {
  const decision = page.locator('details', { has: page.locator('summary', { hasText: title }) });
  await decision.locator('summary').click();
  for (const [label, value] of Object.entries(fields)) {
    const field = decision.getByLabel(label, { exact: true });
    if (await field.evaluate((element) => element.tagName) === 'SELECT') await field.selectOption({ label: value });
    else await field.fill(value);
  }
  await Promise.all([page.waitForNavigation(), decision.getByRole('button', { name: title }).click()]);
}

// ---- before anybody has signed in ----

async function outside() {
  const first = await request('GET', '/orders?status=paid');
  is(first.status, 303, 'nothing is shown before signing in');
  is(first.headers.location, '/login?next=%2Forders%3Fstatus%3Dpaid', 'and where one wanted to go is remembered');
  const login = await request('GET', '/login');
  const policy = login.headers['content-security-policy'];
  ok(/default-src 'none'/.test(policy) && /script-src 'self'/.test(policy) && !/unsafe/.test(policy), 'the policy allows our own scripts only', policy);
  like(policy, /frame-ancestors 'none'/, 'nobody frames the console');
  is(login.headers['x-content-type-options'], 'nosniff', 'types are not guessed');
  is(login.headers['cache-control'], 'no-store', 'pages are not kept');
  is(login.headers['x-powered-by'], undefined, 'the server does not say what it is');
  like(login.headers['set-cookie'].join(), /HttpOnly; SameSite=Strict/, 'cookies are for the server only');
  ok(!login.text.includes('<script>') && !/ style=| on[a-z]+=/.test(login.text), 'no script or style inside of a page');
  is((await request('GET', '/healthz')).text, 'ok\n', 'monitors get an answer');
  is((await request('GET', '/', { headers: { Host: 'evil.example' } })).status, 421, 'another name of the host is not answered');
  is((await request('GET', '/login?next=//evil.example')).text.includes('evil.example'), false, 'signing in does not lead away');
  for (const path of ['/static/../server.js', '/static/%2e%2e/package.json', '/static/..%2fpackage.json']) {
    ok((await request('GET', path)).status >= 300, `${path} is no file`);
  }
  is((await request('POST', '/login', { form: { user: 'alice', password: facts.password } })).status, 403, 'signing in takes the token of its form');
}

// Signing in as by the form, but with what the form would not send; returns the answer.
async function attempt(user, password) {
  const page = await request('GET', '/login');
  const cookie = page.headers['set-cookie'][0].split(';')[0];
  const [, token] = /name="token" value="([^"]+)"/.exec(page.text);
  return request('POST', '/login', { headers: { Cookie: cookie, Origin: base }, form: { user, password, token } });
}

async function refusedSignIns() {
  like((await attempt('nobody', 'x')).text, /Name or password is wrong/, 'an unknown role does not sign in');
  like((await attempt('alice', '')).text, /Name and password are needed/, 'nor an empty password');
  like((await attempt('trusted', 'anything')).text, /lets this role in without a password/, 'nor a role that the server trusts: a name proves nothing');
  like((await attempt('boss', facts.password)).text, /Superusers cannot sign in/, 'nor a superuser');
  like((await attempt('shop', facts.password)).text, /neither an operator nor an observer/, 'nor an application');
  const answers = [];
  for (let i = 0; i < 6; i++) answers.push((await attempt('carol', `guess-${i}`)).status);
  is(answers.join(), '403,403,403,403,403,429', 'guesses are limited');
  is((await attempt('carol', facts.password)).status, 429, 'then the right password has to wait, too');
}

// ---- an operator ----

async function operator(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => { if (message.type() === 'error' && !/status of 404/.test(message.text())) complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (sent) => { if (!sent.url().startsWith(base) && !sent.url().startsWith('data:')) complaints.push(`asked ${sent.url()}`); });

  await page.goto(`${base}/orders`);
  await signIn(page, 'alice', 'wrong');
  like(await page.getByRole('alert').textContent(), /Name or password is wrong/, 'a wrong password is refused');
  complaints.length = 0;
  await signIn(page, 'alice', facts.password);
  is(new URL(page.url()).pathname, '/orders', 'signing in leads to where one wanted to go');
  const cookies = await context.cookies();
  is(cookies.map(({ name, httpOnly, sameSite }) => `${name} ${httpOnly} ${sameSite}`).join(), 'order_ext_console true Strict', 'one cookie is left: of the session');
  ok(!JSON.stringify(cookies).includes(facts.password), 'it does not have the password');

  await page.goto(`${base}/`);
  await page.waitForFunction(() => window.Chart?.getChart('orders-chart'));
  const bars = await page.evaluate(() => window.Chart.getChart('orders-chart').data.datasets.flatMap((set) => set.data).reduce((a, b) => a + b));
  is(bars, facts.orders, 'the chart has all orders');
  like(await page.locator('main').textContent(), /Needs somebody.*payment \d+.*held money/s, 'the overview says what waits');

  // one field finds everything
  for (const [what, text] of [['external id', facts.external], ['trade number', facts.trade], ['order id', facts.order], ["gateway's refund number", facts.gatewayNo]]) {
    await page.getByLabel(/^Search/).fill(text);
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    like(new URL(page.url()).pathname, /^\/(orders|payments|refunds)\/\d+$/, `search by ${what} leads there`);
  }

  // lists are narrowed
  const listed = () => page.locator('tbody tr').count();
  await page.goto(`${base}/orders?status=fulfilling&sku=cup`);
  is(await listed(), facts.fulfilling, 'orders of a status and a product are listed');
  await page.getByLabel('Buyer', { exact: true }).fill('11');
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Show' }).click()]);
  is(await listed(), 1, 'and of a buyer');
  await page.getByLabel('Buyer', { exact: true }).fill('"; DROP TABLE orders');
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Show' }).click()]);
  like(await page.getByRole('alert').textContent(), /"user_id"/, 'what is no buyer is named');
  for (const [path, rest] of [['/orders?before=x', /Orders, newest first/], ['/refunds?kind=constructor&before=-1', /Refunds: failed/], ['/orders?status=x&status=y', /Orders, newest first/]]) {
    await page.goto(base + path);
    like(await page.locator('main').textContent(), rest, `${path} is answered`);
  }

  // an order's whole life
  await page.goto(`${base}/orders/${facts.order}`);
  const life = await page.locator('main').textContent();
  for (const [what, pattern] of Object.entries({
    amounts: /21\.00 CNY/, lines: /cup/, payments: new RegExp(facts.trade), timeline: /pay_amount|pay amount/, messages: /order\.paid/, actions: /apply_after_sale/,
  })) like(life, pattern, `an order's page has its ${what}`);
  ok(!life.includes('pwned'), 'remarks are not shown unasked');
  await Promise.all([page.waitForNavigation(), page.getByRole('link', { name: 'Show them' }).click()]);
  like(await page.locator('main').textContent(), /<script>window\.pwned = 1<\/script>/, 'a remark is shown as it was written');
  is(await page.evaluate(() => window.pwned), undefined, 'and does not run');

  // the policy holds for what gets into a page nevertheless
  is(await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.pwned = 2';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<img src="x:" onerror="window.pwned = 3">');
    return new Promise((resolve) => setTimeout(() => resolve(window.pwned), 200));
  }), undefined, 'a script inside of a page would not run');
  ok(complaints.some((text) => /Content Security Policy/.test(text)), 'the browser says that it was refused');
  complaints.length = 0;

  await decisions(page);
  is(complaints.filter((text) => !/status of 4\d\d/.test(text)).join('\n'), '', 'the pages break no policy, load nothing from elsewhere, and their scripts run');
  await forged(context, page);
  await page.goto(`${base}/`);
  await keyboard(page);
  await readable(browser, context);

  // out again
  await page.goto(`${base}/`);
  const [{ value }] = await context.cookies();
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Sign out' }).click()]);
  is((await context.cookies()).filter(({ name }) => name === 'order_ext_console').length, 0, 'signing out takes the cookie');
  is((await request('GET', '/', { headers: { Cookie: `order_ext_console=${value}` } })).status, 303, 'which is worth nothing any more');
  await page.goBack();
  is(new URL(page.url()).pathname, '/login', 'going back shows nothing');
  await context.close();
}

async function decisions(page) {
  const main = page.locator('main');
  const flash = () => page.getByRole('status').textContent();

  await page.goto(`${base}/payments/${facts.held}`);
  await decide(page, 'Assign to an order', { Order: '7' });
  const refusal = await page.getByRole('alert').textContent();
  like(refusal, /Order 7 .*OE001|order.*does not exist.*OE001/is, 'a refused call says why, in a sentence');
  ok(!/at .*\.js|Error:|node_modules/.test(await page.content()), 'and not where in the code');
  is(await page.getByLabel('Order', { exact: true }).inputValue(), '7', 'what was typed is still there');
  await page.goto(`${base}/payments/${facts.held}`);
  await decide(page, 'Decide about the payment', { Decision: 'Refund' });
  like(await flash(), /Done/, 'a held payment is refunded');
  like(await main.textContent(), /Refunds of this payment/, 'and has a refund now');

  await page.goto(`${base}/refunds`);
  is(await main.locator('td').first().textContent(), facts.failed, 'failed refunds are listed');
  await page.goto(`${base}/refunds/${facts.failed}`);
  await decide(page, 'Try the refund again');
  like(await flash(), /Done: \d+ is requested/, 'a failed refund is tried again');

  await page.goto(`${base}/orders/${facts.order}`);
  await decide(page, 'Refund by decision', { What: 'An amount', 'Amount (CNY)': '1000000.00', Reason: 'too much' });
  const tooMuch = await page.getByRole('alert').textContent();
  like(tooMuch, /OE501/, 'more than is left is refused');
  ok(await page.locator('.refusal .detail').count() === 1 && await page.locator('.refusal .hint').count() === 1, 'with its facts, and the next step', tooMuch);
  await page.getByLabel('Amount', { exact: false }).fill('1.50');
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Refund by decision' }).click()]);
  like(await flash(), /Done/, 'then an amount that is left is not');
  await decide(page, 'Refund by decision', { What: 'Pieces, as below', 'of 2 × cup (line 1)': '1' });
  like(await flash(), /Done/, 'nor a piece');

  await page.goto(`${base}/after-sales`);
  await Promise.all([page.waitForNavigation(), page.getByRole('link', { name: facts.sale, exact: true }).click()]);
  await decide(page, 'Review the application', { Decision: 'Reject', Reason: '<b>worn</b>' });
  like(await main.textContent(), /<b>worn<\/b>/, 'an application is reviewed');
  await decide(page, 'Reopen the application');
  like(await flash(), /is applied/, 'and reopened');

  await page.goto(`${base}/facts`);
  await Promise.all([page.waitForNavigation(), page.getByRole('link', { name: facts.fact, exact: true }).click()]);
  await decide(page, 'Say what was done', { 'What was done': 'called the bank' });
  like(await main.textContent(), /called the bank/, 'a held fact is resolved');

  await page.goto(`${base}/messages`);
  await Promise.all([page.waitForNavigation(), page.getByRole('link', { name: 'broken' }).click()]);
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Deliver again' }).click()]);
  like(await page.getByRole('alert').textContent(), /No message was chosen/, 'dead letters are chosen first');
  await page.goto(`${base}/messages/broken/dead/${facts.dead}`);
  like(await main.textContent(), /<script>window\.pwned = 4<\/script>/, 'the error of a dead letter is shown as it is');
  await decide(page, 'Deliver again');
  like(await flash(), /1 message is delivered again/, 'it is delivered again');
  await page.getByLabel('Message', { exact: false }).first().check();
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Give up' }).click()]);
  like(await flash(), /1 message was given up/, 'another one is given up');
  await decide(page, 'Pause the group');
  like(await page.getByRole('heading', { level: 1 }).textContent(), /paused/, 'a group is paused');
  await decide(page, 'Resume the group');

  await page.goto(`${base}/timers?key=77`);
  await decide(page, 'Give the timer another time', { 'Minutes from now': 'soon' });
  like(await page.getByRole('alert').textContent(), /"soon" is no number of minutes/, 'a time that is none is refused');
  await page.getByLabel('Minutes from now').fill('600');
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Give the timer another time' }).click()]);
  like(await flash(), /will be delivered then/, 'a timer gets another time');
  await decide(page, 'Cancel the timer');
  like(await flash(), /will not be delivered/, 'and is canceled');

  await page.goto(`${base}/health`);
  await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Check everything' }).click()]);
  for (let i = 0; i < 100 && !/verify\('full'\) at/.test(await main.textContent()) && !/Everything was in order/.test(await main.locator('#full ~ p').first().textContent()); i++) {
    await page.waitForTimeout(100);
    await page.reload();
  }
  ok(!/error/.test(await main.locator('table').last().textContent()), 'a full check finds no error');
}

// ---- forms that are not ours ----

async function forged(context, page) {
  const [{ value }] = await context.cookies();
  const Cookie = `order_ext_console=${value}`;
  const form = { order_id: facts.other, refund_policy: 'full', back: '/' };
  await page.goto(`${base}/orders/${facts.other}`);
  const token = await page.locator('input[name=token]').first().inputValue();
  const statuses = [];
  for (const [headers, body] of [
    [{}, form], [{}, { ...form, token: 'x' }], [{ Origin: 'http://evil.example' }, { ...form, token }],
    [{ Origin: 'null' }, { ...form, token }], [{ 'Sec-Fetch-Site': 'cross-site' }, { ...form, token }], [{ Cookie: '' }, { ...form, token }]]) {
    statuses.push((await request('POST', '/do/cancel_order', { headers: { Cookie, ...headers }, form: body })).status);
  }
  is(statuses.join(), '403,403,403,403,403,403', 'a decision without the token, from elsewhere, or without a session is refused');
  is((await request('GET', '/do/cancel_order?order_id=1', { headers: { Cookie } })).status, 404, 'a link decides nothing');
  is((await request('POST', '/logout', { headers: { Cookie }, form: {} })).status, 403, 'signing out takes the token, too');
  is((await request('POST', '/do/constructor', { headers: { Cookie }, form: { token } })).status, 404, 'there is no other call than the decisions');
  is((await request('POST', '/do/cancel_order', { headers: { Cookie }, form: { ...form, order_id: "1'; DROP TABLE x", token } })).status, 422, 'an id is a number');
  const away = await request('POST', '/do/pause', { headers: { Cookie }, form: { token, consumer_group: 'broken', back: '//evil.example/' } });
  is(away.headers.location, '/', 'a decision does not lead away');
  await request('POST', '/do/resume', { headers: { Cookie }, form: { token, consumer_group: 'broken', back: '/' } });
  is((await request('POST', '/do/pause', { headers: { Cookie }, form: { token, consumer_group: 'x'.repeat(40000) } })).status, 413, 'a form has an end');
  await page.reload();
  ok(!/canceled/.test(await page.getByRole('heading', { level: 1 }).textContent()), 'nothing of that was done');
}

// ---- without a mouse ----

async function keyboard(page) {
  const focused = () => page.evaluate(() => {
    const { activeElement: at } = document;
    const style = getComputedStyle(at);
    return { text: (at.textContent || at.name || '').trim(), tag: at.tagName, id: at.id, outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
  });
  await page.goto(`${base}/orders/${facts.other}`);
  await page.keyboard.press('Tab');
  is((await focused()).text, 'Skip to the content', 'the first key leads past the navigation');
  await page.keyboard.press('Enter');
  is((await focused()).id, 'main', 'to the content');
  let at;
  let visible = true;
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press('Tab');
    at = await focused();
    visible &&= at.outline;
    if (at.tag === 'SUMMARY' && at.text === 'Cancel the order') break;
  }
  is(at.text, 'Cancel the order', 'keys reach a decision');
  ok(visible, 'and one sees where they are');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('by keyboard');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  like(await page.getByRole('heading', { level: 1 }).textContent(), /canceled/, 'and make it');
  like(await page.locator('.timeline').textContent(), /cancel by staff \(alice\)/, 'the timeline says who did it');
}

// ---- for everybody's eyes and ears ----

// Texts whose contrast with what is behind them is too low, and what has no name.
function unreadable() {
  const found = [];
  const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.getClientRects().length === 0 || element.closest('.skip, .hidden, option')) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${element.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  for (const field of document.querySelectorAll('input:not([type=hidden]), select')) {
    if (field.labels.length === 0 && !field.ariaLabel) found.push(`${field.name} has no label`);
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => found.push(`id ${id} twice`));
  if (document.querySelectorAll('h1').length !== 1) found.push('not one heading');
  if (document.querySelectorAll('main').length !== 1 || !document.documentElement.lang) found.push('no main or language');
  document.querySelectorAll('table').forEach((table) => {
    if (!table.caption || table.querySelectorAll('thead th[scope]').length === 0) found.push('a table without caption or heads');
  });
  return found;
}

// In the light on a desk, and in the dark on a telephone.
async function readable(browser, signedIn) {
  for (const [colorScheme, width, where] of [['light', 1280, 'on a desk'], ['dark', 360, 'on a telephone']]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 740 }, storageState: await signedIn.storageState() });
    const page = await context.newPage();
    const found = new Set();
    const wide = [];
    for (const path of PAGES) {
      await page.goto(base + path);
      const { scroll, client } = await page.evaluate(() => {
        document.querySelectorAll('details').forEach((details) => { details.open = true; });
        return { scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth };
      });
      if (scroll > client) wide.push(`${path}: ${scroll}`);
      for (const finding of await page.evaluate(unreadable)) found.add(`${path} ${finding}`);
    }
    is(wide.join('\n'), '', `no page is too wide ${where}`);
    is([...found].join('\n'), '', `${colorScheme} pages ${where} are readable, and all fields have names`);
    await context.close();
  }
}

// ---- an observer ----

async function observer(browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${base}/orders/${facts.order}?show=all`);
  await signIn(page, 'bob', facts.password);
  const text = await page.locator('main').textContent();
  ok(/Possible for operators/.test(text) && !/pwned/.test(text), 'an observer sees neither forms nor remarks');
  await page.goto(`${base}/messages/broken/dead/${facts.lastDead}`);
  ok(!/pwned/.test(await page.content()), 'nor what handlers said');
  const [{ value }] = await context.cookies();
  const token = await page.locator('input[name=token]').first().inputValue();
  const headers = { Cookie: `order_ext_console=${value}` };
  is((await request('POST', '/do/pause', { headers, form: { token, consumer_group: 'broken' } })).status, 403, 'and decides nothing');
  is((await request('POST', '/verify', { headers, form: { token } })).status, 403, 'nor starts a full check');
  await context.close();
}

async function main() {
  await outside();
  await refusedSignIns();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await newContext(options);
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  };
  try {
    await operator(browser);
    await observer(browser);
  } finally {
    await browser.close();
  }
  process.stdout.write(`1..${tests}\n`);
}

main().catch((error) => {
  process.stdout.write(`not ok ${tests + 1} - the browser's test ends well\n# ${error.stack.replace(/\n/g, '\n# ')}\n`);
  process.exit(1);
});
