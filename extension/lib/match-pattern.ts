/** Match patterns of the form `scheme://host/path`, as manifests have them, with `*` in the path and `*.` before a host. */

interface Pattern {
  scheme: string;
  host: string;
  path: RegExp;
}

function parse(pattern: string): Pattern {
  const parts = /^(https?):\/\/([^/]+)(\/.*)$/.exec(pattern);
  if (!parts) throw new Error(`${pattern} is no match pattern`);
  const [, scheme = '', host = '', path = ''] = parts;
  const source = path.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return { scheme, host, path: new RegExp(`^${source.join('.*')}$`) };
}

function hostMatches(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  return host === pattern.slice(2) || host.endsWith(pattern.slice(1));
}

/** Returns a function that says whether an address matches one of these patterns. */
export function matcher(patterns: readonly string[]): (url: string | undefined) => boolean {
  const parsed = patterns.map(parse);
  return (text) => {
    const url = text === undefined ? null : URL.parse(text);
    if (url === null) return false;
    return parsed.some(
      ({ scheme, host, path }) =>
        url.protocol === `${scheme}:` && hostMatches(host, url.hostname) && path.test(url.pathname + url.search),
    );
  };
}
