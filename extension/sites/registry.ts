/** Every site of the extension. A new site is a folder and a line here. */
import type { Platform } from '../../schema/contracts/common.ts';
import { CHATGPT } from './chatgpt/chatgpt.ts';
import { CLAUDE } from './claude/claude.ts';
import { GEMINI } from './gemini/gemini.ts';
import type { Site } from './site.ts';

export const SITES: readonly Site[] = [CHATGPT, CLAUDE, GEMINI];

export function siteOf(platform: Platform): Site {
  const site = SITES.find((one) => one.platform === platform);
  if (!site) throw new Error(`no site is registered for ${platform}`);
  return site;
}
