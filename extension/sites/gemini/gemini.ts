/** Gemini: https://gemini.google.com. */
import type { Site } from '../site.ts';
import { PAGES } from './endpoints.ts';
import { page } from './page.ts';
import { wire } from './wire.ts';

export const GEMINI: Site = { platform: 'gemini', matches: [PAGES], wire, page };
