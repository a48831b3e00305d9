/** What the objects call in the Worker, through its entrypoint `EdgeBackend`; typed by the contract, never by import. */
import type { EdgeBackendApi } from '../schema/contracts/objects.ts';

/** The Worker's backend as a plain object. `ctx.exports` names the entrypoints of the main module. */
export function edgeBackend(ctx: DurableObjectState): EdgeBackendApi {
  const { EdgeBackend: backend } = ctx.exports as unknown as { EdgeBackend: EdgeBackendApi };
  return {
    alarmTick: (grant) => backend.alarmTick(grant),
    pendingCommands: (nodeId) => backend.pendingCommands(nodeId),
    receipts: (nodeId, receipts) => backend.receipts(nodeId, receipts),
  };
}
