import { describe, expect, it } from 'vitest';
import { answerText } from '../../../../../extension/sites/gemini/answer-text.ts';

const BLOCK = '```baa\n@host::files.write {"text":"<FollowUp a> http://googleusercontent.com/card_content/1"}\n```';

describe('the text of an answer of Gemini', () => {
  it('stays as it is, to the last white space, when it holds nothing of the page', () => {
    const text = `\n  Sure:\n\n${BLOCK}\n  \n`;
    expect(answerText(text, null)).toBe(text);
  });

  it('loses links of cards and tags of suggestions', () => {
    const text =
      'See\nhttp://googleusercontent.com/card_content/0\n\nDone.<FollowUp label="More?" query="x"/>\n<Elicit>?</Elicit>';
    expect(answerText(text, null)).toBe('See\n\nDone.\n?');
  });

  it('loses the code that Gemini has run, and what it printed', () => {
    const text = [
      'Let me see.',
      '```python?code_reference&code_event_index=1',
      'print("```baa")',
      '```',
      '```text?code_stdout&code_event_index=1',
      '@host::exec {}',
      '```',
      'It is 4.',
    ].join('\n');
    expect(answerText(text, null)).toBe('Let me see.\nIt is 4.');
  });

  it('keeps every character of other blocks of code', () => {
    const text = `${BLOCK}\nhttp://googleusercontent.com/card_content/1\n~~~\n\`\`\`text?code_stdout\n<Elicit>\n\`\`\`\n~~~`;
    expect(answerText(text, null)).toBe(`${BLOCK}\n~~~\n\`\`\`text?code_stdout\n<Elicit>\n\`\`\`\n~~~`);
  });

  it('does not show a block that Gemini has run when the block has no end', () => {
    expect(answerText('one\n```python?code_reference\n@host::exec {}', null)).toBe('one');
  });

  it('is the other text when the first is only the link of a card', () => {
    expect(answerText('http://googleusercontent.com/card_content/7', 'The text.')).toBe('The text.');
    expect(answerText('http://googleusercontent.com/card_content/7', null)).toBe('');
    expect(answerText('Text.', 'other')).toBe('Text.');
  });
});
