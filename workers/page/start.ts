/**
 * The first script, and a small one: it shows the frame of the page in the reader's language, and asks for all that the
 * first panel needs, code and data, at the same time. On a phone each request after the one before it is a fifth of a second.
 */
import { askEarly } from './api/early.ts';
import { SESSION_PATH } from './api/first-paths.ts';
import { ADDRESSES } from './panels/registry.ts';
import { showFrame } from './shell/frame.ts';
import { matchAddress } from './shell/match-address.ts';
import { chosenLanguage, loadTexts } from './texts/texts.ts';

const first = matchAddress(location.pathname, ADDRESSES)?.address;

// For a person who is not signed in the edge is asked for nothing else.
void askEarly(SESSION_PATH).then((isSignedIn) => {
  if (isSignedIn) for (const path of first?.reads ?? []) void askEarly(path);
});
// The shell asks for it again, and says then that it cannot be loaded.
first?.load().catch(() => undefined);
const texts = loadTexts();
const main = import('./main.tsx');

// The script waits for nothing, also not for the end of the document.
async function draw(): Promise<void> {
  if (document.readyState === 'loading')
    await new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true }));
  showFrame(chosenLanguage(), first?.path.replace('/:id', '') ?? '');
  const { drawPage } = await main;
  await drawPage(texts);
}
void draw();
