/**
 * Who may call which route, written down a second time, so that a role added to a route by mistake fails a test. A new
 * route needs a line here.
 */
import type { Role } from '../../../schema/contracts/tokens.ts';

const anyone: readonly Role[] = [];
const readers: readonly Role[] = ['readonly', 'browser_admin', 'ops_admin'];
const readersAndNodes: readonly Role[] = [...readers, 'controller'];
const people: readonly Role[] = ['browser_admin', 'ops_admin'];
const operators: readonly Role[] = ['ops_admin'];
const nodes: readonly Role[] = ['controller'];
const holders: readonly Role[] = ['controller', 'worker'];

/** Roles by route; no role means that the route needs no authentication. */
export const ROLES_BY_ROUTE: Readonly<Record<string, readonly Role[]>> = {
  'GET /healthz': anyone,
  'GET /v1/openapi.json': anyone,
  'GET /v1/docs': anyone,
  'GET /v1/status': readers,
  'GET /v1/metrics': readers,
  'GET /v1/stats': readers,
  'GET /v1/status/ui': anyone,
  'GET /v1/events': readers,

  'GET /v1/session': [...readers, 'controller', 'worker'],
  'POST /v1/session': readers,
  'DELETE /v1/session': readers,
  'POST /v1/session/links': operators,
  'GET /v1/session/link/:code': anyone,
  'GET /v1/tokens': operators,
  'POST /v1/tokens': operators,
  'POST /v1/tokens/:token_id/rotate': operators,
  'DELETE /v1/tokens/:token_id': operators,
  'GET /v1/search': readers,
  'GET /v1/audit': operators,
  'GET /v1/audit/people': operators,

  'GET /v1/system/state': readersAndNodes,
  'POST /v1/system/pause': people,
  'POST /v1/system/resume': people,
  'POST /v1/system/drain': people,
  'POST /v1/system/restore-check': operators,
  'GET /v1/timed-jobs/ticks': readersAndNodes,
  'POST /v1/timed-jobs/tick': operators,

  'GET /v1/leader': readersAndNodes,
  'GET /v1/leader/terms': readers,
  'POST /v1/leader/acquire': nodes,
  'POST /v1/leader/release': nodes,
  'GET /v1/controllers': readers,
  'GET /v1/controllers/:controller_id': readers,
  'POST /v1/controllers/heartbeat': nodes,
  'GET /v1/controllers/:controller_id/channel': nodes,
  'GET /v1/controllers/:controller_id/commands': nodes,
  'POST /v1/controllers/:controller_id/receipts': nodes,
  'POST /v1/commands/:command_id/result': nodes,
  'PUT /v1/controllers/:controller_id/clients/:client_id': nodes,
  'GET /v1/browser': readers,
  'POST /v1/browser/:platform/send': people,
  'POST /v1/browser/:platform/current': people,
  'POST /v1/browser/clients/:client_id/resume': people,
  'POST /v1/browser/clients/:client_id/move': people,

  'GET /v1/messages': readersAndNodes,
  'GET /v1/messages/:message_id': readersAndNodes,
  'POST /v1/messages': nodes,
  'POST /v1/messages/:message_id/claim': nodes,
  'POST /v1/messages/:message_id/progress': nodes,
  'POST /v1/messages/:message_id/reply': nodes,
  'POST /v1/messages/:message_id/resubmit': people,
  'GET /v1/instructions': readersAndNodes,
  'GET /v1/instructions/:instruction_id': readersAndNodes,
  'POST /v1/instructions/:instruction_id/run': nodes,
  'POST /v1/instructions/:instruction_id/started': nodes,
  'POST /v1/instructions/:instruction_id/output': nodes,
  'POST /v1/instructions/:instruction_id/result': nodes,
  'POST /v1/instructions/:instruction_id/cancel': people,
  'POST /v1/instructions/:instruction_id/approve': people,
  'POST /v1/instructions/:instruction_id/deny': people,
  'GET /v1/journal': readers,
  'GET /v1/artifacts/:artifact_id': readers,
  'GET /artifact/:artifact_id/:signature': anyone,

  'POST /v1/tasks': people,
  'GET /v1/tasks': readers,
  'POST /v1/tasks/claim': nodes,
  'GET /v1/tasks/:task_id': readers,
  'GET /v1/tasks/:task_id/logs': readers,
  'POST /v1/tasks/:task_id/plan': [...people, 'controller'],
  'POST /v1/tasks/:task_id/cancel': people,
  'POST /v1/tasks/:task_id/retry': people,
  'POST /v1/tasks/:task_id/hand-over': people,
  'POST /v1/steps/:step_id/heartbeat': holders,
  'POST /v1/steps/:step_id/logs': holders,
  'POST /v1/steps/:step_id/checkpoint': holders,
  'POST /v1/steps/:step_id/complete': holders,
  'POST /v1/steps/:step_id/fail': holders,
  'POST /v1/steps/:step_id/resolve': people,
  'GET /v1/runs/:run_id': readersAndNodes,
  'GET /v1/runs/:run_id/checkpoints': readersAndNodes,
  'GET /v1/runs/:run_id/checkpoints/:seq': readersAndNodes,
  'GET /v1/runs/:run_id/logs': readersAndNodes,
  'POST /v1/controllers/:controller_id/drain': people,

  'GET /v1/renewal/conversations': readersAndNodes,
  'GET /v1/renewal/conversations/:local_conversation_id': readersAndNodes,
  'POST /v1/renewal/conversations/:local_conversation_id/manual': people,
  'POST /v1/renewal/conversations/:local_conversation_id/auto': people,
  'POST /v1/renewal/conversations/:local_conversation_id/paused': people,
  'POST /v1/renewal/conversations/:local_conversation_id/resume': people,
  'GET /v1/renewal/links': readers,
  'GET /v1/renewal/settings': readers,
  'PUT /v1/renewal/settings': people,
  'GET /v1/renewal/jobs': readers,
  'GET /v1/renewal/jobs/:job_id': readers,
  'POST /v1/renewal/jobs/:job_id/retry': people,
  'POST /v1/renewal/jobs/:job_id/cancel': people,
};
