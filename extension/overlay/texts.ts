/** Texts for people. A decision names a message of `_locales` and its arguments; only the shell has the language. */

export interface Text {
  key: string;
  args?: readonly string[];
}

/** The text in the person's language. */
export type Translate = (text: Text | string, ...args: string[]) => string;

interface I18n {
  getMessage(key: string, substitutions?: string[]): string;
}

/** A missing message shows its key, which a test refuses. */
export function translator(i18n: I18n): Translate {
  return (text, ...args) => {
    const { key, args: own = args } = typeof text === 'string' ? { key: text } : text;
    return i18n.getMessage(key, [...own]) || key;
  };
}
