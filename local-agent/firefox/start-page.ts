/** The page that a Firefox opens first, as a person names it on the command line. */
import type { Platform } from '../../schema/contracts/common.ts';
import { PLATFORM_IDS, PLATFORMS } from '../../schema/contracts/common.ts';

const EMPTY_PAGE = 'about:blank';

/** What a person may write, for help and errors. */
export const START_PAGES = `an http:// or https:// address, ${PLATFORM_IDS.join(', ')} for the start page of that site, or ${EMPTY_PAGE}`;

function isPlatform(text: string): text is Platform {
  return Object.hasOwn(PLATFORMS, text);
}

/** The address to open. @throws an Error that says what is allowed */
export function startPage(text: string): string {
  const name = text.trim().toLowerCase();
  if (isPlatform(name)) return PLATFORMS[name].home_url;
  if (name === EMPTY_PAGE) return EMPTY_PAGE;
  // Firefox takes any other text for a file, a search, or one of its own options.
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href;
  const meant = URL.parse(`https://${text.trim()}`);
  const example = meant?.hostname.includes('.') && !text.includes(':') ? ` Did you mean ${meant.href}?` : '';
  throw new Error(`It must be ${START_PAGES}.${example}`);
}
