// Markup that is made in code. Whatever is put into html`` is escaped, unless it was made by
// html`` itself; the templates escape by the same function.
'use strict';

class Safe {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(value) {
  if (value instanceof Safe) return value.text;
  if (Array.isArray(value)) return value.map(escape).join('');
  if (value === null || value === undefined || value === false) return '';
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

function html(strings, ...values) {
  return new Safe(strings.reduce((text, part, i) => text + escape(values[i - 1]) + part));
}

module.exports = { Safe, escape, html };
