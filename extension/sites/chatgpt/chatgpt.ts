/** ChatGPT (chatgpt.com). */
import type { Site } from '../site.ts';
import { PAGE_PATTERNS } from './endpoints.ts';
import { page } from './page/page.ts';
import { wire } from './wire.ts';

export const CHATGPT: Site = { platform: 'chatgpt', matches: PAGE_PATTERNS, wire, page };
