/** What happened in a conversation, newest first, page by page. A page is complete: each message has all that belongs to it. */
import { useLocation } from 'preact-iso/router';
import { ThreadPageSchema } from '../../../../schema/contracts/thread.ts';
import { useRead, withQuery } from '../../page-context.ts';
import { InstructionLine } from '../../parts/instruction-line.tsx';
import { Pages } from '../../parts/list.tsx';
import { Nothing, Pill, Shown, Status, When } from '../../parts/parts.tsx';
import { JOB_TONES, REPLY_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import type { Happening } from './thread-order.ts';
import { threadOf } from './thread-order.ts';

/** Messages of a page. */
const LIMIT = 25;
const TOPICS = ['messages', 'instructions', 'renewal'] as const;

export function Thread({ conversationId }: { conversationId: string }) {
  const { query } = useLocation();
  const path = `/v1/renewal/conversations/${encodeURIComponent(conversationId)}/thread`;
  const read = useRead(withQuery(path, { cursor: query.cursor, limit: LIMIT }), ThreadPageSchema, TOPICS);
  return (
    <Shown of={read}>
      {({ items, next_cursor }) => (
        <>
          {items.length === 0 ? <Nothing>{t(query.cursor ? 'list_ended' : 'thread_empty')}</Nothing> : null}
          <ol class="thread">
            {threadOf(items).map((one) => (
              <li key={one.id} class={one.kind}>
                <One of={one} />
              </li>
            ))}
          </ol>
          <Pages next={next_cursor} />
        </>
      )}
    </Shown>
  );
}

function One({ of }: { of: Happening }) {
  if (of.kind === 'renewal') {
    const { job } = of;
    return (
      <p class="line">
        <Status kind="job" value={job.status} tone={JOB_TONES[job.status]} />
        <a href={`/renewals/${job.job_id}`}>{t('renewal')}</a>
        <span class="note">
          {t('attempt_of', { attempt: job.attempt_count, max: job.max_attempts })}
          {job.last_error === null ? '' : ` · ${word('reason', job.last_error)}`} · <When at={of.at} />
        </span>
      </p>
    );
  }
  const { message, instructions } = of;
  return (
    <>
      <p class="line">
        <Pill tone="calm">{word('author', message.role)}</Pill>
        <a href={`/messages/${message.message_id}`}>{word('ingest', message.ingest_status)}</a>
        <span class="note">
          <When at={of.at} />
        </span>
      </p>
      {instructions.length === 0 ? null : (
        <ul class="inner">
          {instructions.map((one) => (
            <li key={one.instruction_id} class="line">
              <InstructionLine of={one} />
            </li>
          ))}
        </ul>
      )}
      {message.reply_outcome === null ? null : (
        <p class="line inner">
          <Status kind="reply" value={message.reply_outcome} tone={REPLY_TONES[message.reply_outcome]} />
          <span class="note">{message.reply_reason === null ? '' : word('reason', message.reply_reason)}</span>
        </p>
      )}
    </>
  );
}
