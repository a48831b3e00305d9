/** How the fake page speaks with its server: forms that hold JSON twice, and answers by XMLHttpRequest. */

export interface ShownAnswer {
  conversation: string;
  turn: string;
  id: string;
  text: string;
  thoughts: string;
  isComplete: boolean;
  drafts: number;
}

type GlobalData = Record<string, string>;
declare const window: Window & { WIZ_global_data: GlobalData };

const account = (): string => /^\/u\/\d+/.exec(location.pathname)?.[0] ?? '';

export interface Question {
  text: string;
  /** The turn that it follows. */
  follows: readonly [string, string, string];
  isTemporary: boolean;
}

/** Sends a question. `onAnswer` is called for each line, `onEnd` with the status, or 0 when the connection broke. */
export function ask(
  question: Question,
  onAnswer: (answer: ShownAnswer) => void,
  onEnd: (status: number) => void,
): void {
  const inner: unknown[] = Array.from({ length: 81 }, () => null);
  inner[0] = [question.text, 0, null, null, null, null, 0];
  inner[1] = [document.documentElement.lang];
  inner[2] = [...question.follows, null, null, null, null, null, null, ''];
  inner[3] = '!attestation';
  inner[7] = 1;
  if (question.isTemporary) inner[45] = 1;
  const request = new XMLHttpRequest();
  const path = `${account()}/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate`;
  request.open('POST', `${path}?${parameters()}`);
  request.setRequestHeader('content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
  request.setRequestHeader('x-same-domain', '1');
  let read = 0;
  const readOn = () => {
    const end = request.responseText.lastIndexOf('\n') + 1;
    for (const answer of answersIn(request.responseText.slice(read, end))) onAnswer(answer);
    read = Math.max(read, end);
  };
  request.onprogress = readOn;
  request.onload = () => {
    readOn();
    onEnd(request.status);
  };
  request.onerror = () => onEnd(0);
  request.send(formOf([null, JSON.stringify(inner)]));
}

/** Calls one procedure of a batch. */
export async function callBatch(rpc: string, argument: unknown): Promise<unknown> {
  const query = `rpcids=${rpc}&source-path=${encodeURIComponent(location.pathname)}&${parameters()}`;
  const response = await fetch(`${account()}/_/BardChatUi/data/batchexecute?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8', 'x-same-domain': '1' },
    body: formOf([[[rpc, JSON.stringify(argument), null, 'generic']]]),
  });
  const [part] = partsIn(await response.text()).filter(([kind]) => kind === 'wrb.fr');
  return part === undefined ? null : JSON.parse(String(part[2]));
}

function parameters(): string {
  const { cfb2h = '', FdrFJe = '', TuX5cc = '' } = window.WIZ_global_data;
  return new URLSearchParams({ bl: cfb2h, 'f.sid': FdrFJe, hl: TuX5cc, _reqid: '100', rt: 'c' }).toString();
}

function formOf(request: unknown): URLSearchParams {
  return new URLSearchParams({ 'f.req': JSON.stringify(request), at: window.WIZ_global_data.SNlM0e ?? '' });
}

function partsIn(text: string): unknown[][] {
  return text
    .split('\n')
    .filter((one) => one.startsWith('[['))
    .flatMap((one) => JSON.parse(one) as unknown[][]);
}

function answersIn(text: string): ShownAnswer[] {
  return partsIn(text).flatMap(([kind, , json]) => {
    if (kind !== 'wrb.fr' || typeof json !== 'string') return [];
    const inner = JSON.parse(json) as unknown[];
    const [conversation = '', turn = ''] = (inner[1] ?? []) as string[];
    const candidates = (inner[4] ?? []) as unknown[][];
    const [first] = candidates;
    return [{ conversation, turn, drafts: candidates.length - 1, ...shown(first) }];
  });
}

function shown(candidate: unknown[] | undefined): Pick<ShownAnswer, 'id' | 'text' | 'thoughts' | 'isComplete'> {
  const [text = ''] = (candidate?.[1] ?? []) as string[];
  const [state] = (candidate?.[8] ?? []) as number[];
  const [[thoughts = ''] = []] = (candidate?.[37] ?? []) as string[][];
  return { id: String(candidate?.[0] ?? ''), text, thoughts, isComplete: state === 2 };
}
