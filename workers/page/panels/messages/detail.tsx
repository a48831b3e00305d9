/** One message: its text, what was read from it, and its instructions. */
import { MessageDetailSchema, ResubmitResponseSchema } from '../../../../schema/contracts/instructions.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { useRead, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Output } from '../../parts/bytes.tsx';
import { Detail } from '../../parts/detail.tsx';
import { InstructionLine } from '../../parts/instruction-line.tsx';
import { Card, Facts, Heading, Moment, Nothing, Status } from '../../parts/parts.tsx';
import { REPLY_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import type { PanelProps } from '../panel.ts';

/** Of such an instruction a person can ask for another try. */
const STOPPED: readonly string[] = ['blocked', 'expired'];

export default function MessagePanel({ id }: PanelProps) {
  const { canAct } = useRights();
  const read = useRead(`/v1/messages/${encodeURIComponent(id)}`, MessageDetailSchema, ['messages', 'instructions']);
  return (
    <Detail of={read} name={{ kind: 'found_message', id, list: { href: '/conversations', name: 'nav_conversations' } }}>
      {(message) => (
        <>
          <Heading
            above={<a href={`/conversations/${message.local_conversation_id}`}>{message.local_conversation_id}</a>}
            title={word('ingest', message.ingest_status)}
          >
            {canAct && message.instructions.some(({ status }) => STOPPED.includes(status)) ? (
              <Act
                label={t('resubmit')}
                run={() =>
                  callEdge(`/v1/messages/${id}/resubmit`, ResubmitResponseSchema, { method: 'POST', body: {} })
                }
                done={t('resubmitted')}
                hint={t('resubmit_does')}
              />
            ) : null}
          </Heading>
          <Card title={t('nav_instructions')} id="instructions">
            {message.instructions.length === 0 ? <Nothing>{t('no_instructions_in_message')}</Nothing> : null}
            <ul class="lines">
              {message.instructions.map((one) => (
                <li key={one.instruction_id}>
                  <InstructionLine of={one} />
                </li>
              ))}
            </ul>
            {message.block_errors.map(({ block_index, line, message: said }) => (
              <p key={`${block_index} ${line}`} class="banner wait">
                {t('block_error', { block: block_index + 1, line, said: makeVisibleLine(said) })}
              </p>
            ))}
          </Card>
          <Card title={t('message')} id="message">
            <Output text={message.raw_text} label={t('message')} />
            <Facts
              of={[
                [t('author'), word('author', message.role)],
                [t('platform'), word('platform', message.platform)],
                [t('seen'), <Moment key="s" at={message.observed_at} />],
                [t('received'), <Moment key="r" at={message.received_at} />],
                [
                  t('browser'),
                  <a key="b" href={`/browsers/${encodeURIComponent(message.client_id)}`}>
                    {message.client_id}
                  </a>,
                ],
                [
                  t('node'),
                  <a key="n" href={`/nodes/${encodeURIComponent(message.controller_id)}`}>
                    {message.controller_id}
                  </a>,
                ],
                [t('captured'), word('source', message.capture.source)],
                [t('second_reading'), word('other', message.capture.other)],
                [
                  t('reply'),
                  message.reply_outcome === null ? null : (
                    <Status kind="reply" value={message.reply_outcome} tone={REPLY_TONES[message.reply_outcome]} />
                  ),
                ],
                [t('id'), <code key="i">{message.message_id}</code>],
              ]}
            />
          </Card>
        </>
      )}
    </Detail>
  );
}
