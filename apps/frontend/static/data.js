// What the page has loaded: the grades, and what the API knows beside them.
import { ask, read, readIfThere } from "./api.js";
import { addMoves } from "./changes.js";
import { lateness } from "./columns.js";

const BATCHES = 1000;
const SYMBOLS = 10_000;

export const data = {
  ranking: null,
  of: "", // the market and batch that were asked for
  batches: [], // newest first
  markets: [],
  changes: null,
  record: null,
  beside: null, // the market that batches, record and full are of
  full: null, // whether the API has a record of grades, and so explains each; null: not known yet
  changed: new Set(), // symbols that stand elsewhere than a moment ago
};

/** What a place asks the API for, as a text. */
export function askedBy({ market, batch }) {
  return JSON.stringify([market, batch]);
}

/** Load the grades of a place, without their sparklines where the API can do so. Raises a Failure. */
export async function loadRanking(place, signal) {
  const { market, batch } = place;
  const answer = await ask("/api/ranking", { market, batch, sparklines: false, signals: false }, signal);
  const before = data.of === askedBy(place) ? data.ranking : null;
  const same = before && before.batch === answer.batch && before.graded_at === answer.graded_at;
  const ranking = same ? before : answer;
  for (const row of ranking.grades) row.late = lateness(row, ranking.as_of);
  const changes = before && data.changes?.to === ranking.batch ? data.changes : null; // those of another market may have the same keys
  Object.assign(data, { ranking, changes, of: askedBy(place), changed: changedSymbols(before, ranking) });
  addMoves(ranking.grades, changes);
}

/** Symbols that stand elsewhere than before; none on the first load. */
function changedSymbols(before, after) {
  if (!before) return new Set();
  const standing = (row) => `${row.rank} ${row.grade} ${row.composite}`;
  const old = new Map(before.grades.map((row) => [row.symbol, standing(row)]));
  return new Set(after.grades.filter((row) => old.get(row.symbol) !== standing(row)).map((row) => row.symbol));
}

/** Forget what is of another market than the place's. */
export function forgetOthers({ market }) {
  if (data.beside !== market) Object.assign(data, { beside: market, batches: [], record: null, full: null });
}

/** Load what an API of one's own may lack; `failed` is called when the API has it and cannot answer. */
export async function loadBeside({ market }, signal, failed) {
  const get = (path, parameters = {}) => readIfThere(path, { market, ...parameters }, signal, failed);
  const [batches, markets, record] = await Promise.all([get("batches", { limit: BATCHES }), get("markets"), get("record")]);
  Object.assign(data, { batches: batches?.batches ?? [], markets: markets?.markets ?? [], record: whole(record), full: batches !== null });
}

/** Load the record of the grades alone: the evaluation of a batch comes after its grades. Whether it is another one. */
export async function loadRecord({ market }, signal) {
  const before = data.record;
  data.record = whole(await readIfThere("record", { market }, signal));
  return data.record?.batch !== before?.batch;
}

/** A record, or null for one of another form, which is of another API. */
function whole(record) {
  return record?.horizons && record.live?.figures && record.backtest?.figures ? record : null;
}

/** Load how each symbol has moved since the batch before, or since the one that the place compares with. */
export async function loadMoves({ market, compare }, signal, failed) {
  const { ranking } = data;
  const asked = { market, from: compare, to: ranking.batch, limit: SYMBOLS };
  const changes = data.full ? await changesOf(asked, signal, failed) : null;
  if (ranking !== data.ranking) return; // another was loaded meanwhile
  data.changes = changes;
  addMoves(ranking.grades, changes);
}

/** The changes that were asked for; where a batch to compare with was chosen, its absence is a failure too. */
async function changesOf(asked, signal, failed) {
  if (!asked.from) return readIfThere("changes", asked, signal, failed);
  try {
    return await read("changes", asked, signal);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    failed(error);
    return null;
  }
}

/** The sectors of the grades, in order. */
export function sectorsOf(ranking) {
  return [...new Set(ranking.grades.map((row) => row.sector).filter(Boolean))].sort();
}
