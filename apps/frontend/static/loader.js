// Loads what the place asks for, again and again while the service is down, and drops what came too late.
import { askedBy, data, forgetOthers, loadBeside, loadMoves, loadRanking, loadRecord } from "./data.js";
import { byId } from "./dom.js";
import { mark } from "./live.js";
import { RETRY_SECONDS, showDown, showEmpty, showProblem, showRefused } from "./notices.js";

export class Loader {
  /** `loaded` is called when there are grades, `moved` when it is known how they moved, `refused` when there are none. */
  constructor(place, { loaded, moved, refused }) {
    Object.assign(this, { place, loaded, moved, refused, asking: new AbortController() });
  }

  /** Load the ranking of the place, then what the API has beside it, or say why there is none. */
  async load() {
    clearTimeout(this.timer);
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    forgetOthers(this.place);
    showProblem();
    byId("ranking").setAttribute("aria-busy", "true");
    const ranking = loadRanking(this.place, signal); // asked for first, so that nothing beside it delays it
    const beside = loadBeside(this.place, signal, showProblem).catch(() => {}); // that of a load which another has followed
    try {
      await ranking;
      this.settle(true);
      this.loaded();
      await beside;
      await this.moves();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.refuse(error);
      await beside;
      if (signal.aborted) return;
      if (error.status === 404) showEmpty(this.place, data.batches);
      this.refused();
    }
  }

  /** Load how symbols moved since another batch, which may take longer than the ranking. */
  async moves() {
    try {
      await loadMoves(this.place, this.asking.signal, showProblem);
      this.moved();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  /** Load the record again while it is of an older batch than the newest. */
  async record() {
    if (document.hidden || !data.full || data.record?.batch === data.batches[0]?.batch) return;
    const other = await loadRecord(this.place, this.asking.signal).catch(() => false); // the next time asks again
    if (other) this.moved();
  }

  settle(loaded, refused = false) {
    byId("ranking").setAttribute("aria-busy", "false");
    mark({ loaded, refused, fixed: Boolean(this.place.batch) });
  }

  refuse(error) {
    const known = error.status === 404 || error.status === 422;
    if (known || data.of !== askedBy(this.place)) data.ranking = null; // what is shown is of another place
    this.settle(known, error.status === 422 || (error.status === 404 && Boolean(this.place.batch)));
    if (error.status === 404) showEmpty(this.place);
    else if (error.status === 422) showRefused(this.place, error.body);
    else {
      this.timer = setTimeout(() => this.load(), RETRY_SECONDS * 1000);
      showDown(error.message, data.ranking);
    }
  }
}
