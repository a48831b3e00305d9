/** The bindings that the objects use: D1 for the fence, and each other. */

/** A binding to a class of objects. stubs.ts types what they offer, by the contracts. */
export interface ObjectNamespace {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): { fetch(request: Request): Promise<Response> };
}

export interface ObjectsEnv {
  DB: D1Database;
  LEADER_LEASE: ObjectNamespace;
  AUTOMATION_STATE: ObjectNamespace;
  TIMED_JOBS: ObjectNamespace;
  NODE_HUB: ObjectNamespace;
}
