/** The texts of the page in Chinese, with the keys of en.ts. */
import type { Catalogue } from './en.ts';
import { GENERAL_ZH } from './zh/general.ts';
import { GRANTS_ZH } from './zh/grants.ts';
import { PANELS_ZH } from './zh/panels.ts';
import { PERSONS_ZH } from './zh/persons.ts';
import { REASONS_ZH } from './zh/reasons.ts';
import { STORY_ZH } from './zh/story.ts';

export const ZH: Catalogue = { ...GENERAL_ZH, ...PANELS_ZH, ...REASONS_ZH, ...GRANTS_ZH, ...PERSONS_ZH, ...STORY_ZH };
