/** Draws the page in the place of its frame, once the texts are there (start.ts). */
import './zod-settings.ts';
import { render } from 'preact';
import { App } from './app.tsx';
import { readSession } from './sign-in/session.ts';

export async function drawPage(texts: Promise<void>): Promise<void> {
  const [session] = await Promise.all([readSession(), texts]);
  const root = document.querySelector('#page');
  root?.replaceChildren();
  if (root !== null) render(<App first={session} />, root);
}
