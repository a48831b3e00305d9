/** Every site of the extension. A new site is a folder and a line here. */
import { CHATGPT } from './chatgpt/chatgpt.ts';
import { CLAUDE } from './claude/claude.ts';
import { GEMINI } from './gemini/gemini.ts';
import type { Site } from './site.ts';

export const SITES: readonly Site[] = [CHATGPT, CLAUDE, GEMINI];
