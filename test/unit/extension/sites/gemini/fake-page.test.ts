/** The fake page shows an answer whole, so that a second opinion on it is about the extension and not about the fake. */
import { JSDOM } from 'jsdom';
import { afterEach, expect, test, vi } from 'vitest';
import { baaBlocks } from '../../../../../extension/lib/baa-blocks.ts';
import { turns } from '../../../../../extension/sites/gemini/page-turns.ts';
import { modelResponse } from '../../../../support/sites/gemini/page/view.ts';

const TEXT = 'Sure.\n\n```baa\n@conductor::status\n\n@conductor::exec::{"argv": ["ls"]}\n```\n\nThat is all.';

afterEach(() => vi.unstubAllGlobals());

test('a block of several lines is shown with every line of it', () => {
  const { document } = new JSDOM('<body></body>').window;
  vi.stubGlobal('document', document);
  const answer = { turn: 'r_1a', text: TEXT, thoughts: '' } as Parameters<typeof modelResponse>[0];
  document.body.append(modelResponse(answer, 'en', true));
  const [shown] = turns(document);
  expect(shown?.blocks.map(({ text }) => text?.trim())).toEqual(baaBlocks(TEXT));
  expect(shown?.text).toContain('That is all.');
});
