/**
 * Requests that the page sends before the code is there that reads their responses, so that both come at the same time.
 * Each response is taken once, by the first read of its path.
 */

const TIMEOUT_MS = 20_000;

/** Cloudflare Access in front of the edge then refuses with 401 instead of leading to its login page. */
export const READ_HEADERS = { accept: 'application/json', 'x-requested-with': 'XMLHttpRequest' } as const;

const asked = new Map<string, Promise<Response>>();

/** Asks for `path`, for the part of the page that reads it next. Resolves with whether the edge responded to it with success; never rejects. */
export function askEarly(path: string): Promise<boolean> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = fetch(path, { headers: READ_HEADERS, credentials: 'same-origin', signal });
  asked.set(path, response);
  return response.then(
    ({ ok }) => ok,
    () => false,
  );
}

/** What the edge responds to `path`, where that was asked for and nothing has taken it. */
export function takeEarly(path: string): Promise<Response> | undefined {
  const response = asked.get(path);
  asked.delete(path);
  return response;
}
