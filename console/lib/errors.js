// Errors as people see them: a sentence, the facts, the next step; never where in the code.
'use strict';

const { NotAllowed } = require('./database');

const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'EHOSTUNREACH']);

// Whether the database refused it, and said why.
function isFromDatabase(error) {
  return typeof error?.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) && typeof error.severity === 'string';
}

function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

// {status, title, message, detail, hint, code}
function explain(error) {
  if (isFromDatabase(error)) {
    if (error.code === '57014') {
      return { status: 503, title: 'That took too long', message: 'The database did not answer in time; nothing was changed.', hint: 'Try again, or ask for less.', code: error.code };
    }
    if (/^(57P|53|08)/.test(error.code)) {
      return { status: 503, title: 'The database is not available', message: sentence(error.message), hint: 'Try again in a moment.', code: error.code };
    }
    if (/^28/.test(error.code)) {
      return { status: 403, title: 'Refused', message: 'The database does not let you in any more.', hint: 'Sign in again.', code: error.code };
    }
    return {
      status: error.code === 'OE001' ? 404 : error.code.startsWith('22') ? 422 : 409,
      title: 'Refused',
      message: sentence(error.message),
      detail: error.detail,
      hint: error.hint,
      code: error.code,
    };
  }
  if (error instanceof NotAllowed) return { status: 403, title: 'Refused', message: sentence(error.message) };
  if (UNREACHABLE.has(error?.code) || /timeout exceeded|Connection terminated|timeout expired/.test(error?.message ?? '')) {
    return { status: 503, title: 'The database is not available', message: 'The console cannot reach the database.', hint: 'Try again in a moment.' };
  }
  if (Number.isInteger(error?.status) && error.status >= 400 && error.status < 500) {
    const known = error.constructor.name === 'Refusal';
    return { status: error.status, title: known ? 'Refused' : 'Not understood', message: known ? error.message : 'The request is not one that the console understands.', hint: known ? error.hint : undefined };
  }
  return null;
}

module.exports = { explain, isFromDatabase };
