import type { JobState } from '../../../schema/domain/job-machine.ts';

/** A link whose tab can take a delivery. */
export const link = {
  target_kind: 'browser.proxy_delivery',
  target_id: 'tab:17',
  target_payload: {
    client_id: 'c',
    conversation_id: 'r',
    organization_id: null,
    page_url: 'https://chatgpt.com/c/r',
    page_title: null,
    tab_id: 17,
    shell_page: false,
  },
};

/** A job that used up its attempts, for want of a link. */
export const failedJob: JobState & { job_id: string } = {
  job_id: 'job_1',
  status: 'failed',
  attempt_count: 3,
  max_attempts: 3,
  next_attempt_at: null,
  deadline_at: null,
  last_attempt_at: 1,
  last_error: 'missing_active_link',
  started_at: 1,
  finished_at: 2,
};
