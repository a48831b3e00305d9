/** `review`: a person sees what has changed, and decides with `steps resolve`. Nothing is started. */
import type { Executor } from './executor.ts';
import { failed } from './executor.ts';

const NOTHING = 'nothing has changed';

export const review: Executor<'review'> = {
  prepare: ({ question }, { changes }) => {
    const summary = `${question ?? 'Is this right?'}\n\n${changes === '' ? NOTHING : changes}`;
    const error_text = 'a person decides: conductor steps resolve STEP_ID --outcome done|failed';
    return { type: 'verdict', verdict: { status: 'blocked', summary, error_code: 'needs_human', error_text } };
  },
  judge: () => failed('not_started', 'a review starts no program'),
};
