// Pages by key. A condition that no index knows is asked of the newest rows only, and the reader
// decides to go on: no page costs more than EXAMINED rows.
'use strict';

const PAGE = 50;
const EXAMINED = 10000;

// The rows of a view before a key, newest first, as far as the filter lets them through.
//   view, key, columns   what is read; key is a column with an index
//   where                conditions that the key's index, or another one, answers
//   filter               conditions on what was read
//   values               of $1 and so on in both
// Returns {rows, next}: next is the key to go on before, NULL at the end; examined says how many
// rows were looked at where not all fit.
async function newest(q, { view, key, columns, where = [], filter = [], values = [], before = null, size = PAGE }) {
  const given = [...values, before, size + 1];
  const conditions = [...where, `($${values.length + 1}::bigint IS NULL OR ${key} < $${values.length + 1})`];
  if (before !== null) conditions[conditions.length - 1] = `${key} < $${values.length + 1}::bigint`;
  const limit = `$${values.length + 2}::integer`;
  if (filter.length === 0) {
    const rows = await q(`SELECT ${columns} FROM ${view} WHERE ${conditions.join(' AND ')} ORDER BY ${key} DESC LIMIT ${limit}`, given);
    return { rows: rows.slice(0, size), next: rows.length > size ? rows[size - 1][key] : null, examined: null };
  }
  const rows = await q(`
WITH examined AS MATERIALIZED (
  SELECT ${columns} FROM ${view} WHERE ${conditions.join(' AND ')} ORDER BY ${key} DESC LIMIT ${EXAMINED})
SELECT bounds.n AS examined_n, bounds.last AS examined_last, matching.*
FROM (SELECT count(*) AS n, min(${key}) AS last FROM examined) bounds
LEFT JOIN LATERAL (
  SELECT * FROM examined WHERE ${filter.join(' AND ')} ORDER BY ${key} DESC LIMIT ${limit}) matching ON true`, given);
  const matching = rows.filter((row) => row[key] !== null);
  const more = matching.length > size;
  const cut = Number(rows[0].examined_n) === EXAMINED;
  return {
    rows: matching.slice(0, size),
    next: more ? matching[size - 1][key] : cut ? rows[0].examined_last : null,
    examined: cut && !more ? EXAMINED : null,
  };
}

module.exports = { EXAMINED, PAGE, newest };
