/**
 * Passes messages of an MCP client on to the edge, one HTTP request each, and what the edge answers back to the client. The
 * edge has no sessions, so neither has the bridge. Each call of a tool gets an operation id, because clients number their
 * requests alike and share the token. A request that breaks off is sent once more as it is: the edge recognizes the repeat,
 * so a call has one effect. After that its answer is an error, so that no client waits for ever.
 */
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
export interface McpBridgeDeps {
    url: URL;
    token: string;
    warn: (line: string) => void;
    /** Gives the client a message. */
    send: (message: JSONRPCMessage) => Promise<void>;
    fetch?: typeof fetch;
    /** Before a request is sent again. */
    retryMs?: number;
}
/** What JSON-RPC leaves to servers. */
export declare const EDGE_FAILED = -32000;
export declare class McpBridge {
    #private;
    constructor(deps: McpBridgeDeps);
    /** Never throws: what fails is the answer to the message, or a line for a person. */
    forward(received: JSONRPCMessage): Promise<void>;
}
