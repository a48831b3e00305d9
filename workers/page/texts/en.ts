/** The texts of the page in English. zh.ts has the same keys. `one|many` is chosen by the number {n}. */
import { GENERAL_EN } from './en/general.ts';
import { GRANTS_EN } from './en/grants.ts';
import { PANELS_EN } from './en/panels.ts';
import { PERSONS_EN } from './en/persons.ts';
import { REASONS_EN } from './en/reasons.ts';
import { STORY_EN } from './en/story.ts';

export const EN = { ...GENERAL_EN, ...PANELS_EN, ...REASONS_EN, ...GRANTS_EN, ...PERSONS_EN, ...STORY_EN } as const;

export type TextKey = keyof typeof EN;
export type Catalogue = Readonly<Record<TextKey, string>>;
