// What stands above and below the table: facts, distribution, method.
import { element } from "./charts.js";

const LETTERS = ["A", "B", "C", "D", "F"];
const OLD_DAYS = 7; // a weekend with holidays is shorter, so prices this old are not the latest
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", timeZone: "UTC" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

/** Write the batch, the day of its prices, and a note when those are the sample's or old. */
export function renderFacts(facts, note, ranking) {
  const [day, time] = ranking.batch.split("T");
  const asOf = new Date(`${ranking.as_of}T00:00:00Z`);
  const age = Math.round((new Date(`${day}T00:00:00Z`) - asOf) / 86_400_000);
  facts.replaceChildren(
    fact("Batch", `${DAY.format(new Date(`${day}T00:00:00Z`))}, ${time.slice(0, 5)} UTC`, ranking.batch),
    fact("Prices as of", sessionName(ranking, asOf), ranking.as_of),
    fact("Graded", String(ranking.grades.length), `at ${ranking.graded_at}`),
    ...newsOf(ranking),
  );
  const old = age < OLD_DAYS ? "" : `Old data: prices as of ${DAY.format(asOf)}`;
  note.textContent = ranking.notice ? ranking.notice.charAt(0).toUpperCase() + ranking.notice.slice(1) : old;
  note.hidden = !note.textContent;
}

/** Of which session the prices are, and whether that is the newest there can be by now. */
function sessionName({ session }, asOf) {
  if (!session) return DAY.format(asOf);
  const close = session.next_close && new Date(session.next_close);
  const closed = close && close <= new Date();
  const behind = session.behind + (closed ? 1 : 0);
  const missing = behind === 0 ? "current" : `${closed ? "at least " : ""}${behind} ${behind === 1 ? "session" : "sessions"} behind`;
  return `${WEEKDAY.format(asOf)}'s close, ${DAY.format(asOf)}, ${missing}`;
}

/** That the grades are those of an earlier batch, because nothing is new since then. */
function newsOf({ carried_over_from: from, session }) {
  if (!from) return [];
  const day = DAY.format(new Date(`${from.slice(0, 10)}T00:00:00Z`));
  const news = session && !session.behind ? "no new session" : "nothing new";
  return [fact("News", `${news}; grades of ${day}, ${from.slice(11, 16)} UTC carried over`, from)];
}

function fact(name, text, title) {
  const item = element("span", "fact", [element("span", "name", `${name} `), element("b", "", text)]);
  item.title = title;
  return item;
}

/** Draw one segment a grade, as wide as its share; a segment is a switch that filters the table. */
export function renderDistribution(parent, grades, chosen, choose) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.grade : null;
  parent.replaceChildren(
    ...LETTERS.map((letter) => {
      const count = grades.filter((row) => row.grade === letter).length;
      const segment = element("button", `segment grade-${letter}`, [element("b", "", letter), element("span", "", String(count))]);
      segment.type = "button";
      segment.dataset.grade = letter;
      segment.disabled = count === 0;
      segment.style.setProperty("--share", count);
      segment.setAttribute("aria-pressed", String(chosen === letter));
      segment.setAttribute("aria-label", `Grade ${letter}: ${count} symbols`);
      segment.classList.toggle("muted", chosen !== null && chosen !== letter);
      segment.addEventListener("click", () => choose(letter));
      return segment;
    }),
  );
  if (focused) parent.querySelector(`[data-grade="${focused}"]`)?.focus();
}

/** Say how the grades come about, and which symbols have none. */
export function renderMethod(parent, ranking) {
  const sentiment = Math.round(ranking.sentiment_weight * 100);
  const ungraded = ranking.ungraded.length ? ` Without any score: ${ranking.ungraded.join(", ")}.` : "";
  parent.textContent =
    `Composite: ${100 - sentiment}% score (mean of momentum, value and quality percentiles) and ${sentiment}% news ` +
    "sentiment, neutral where none is known. Grades: A the top 15%, B the next 25%, then C 30%, D 20%, F 10%." + ungraded;
}
