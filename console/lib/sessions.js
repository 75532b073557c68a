// Who has logged in. Sessions live in this process: they end with it, after some time of nothing,
// and a day's work after they began. The cookie holds nothing but a random number; what is kept
// under its hash is the name and the password, which each decision logs in with anew.
'use strict';

const { createHash, createHmac, randomBytes, timingSafeEqual } = require('node:crypto');

const MOST = 500;

function digest(text) {
  return createHash('sha256').update(text).digest('base64url');
}

function same(a, b) {
  return typeof a === 'string' && typeof b === 'string' && timingSafeEqual(Buffer.from(digest(a)), Buffer.from(digest(b)));
}

class Sessions {
  constructor({ idleMs, sessionMs, secure }) {
    this.idleMs = idleMs;
    this.sessionMs = sessionMs;
    this.byDigest = new Map();
    this.key = randomBytes(32);
    // __Host-: browsers take it from this host only, over TLS.
    const prefix = secure ? '__Host-' : '';
    this.cookie = `${prefix}order_ext_console`;
    this.loginCookie = `${prefix}order_ext_console_login`;
    this.cookieOptions = { httpOnly: true, sameSite: 'strict', secure, path: '/' };
    this.sweeper = setInterval(() => this.sweep(), 60000);
    this.sweeper.unref();
  }

  isOver(session, now = Date.now()) {
    return now - session.seenAt > this.idleMs || now - session.beganAt > this.sessionMs;
  }

  sweep() {
    for (const [key, session] of this.byDigest) {
      if (this.isOver(session)) this.byDigest.delete(key);
    }
  }

  // Returns the value of the cookie.
  begin(person) {
    this.sweep();
    if (this.byDigest.size >= MOST) {
      this.byDigest.delete(this.byDigest.keys().next().value);
    }
    const value = randomBytes(32).toString('base64url');
    const now = Date.now();
    this.byDigest.set(digest(value), {
      ...person, token: randomBytes(32).toString('base64url'), beganAt: now, seenAt: now, checkedAt: now, flash: null,
    });
    return value;
  }

  find(cookieValue) {
    if (!cookieValue) return null;
    const session = this.byDigest.get(digest(cookieValue));
    if (!session) return null;
    if (this.isOver(session)) {
      this.end(cookieValue);
      return null;
    }
    session.seenAt = Date.now();
    return session;
  }

  end(cookieValue) {
    if (cookieValue) this.byDigest.delete(digest(cookieValue));
  }

  // Before somebody has logged in there is no session: the form's token is proved by a cookie.
  loginToken(cookieValue) {
    return createHmac('sha256', this.key).update(cookieValue).digest('base64url');
  }

  newLoginCookie() {
    return randomBytes(32).toString('base64url');
  }
}

// Attempts to log in: few of a name from one address, more of an address, and of a name from
// everywhere. They count when they begin, so that many at once do not slip through.
class Attempts {
  constructor(windowMs = 5 * 60 * 1000, limits = { pair: 5, address: 20, name: 50 }) {
    this.windowMs = windowMs;
    this.limits = limits;
    this.times = new Map();
  }

  keys(address, name) {
    return { pair: `p ${address} ${name}`, address: `a ${address}`, name: `n ${name}` };
  }

  // Counts one; returns the seconds to wait, 0 if it may go on.
  begin(address, name) {
    const now = Date.now();
    if (this.times.size > 10000) this.sweep(now);
    const keys = this.keys(address, name);
    for (const [kind, limit] of Object.entries(this.limits)) {
      const recent = (this.times.get(keys[kind]) ?? []).filter((at) => now - at < this.windowMs);
      if (recent.length >= limit) return Math.ceil((recent[0] + this.windowMs - now) / 1000);
      this.times.set(keys[kind], recent);
    }
    Object.values(keys).forEach((key) => this.times.get(key).push(now));
    return 0;
  }

  succeeded(address, name) {
    this.times.delete(this.keys(address, name).pair);
  }

  sweep(now) {
    for (const [key, times] of this.times) {
      if (times.every((at) => now - at >= this.windowMs)) this.times.delete(key);
    }
  }
}

module.exports = { Attempts, Sessions, same };
