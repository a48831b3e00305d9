/** Starts the page: language and session are read at the same time, then everything is drawn. */
import './zod-settings.ts';
import { render } from 'preact';
import { App } from './app.tsx';
import { readSession } from './sign-in/session.ts';
import { loadTexts } from './texts/texts.ts';

const [session] = await Promise.all([readSession(), loadTexts()]);
const root = document.querySelector('#page');
root?.replaceChildren();
if (root !== null) render(<App first={session} />, root);
