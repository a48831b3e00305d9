/** The append-only events of the system, and artifacts. */
import { z } from 'zod';
import { TimestampSchema } from './common.ts';

export const EVENT_TOPICS = [
  'system',
  'leader',
  'nodes',
  'clients',
  'conversations',
  'messages',
  'instructions',
  'renewal',
  'tasks',
  'runs',
  'tokens',
  'grants',
] as const;
export const EventTopicSchema = z.enum(EVENT_TOPICS);
export type EventTopic = z.infer<typeof EventTopicSchema>;

const EventItemSchema = z.object({
  topic: EventTopicSchema,
  type: z.string(),
  subject_id: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type EventItem = z.infer<typeof EventItemSchema>;

/** Of a stream whose client named an event that the edge does not have: read everything again. Not a topic. */
export const RESET_EVENT = 'reset';

/** Events of one commit share `seq` and `at`. */
export const EventSchema = EventItemSchema.extend({ seq: z.number().int(), at: TimestampSchema });
export type SystemEvent = z.infer<typeof EventSchema>;
/** An event before it is stored; without `data` it has none. */
export type EventDraft = Omit<EventItem, 'data'> & Partial<Pick<EventItem, 'data'>>;

export const ARTIFACT_KINDS = ['instruction_output'] as const;
export const ArtifactSchema = z.object({
  artifact_id: z.string(),
  kind: z.enum(ARTIFACT_KINDS),
  instruction_id: z.string().nullable(),
  content: z.string(),
  created_at: TimestampSchema,
});
export type Artifact = z.infer<typeof ArtifactSchema>;
