// What every request must be, and every answer says.
'use strict';

const { randomUUID } = require('node:crypto');
const { same } = require('./sessions');

const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
  "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
].join('; ');

// A refusal with a sentence for people.
class Refusal extends Error {
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

function headers({ secure }) {
  return (req, res, next) => {
    res.set({
      'Content-Security-Policy': POLICY,
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'same-origin',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
      'Cache-Control': 'no-store',
    });
    if (secure) res.set('Strict-Transport-Security', 'max-age=31536000');
    req.requestId = randomUUID();
    next();
  };
}

// Another name that leads here is not ours: a page of an attacker whose name was made to point to
// this address would be of our origin otherwise.
function ownHost(origins) {
  const hosts = new Set(origins.map((origin) => new URL(origin).host));
  return (req, res, next) => {
    if (!hosts.has(req.headers.host)) throw new Refusal(421, 'The console is not known by this name.', `Open ${origins[0]}.`);
    next();
  };
}

// What changes anything comes from our own pages.
function ownOrigin(origins) {
  return (req, res, next) => {
    if (['GET', 'HEAD'].includes(req.method)) return next();
    const origin = req.headers.origin;
    const site = req.headers['sec-fetch-site'];
    if ((origin !== undefined && !origins.includes(origin)) || (site !== undefined && site !== 'same-origin')) {
      throw new Refusal(403, 'This form was sent from another site.', 'Nothing was done. Use the forms of the console.');
    }
    next();
  };
}

function checkToken(given, expected) {
  if (!same(given, expected)) {
    throw new Refusal(403, 'This form is not one of your session.', 'Nothing was done. Load the page again, and repeat.');
  }
}

// Paths of this site only: what a browser would take for another host is none.
function localPath(text, otherwise = '/') {
  return typeof text === 'string' && text.length <= 500 && /^\/(?![/\\])[\x21-\x7e]*$/.test(text) && !text.includes('\\')
    ? text : otherwise;
}

module.exports = { Refusal, checkToken, headers, localPath, ownHost, ownOrigin };
