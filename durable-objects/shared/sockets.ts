/**
 * Sending to sockets that may be gone. A peer can disconnect at any time, and a closing socket refuses both a frame and a
 * second close. These errors are swallowed here; every other error is thrown.
 */

export function isSocketOpen(socket: WebSocket): boolean {
  return socket.readyState === WebSocket.OPEN;
}

/** Sends the frame as JSON. False when the socket is gone. */
export function sendFrame(socket: WebSocket, frame: object): boolean {
  if (!isSocketOpen(socket)) return false;
  return ignoreTeardown(() => socket.send(JSON.stringify(frame)));
}

/** Closes the socket, or completes the peer's close. Codes that may not be sent (1005, 1006 …) become 1000. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  const sendable = code === 1000 || (code >= 3000 && code < 5000) || SENDABLE_CODES.has(code);
  ignoreTeardown(() => socket.close(sendable ? code : 1000, reason));
}

const SENDABLE_CODES: ReadonlySet<number> = new Set([1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011]);

function ignoreTeardown(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (isTeardown(error)) return false;
    throw error;
  }
}

/** Whether workerd threw this for a socket that is closed, closing or lost. Only the message shows that. */
function isTeardown(error: unknown): boolean {
  return (
    error instanceof Error &&
    /after close|already closed|is closed|closing|disconnected|connection lost/i.test(error.message)
  );
}
