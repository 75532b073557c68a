// A web console for the people who run order_ext; docs/console.md says how to run it.
'use strict';

const http = require('node:http');
const { create } = require('./lib/app');
const { ConfigError, load } = require('./lib/config');
const { Database, NotAllowed } = require('./lib/database');

function log(line) {
  process.stdout.write(`${new Date().toISOString()} ${line.replace(/[\x00-\x09\x0b-\x1f\x7f]/g, ' ')}\n`);
}

async function main() {
  const config = load(process.env);
  const database = new Database(config);
  await database.check();

  const server = http.createServer({ requestTimeout: 30000, headersTimeout: 10000 });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  const origins = config.origins(server.address().port);
  const app = create({ config, database, origins, log });
  server.on('request', app);
  log(`the console is at ${origins[0]}`);

  function stop() {
    app.close();
    server.close(() => database.close().finally(() => process.exit(0)));
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 5000).unref();
  }
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error) => {
  const reason = error instanceof ConfigError || error instanceof NotAllowed || error.code ? error.message : error.stack;
  process.stderr.write(`error: the console cannot start: ${reason || error.code}\n`);
  process.exit(1);
});
