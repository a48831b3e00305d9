/** What happened in a conversation, newest first. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import { InstructionSchema, MessageSummarySchema } from '../../../../schema/contracts/instructions.ts';
import { RenewalJobSchema } from '../../../../schema/contracts/renewal.ts';
import { useRead } from '../../page-context.ts';
import { InstructionLine } from '../../parts/instruction-line.tsx';
import { Nothing, Pill, Status, When } from '../../parts/parts.tsx';
import { JOB_TONES, REPLY_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import type { Happening } from './thread-order.ts';
import { threadOf } from './thread-order.ts';

const MessagesSchema = pageOf(MessageSummarySchema);
const InstructionsSchema = pageOf(InstructionSchema);
const JobsSchema = pageOf(RenewalJobSchema);
const NEWEST = 50;

export function Thread({ conversationId }: { conversationId: string }) {
  const of = `local_conversation_id=${encodeURIComponent(conversationId)}&limit=${NEWEST}`;
  const messages = useRead(`/v1/messages?${of}`, MessagesSchema, ['messages', 'instructions']);
  const instructions = useRead(`/v1/instructions?${of}`, InstructionsSchema, ['instructions', 'messages']);
  const jobs = useRead(`/v1/renewal/jobs?${of}`, JobsSchema, ['renewal']);
  if (messages.data === null || instructions.data === null || jobs.data === null)
    return <p class="loading">{t('loading')}</p>;
  const happenings = threadOf(messages.data.items, instructions.data.items, jobs.data.items);
  const hasMore = [messages, instructions, jobs].some(({ data }) => data?.next_cursor !== null);
  return (
    <>
      {happenings.length === 0 ? <Nothing>{t('thread_empty')}</Nothing> : null}
      <ol class="thread">
        {happenings.map((one) => (
          <li key={one.id} class={one.kind}>
            <One of={one} />
          </li>
        ))}
      </ol>
      {hasMore ? <p class="note">{t('thread_newest', { n: NEWEST })}</p> : null}
    </>
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
