/** What an entry of the story says, as names and values in the reader's language. */
import type { InstructionEvent } from '../../../../schema/contracts/instructions.ts';
import { HIDDEN_DETAILS } from '../../../../schema/contracts/journal.ts';
import { makeVisibleLine, visibleJson } from '../../../../schema/domain/visible.ts';
import type { Format } from '../../parts/format.ts';
import { knownWord, t } from '../../texts/texts.ts';

const HIDDEN: readonly string[] = HIDDEN_DETAILS;
/** Where the catalogue has the words of a part. What it has none for is shown as it is: ids, names, what a person wrote. */
export const WORDS: Readonly<Record<string, readonly string[]>> = {
  status: ['instruction'],
  gate: ['reason'],
  error_code: ['reason'],
  reason: ['reason'],
  decision: ['decision'],
  outcome: ['reply', 'resolved'],
  source: ['source'],
  other: ['other'],
  via: ['via'],
  by: ['by'],
  truncated: ['truncated'],
};

export function detailText({ detail }: InstructionEvent, format: Format): string {
  return Object.entries(detail)
    .filter(([name, value]) => value !== null && value !== false && !HIDDEN.includes(name))
    .map(([name, value]) => {
      const label = knownWord(['detail'], name) ?? makeVisibleLine(name);
      return t('detail_pair', { name: label, value: valueText(name, value, format) });
    })
    .join(' · ');
}

function valueText(name: string, value: unknown, format: Format): string {
  if (name === 'duration_ms' && typeof value === 'number') return format.exactSpan(value);
  if (name === 'host' && typeof value === 'object' && value !== null && 'decision' in value) {
    const rule = 'rule' in value ? ` (${valueText('rule', value.rule, format)})` : '';
    return valueText('decision', value.decision, format) + rule;
  }
  const known =
    typeof value === 'string' || typeof value === 'boolean' ? knownWord(WORDS[name] ?? [], String(value)) : null;
  return known ?? (typeof value === 'string' ? makeVisibleLine(value) : visibleJson(value));
}
