/** The system at this moment: what runs, what waits for a person, what is due next, and the buttons of the mode. */
import { StatusSchema } from '../../../../schema/contracts/status.ts';
import { STATUS_PATH } from '../../api/first-paths.ts';
import { useRead } from '../../page-context.ts';
import { Heading, Shown } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';
import { Machines } from './machines.tsx';
import { Mode } from './mode.tsx';
import { Next } from './next.tsx';
import { Recent } from './recent.tsx';
import { Running } from './running.tsx';
import { WaitsForYou } from './waits-for-you.tsx';

const TOPICS = [
  'system',
  'leader',
  'nodes',
  'clients',
  'messages',
  'instructions',
  'renewal',
  'tasks',
  'runs',
] as const;

export default function Now() {
  const status = useRead(STATUS_PATH, StatusSchema, TOPICS);
  return (
    <>
      <Heading title={t('nav_now')} />
      <Shown of={status}>
        {(data) => (
          <div class="now">
            <Mode status={data} />
            <WaitsForYou />
            <Running />
            <Next renewal={data.renewal} queued={data.tasks.queued} />
            <Machines status={data} />
            <Recent status={data} />
          </div>
        )}
      </Shown>
    </>
  );
}
