// The console's settings, from the environment. Where the database is, is said as to psql: PGHOST,
// PGPORT, PGDATABASE, PGUSER, PGSSLMODE, and PGPASSWORD or a password file.
'use strict';

const HOUR = 3600 * 1000;
const MINUTE = 60 * 1000;

class ConfigError extends Error {}

function number(env, name, standard, least, most) {
  const text = env[name] ?? '';
  if (text === '') return standard;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new ConfigError(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
  }
  return value;
}

// What browsers are told to call the console, scheme and host; nothing else is answered.
function origins(env, port) {
  if (!env.CONSOLE_ORIGIN) {
    return ['127.0.0.1', 'localhost', '[::1]'].map((host) => `http://${host}:${port}`);
  }
  let url;
  try {
    url = new URL(env.CONSOLE_ORIGIN);
  } catch {
    throw new ConfigError(`CONSOLE_ORIGIN must be an address such as https://console.example.com, not "${env.CONSOLE_ORIGIN}"`);
  }
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new ConfigError('CONSOLE_ORIGIN must begin with https://: passwords pass here');
  }
  if (url.pathname !== '/' || url.search || url.hash || url.username) {
    throw new ConfigError('CONSOLE_ORIGIN must be a scheme and a host only');
  }
  return [url.origin];
}

function timeZone(env) {
  const name = env.CONSOLE_TIME_ZONE || 'UTC';
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
  } catch {
    throw new ConfigError(`CONSOLE_TIME_ZONE must be a time zone such as Asia/Shanghai, not "${name}"`);
  }
  return name;
}

function load(env) {
  const port = number(env, 'CONSOLE_PORT', 8480, 0, 65535);
  return {
    host: env.CONSOLE_HOST || '127.0.0.1',
    port,
    origins: (boundPort) => origins(env, boundPort),
    secure: (env.CONSOLE_ORIGIN ?? '').startsWith('https:'),
    name: (env.CONSOLE_NAME ?? '').slice(0, 60),
    timeZone: timeZone(env),
    statementMs: 1000 * number(env, 'CONSOLE_STATEMENT_SECONDS', 10, 1, 600),
    verifyMs: 1000 * number(env, 'CONSOLE_VERIFY_SECONDS', 1800, 1, 86400),
    idleMs: MINUTE * number(env, 'CONSOLE_IDLE_MINUTES', 30, 1, 1440),
    sessionMs: HOUR * number(env, 'CONSOLE_SESSION_HOURS', 10, 1, 168),
  };
}

module.exports = { ConfigError, load };
