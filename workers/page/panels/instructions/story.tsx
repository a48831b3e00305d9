/** What happened to an instruction, in order: observed, judged, claimed, started, ended, delivered. */
import type { InstructionEvent } from '../../../../schema/contracts/instructions.ts';
import { usePage } from '../../page-context.ts';
import { word } from '../../texts/texts.ts';
import { detailText } from './story-details.ts';

const TONES: Readonly<Record<string, string>> = {
  started: 'busy',
  asked: 'wait',
  gated: 'wait',
  approved: 'good',
  denied: 'bad',
  cancel_requested: 'bad',
  delivered: 'good',
  resolved: 'good',
};
export function Story({ events }: { events: readonly InstructionEvent[] }) {
  const { format } = usePage();
  const steps = events.filter(({ kind }, at) => kind !== 'output' || events[at - 1]?.kind !== 'output');
  const [first] = events;
  return (
    <ol class="story">
      {steps.map((event) => (
        <li key={event.seq}>
          <span class={`dot ${TONES[event.kind] ?? 'calm'}`} aria-hidden="true" />
          <div>
            <p>
              <strong>{word('event', event.kind)}</strong>{' '}
              <time class="faint" dateTime={new Date(event.at).toISOString()} title={format.exact(event.at)}>
                {first === undefined || event === first
                  ? format.moment(event.at, Date.now())
                  : `+${format.exactSpan(event.at - first.at)}`}
              </time>
              {event.controller_id === null ? null : <span class="faint"> · {event.controller_id}</span>}
            </p>
            <p class="note">{detailText(event, format)}</p>
          </div>
        </li>
      ))}
    </ol>
  );
}
