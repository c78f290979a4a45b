// Asks the page's own server, which passes on what the grading API answers.
const READING = "/api/grading/";

/** An answer that is not one; `status` is 0 when the server does not answer. */
export class Failure extends Error {
  constructor(status, detail, body = null) {
    super(detail);
    this.status = status;
    this.body = body;
  }
}

/** Ask for JSON; parameters that are empty are left out. Raises a Failure. */
export async function ask(path, parameters = {}, signal = null) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  let response, body;
  try {
    response = await fetch(query.size ? `${path}?${query}` : path, { headers: { Accept: "application/json" }, signal });
    body = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(0, "This page's own server does not answer.");
  }
  if (response.ok) return body;
  throw new Failure(response.status, typeof body.detail === "string" ? body.detail : `The server answered ${response.status}.`, body);
}

/** Ask the grading API for more than the grades. */
export function read(path, parameters, signal) {
  return ask(READING + path, parameters, signal);
}

/** The same, or null: an API of one's own may lack it, and the page does without. `failed` is called with any other failure. */
export async function readIfThere(path, parameters, signal = null, failed = () => {}) {
  try {
    return await read(path, parameters, signal);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (error.status !== 404) failed(error);
    return null;
  }
}
