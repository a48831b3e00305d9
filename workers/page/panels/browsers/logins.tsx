import type { ComponentChildren } from 'preact';
import type { Tone } from '../../parts/tones.ts';
import { word } from '../../texts/texts.ts';
import type { Browser } from './read-browsers.ts';

export const LOGIN_TONES: Readonly<Record<Browser['platforms'][number]['login'], Tone>> = {
  fresh: 'good',
  stale: 'wait',
  lost: 'bad',
};

/** Each site with the state of its login, or why the browser is stopped there; then `children` in the same row. */
export function Logins({
  platforms,
  children,
}: {
  platforms: readonly Pick<Browser['platforms'][number], 'platform' | 'login' | 'stopped_reason'>[];
  children?: ComponentChildren;
}) {
  return (
    <span class={children === undefined ? 'logins' : 'note logins'}>
      {platforms.map(({ platform, login, stopped_reason }) => (
        <span key={platform}>
          <span class={`dot ${stopped_reason === null ? LOGIN_TONES[login] : 'bad'}`} aria-hidden="true" />
          {word('platform', platform)}:{' '}
          {stopped_reason === null ? word('login', login) : word('reason', stopped_reason)}
        </span>
      ))}
      {children}
    </span>
  );
}
