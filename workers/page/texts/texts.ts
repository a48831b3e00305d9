/** The texts of the page in the reader's language. Each language is one catalogue with the same keys. */
import type { Catalogue, TextKey } from './en.ts';

export type { Catalogue, TextKey };
export type Language = 'en' | 'zh';
export const LANGUAGE_TAGS: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };
export type Values = Readonly<Record<string, string | number>>;

const STORED = 'conductor.language';
const LOADERS: Readonly<Record<Language, () => Promise<Catalogue>>> = {
  en: async () => (await import('./en.ts')).EN,
  zh: async () => (await import('./zh.ts')).ZH,
};

let current: { language: Language; texts: Catalogue } | null = null;

/** The language that the reader chose, or else the first of the browser that the page has. */
export function chooseLanguage(chosen: string | null, preferred: readonly string[]): Language {
  if (chosen === 'en' || chosen === 'zh') return chosen;
  for (const tag of preferred) {
    const [language = ''] = tag.toLowerCase().split('-');
    if (language === 'zh' || language === 'en') return language;
  }
  return 'en';
}

/** The language of this reader, which is known before its texts are there. */
export function chosenLanguage(): Language {
  return chooseLanguage(localStorage.getItem(STORED), navigator.languages);
}

export async function loadTexts(): Promise<void> {
  const language = chosenLanguage();
  document.documentElement.lang = LANGUAGE_TAGS[language];
  current = { language, texts: await LOADERS[language]() };
}

/** Keeps the choice and shows the page again in that language. */
export function setLanguage(language: Language): void {
  localStorage.setItem(STORED, language);
  location.reload();
}

export function language(): Language {
  return current?.language ?? 'en';
}

/** The text of a key, with its `{placeholders}` replaced. */
export function t(key: TextKey, values: Values = {}): string {
  return fill(current?.texts[key] ?? key, values);
}

/** The text of a word from the edge, such as a status; the word itself where the catalogue has none. */
export function word(prefix: string, value: string): string {
  const key = `${prefix}_${value}`;
  const texts: Readonly<Record<string, string>> = current?.texts ?? {};
  return texts[key] ?? value.replaceAll('_', ' ');
}

/** The same, of a value that may also be a text of a person or program: null where the catalogue has none. */
export function knownWord(prefixes: readonly string[], value: string): string | null {
  const texts: Readonly<Record<string, string>> = current?.texts ?? {};
  for (const prefix of prefixes) {
    const found = texts[`${prefix}_${value}`];
    if (found !== undefined) return found;
  }
  return null;
}

/** `one|many` is chosen by the value `n`. */
export function fill(text: string, values: Values): string {
  const [one = '', many = one] = text.split('|');
  const chosen = values.n === 1 ? one : many;
  return chosen.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}
