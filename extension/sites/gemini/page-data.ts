/**
 * The data of the session that the document holds, in a script: a large object in which only these few names are looked
 * for. The page's own variables are never read, as any script of the page can change them.
 */
const KEYS = {
  /** The token of the session; missing when signed out, or when the page gets it later. */
  token: 'SNlM0e',
  build: 'cfb2h',
  session: 'FdrFJe',
  language: 'TuX5cc',
  account: 'S06Grb',
  email: 'oPEP7c',
} as const;

const DATA_SCRIPT = 'WIZ_global_data';
/** Where the names are; more of a script is not looked at. */
const MAX_SCRIPT_CHARS = 1_000_000;

/** All but `language` are secret: they leave neither the page nor, but for a hash of the account, the browser. */
export type PageData = Record<keyof typeof KEYS, string | null>;

/** Null when the document has no such script. */
export function pageData(document: Document): PageData | null {
  for (const script of document.querySelectorAll('script:not([src])')) {
    const text = script.textContent ?? '';
    if (text.includes(DATA_SCRIPT)) return readData(text.slice(0, MAX_SCRIPT_CHARS));
  }
  return null;
}

function readData(script: string): PageData {
  const value = (key: string): string | null => {
    const [, quoted] = new RegExp(`"${key}":("(?:[^"\\\\\\n]|\\\\.){1,4096}")`).exec(script) ?? [];
    return quoted === undefined ? null : plain(quoted);
  };
  return {
    token: value(KEYS.token),
    build: value(KEYS.build),
    session: value(KEYS.session),
    language: value(KEYS.language),
    account: value(KEYS.account),
    email: value(KEYS.email),
  };
}

function plain(quoted: string): string | null {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return null;
  }
}
