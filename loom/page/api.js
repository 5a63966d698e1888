// Loom's API: JSON in and out, errors as sentences.

const PREFIX = "/api/v1";
const SESSION = "/session";
const NOTHING = "There is nothing of that name.";

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? "Something went wrong.");
    this.status = status;
    this.code = body.code ?? "INTERNAL";
    this.retryable = Boolean(body.retryable);
    this.diagnostics = body.diagnostics ?? [];
  }

  // An address that this server does not know at all, as one of an older version.
  get isUnknownRoute() {
    return this.status === 405 || (this.status === 404 && this.message === NOTHING);
  }
}

export const signedOut = new EventTarget();

export async function ask(path, { method = "GET", body, headers = {}, signal, root = false } = {}) {
  const options = { method, headers: { Accept: "application/json", ...headers }, signal, credentials: "same-origin" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch((root ? "" : PREFIX) + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "LOOM_UNREACHABLE", detail: "Loom cannot be reached just now.", retryable: true });
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const said = await answer.json().catch(() => ({}));
  const problem = new Problem(answer.status, said);
  if (answer.status === 401 && path !== SESSION) signedOut.dispatchEvent(new CustomEvent("out", { detail: problem }));
  throw problem;
}

export const get = (path, signal) => ask(path, { signal });
export const post = (path, body = {}) => ask(path, { method: "POST", body });

// What a route answers, or `otherwise` where this server has no such route or thing.
export async function getOr(otherwise, path, signal) {
  try {
    return await get(path, signal);
  } catch (error) {
    if (error.status === 404 || error.status === 405 || error.status === 422) return otherwise;
    throw error;
  }
}

// All items of a list, page after page, at most `most`.
export async function all(path, most = 2000, signal = undefined) {
  const items = [];
  let cursor = null;
  do {
    const page = await get(withQuery(path, { limit: 500, cursor }), signal);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < most);
  return items;
}

export function withQuery(path, values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) query.set(name, value);
  }
  const text = query.toString();
  if (!text) return path;
  return path + (path.includes("?") ? "&" : "?") + text;
}

export function sentence(error) {
  if (error instanceof Problem) return error.isUnknownRoute ? "This server does not offer that yet." : error.message;
  return `The page met an error: ${error.message}`;
}

export const signIn = (code) => ask(SESSION, { method: "POST", body: { code } });
export const signOut = () => ask(SESSION, { method: "DELETE" });
export const thumbnail = (asset) => `${PREFIX}/assets/${asset}/thumbnail?absent=empty`;
export const content = (asset) => `${PREFIX}/assets/${asset}/content`;
export const artifact = (digest) => `${PREFIX}/artifacts/${digest}`;
