// What stands above and below the table: facts, distribution, method.
import { LETTERS } from "./columns.js";
import { element } from "./dom.js";
import { counted, day, moment, weekday } from "./format.js";

const OLD_DAYS = 7; // of a market without sessions: a weekend is shorter

/** Write the batch, the day of its prices, and a note when those are the sample's or old. */
export function renderFacts(facts, note, ranking) {
  const age = Math.round((Date.parse(ranking.batch.slice(0, 10)) - Date.parse(ranking.as_of)) / 86_400_000);
  facts.replaceChildren(
    fact("Batch", moment(ranking.batch), ranking.batch),
    fact("Prices as of", sessionName(ranking), ranking.as_of),
    fact("Graded", String(ranking.grades.length), `at ${ranking.graded_at}`),
    ...newsOf(ranking),
  );
  const old = ranking.session || age < OLD_DAYS ? "" : `Old data: prices as of ${day(ranking.as_of)}`;
  note.textContent = ranking.notice ? ranking.notice.charAt(0).toUpperCase() + ranking.notice.slice(1) : old;
  note.hidden = !note.textContent;
}

/** Of which session the prices are, and whether that is the newest there can be by now. */
function sessionName({ session, as_of: asOf }) {
  if (!session) return day(asOf);
  const close = session.next_close && new Date(session.next_close);
  const closed = close && close <= new Date();
  const behind = session.behind + (closed ? 1 : 0);
  const missing = behind === 0 ? "current" : `${closed ? "at least " : ""}${counted(behind, "session")} behind`;
  return `${weekday(asOf)}'s close, ${day(asOf)}, ${missing}`;
}

/** That the grades are those of an earlier batch, because nothing is new since then. */
function newsOf({ carried_over_from: from, session }) {
  if (!from) return [];
  const news = session && !session.behind ? "no new session" : "nothing new";
  return [fact("News", `${news}; grades of ${moment(from)} carried over`, from)];
}

function fact(name, text, title) {
  const item = element("span", "fact", [element("span", "name", `${name} `), element("b", "", text)]);
  item.title = title;
  return item;
}

/** Draw one segment a grade, as wide as its share; a segment is a switch that filters the table; several may be on. */
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
      segment.setAttribute("aria-pressed", String(chosen.includes(letter)));
      segment.setAttribute("aria-label", `Grade ${letter}: ${counted(count, "symbol")}`);
      segment.classList.toggle("muted", chosen.length > 0 && !chosen.includes(letter));
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
