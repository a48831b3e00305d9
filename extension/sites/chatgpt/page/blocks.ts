/** The code blocks of a message whose language is `baa`, as far as the page has rendered them. */
import type { PageBlock } from '../../page.ts';
import { findAll, first } from './finding.ts';
import { SELECTORS } from './selectors.ts';

const LANGUAGE = 'baa';
const LANGUAGE_CLASS = `language-${LANGUAGE}`;

export function blocksOf(message: Element): PageBlock[] {
  return codeBlocksIn(message).flatMap((block): PageBlock[] => {
    const meaning = meaningOf(block);
    if (meaning === 'other') return [];
    return [{ text: meaning === 'baa' ? codeOf(block) : null }];
  });
}

/** Code blocks of any language, in document order. */
export function codeBlocksIn(scope: Element): Element[] {
  return outermost(SELECTORS.codeBlock.flatMap((selector) => [...scope.querySelectorAll(selector)]));
}

/** In document order, without those that are inside another one. */
function outermost(blocks: readonly Element[]): Element[] {
  const all = new Set(blocks);
  const isInner = (block: Element): boolean => {
    for (let outer = block.parentElement; outer; outer = outer.parentElement) if (all.has(outer)) return true;
    return false;
  };
  return [...all]
    .filter((block) => !isInner(block))
    .sort((a, b) => (a.compareDocumentPosition(b) & a.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
}

/**
 * Whether it is a `baa` block. Only the exact word in small letters makes one, as in the text itself. `unclear`: the
 * header, which is written for people, alone names it and in capitals, so that the fence may have said either.
 */
export function meaningOf(block: Element): 'baa' | 'unclear' | 'other' {
  const code = block.querySelector('code');
  const classes = [...(code?.classList ?? [])].filter((name) => name.startsWith('language-'));
  if (classes.length > 0) return classes.includes(LANGUAGE_CLASS) ? 'baa' : 'other';
  const language = first(block, SELECTORS.codeMirror)?.getAttribute('data-language');
  if (language != null) return language === LANGUAGE ? 'baa' : 'other';
  const shown = languageInHeader(block);
  if (shown === LANGUAGE) return 'baa';
  return shown.toLowerCase() === LANGUAGE ? 'unclear' : 'other';
}

/** The header names the language before its buttons. */
function languageInHeader(block: Element): string {
  const header = first(block, SELECTORS.codeHeader)?.cloneNode(true) as Element | undefined;
  for (const button of header?.querySelectorAll('button, [role="button"]') ?? []) button.remove();
  return (header?.textContent ?? '').trim();
}

/** Null when the page has drawn it in part. */
export function codeOf(block: Element): string | null {
  const editor = first(block, SELECTORS.codeMirror);
  if (editor) {
    if (first(editor, SELECTORS.codeMirrorGap)) return null;
    return findAll(editor, ['.cm-line'])
      .map((line) => line.textContent ?? '')
      .join('\n');
  }
  const code = block.querySelector('pre code, code') ?? (block.localName === 'pre' ? block : null);
  return code === null ? null : (code.textContent ?? '').replace(/\n$/, '');
}
