/** claude.ai as one site of the extension. */
import type { Site } from '../site.ts';
import { MATCHES } from './endpoints.ts';
import { CLAUDE_PAGE } from './page.ts';
import { CLAUDE_WIRE } from './wire.ts';

export const CLAUDE: Site = { platform: 'claude', matches: MATCHES, wire: CLAUDE_WIRE, page: CLAUDE_PAGE };
