// Sends the operations of the console: queries and mutations by POST, subscriptions by Server-Sent
// Events, each with the key of this tab.
import { signal } from "@preact/signals";
import { createClient, type Client } from "graphql-sse";
import type { ProblemFragment, TypedDocumentString } from "./operations.generated";

const address = "/graphql";
// The playground keeps its key there too, so that a tab needs it once.
const storageKey = "couponql:key";
const retryMilliseconds = 2_000;
// How many operations a page can show; the oldest are dropped.
const maxRequests = 30;

type Document<Data, Variables> = TypedDocumentString<Data, Variables>;

/** What was sent, to be shown and to be opened in the playground. */
export type Sent = { name: string; kind: string; query: string; variables: unknown };

export const key = signal(sessionStorage.getItem(storageKey) ?? "");
/** Whether the server did not answer the last time, and is asked again. */
export const isAway = signal(false);
/** Whether the server wants a key, or another one. */
export const isLocked = signal(false);
export const requests = signal<Sent[]>([]);

export function setKey(next: string) {
  if (next) sessionStorage.setItem(storageKey, next);
  else sessionStorage.removeItem(storageKey);
  key.value = next;
  isLocked.value = false;
}

/** The page was left: what it sent belongs to another one. */
export function forgetRequests() {
  requests.value = [];
}

/** A request that the server refused as a whole; `code` is that of errors.md. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/** The server could not be reached, or stops at this moment: worth another try. */
export class Away extends Error {}

const headers = (): Record<string, string> => (key.value ? { Authorization: `Bearer ${key.value}` } : {});

function note(document: Document<unknown, never>, variables: unknown) {
  const query = document.toString().replaceAll(/^ {4}/gm, "").trim();
  const [, kind = "query", name = ""] = /^(\w+) (\w+)/.exec(query) ?? [];
  const others = requests.value.filter((other) => other.name !== name);
  requests.value = [...others, { name, kind, query, variables }].slice(-maxRequests);
}

/** Sends an operation and returns its data. */
export async function send<Data, Variables>(
  document: Document<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Data> {
  note(document as Document<unknown, never>, variables);
  let response: Response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json", ...headers() },
      body: JSON.stringify({ query: document.toString(), variables }),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    isAway.value = true;
    throw new Away("The server does not answer.");
  }
  const answer = (await response.json().catch(() => null)) as {
    data?: Data;
    errors?: { message: string; extensions?: { code?: string } }[];
  } | null;
  if (response.status === 401) isLocked.value = true;
  const error = answer?.errors?.[0];
  if (error === undefined && answer?.data) {
    isAway.value = false;
    return answer.data;
  }
  if (response.status >= 500 && response.status !== 500) {
    isAway.value = true;
    throw new Away(error?.message ?? "The server does not answer.");
  }
  isAway.value = false;
  throw new Refusal(error?.message ?? `The server answered with the status ${response.status}.`, error?.extensions?.code ?? "");
}

/** Sends a query, again and again while the server is away. */
export async function ask<Data, Variables>(
  document: Document<Data, Variables>,
  variables: Variables,
  signal: AbortSignal,
): Promise<Data> {
  for (;;) {
    try {
      return await send(document, variables, signal);
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryMilliseconds));
      signal.throwIfAborted();
    }
  }
}

/** Problems of a mutation's input, which its user can mend. */
export class Problems extends Error {
  constructor(readonly problems: ProblemFragment[]) {
    super(problems.map(({ message }) => message).join(" "));
  }
}

/** Sends a mutation and returns its payload, the one field of its data. Problems are thrown. */
export async function change<Data extends object, Variables>(
  document: Document<Data, Variables>,
  variables: Variables,
): Promise<Data[keyof Data]> {
  const data = await send(document, variables);
  const payload = Object.values(data)[0] as Data[keyof Data] & { userErrors: ProblemFragment[] };
  if (payload.userErrors.length > 0) throw new Problems(payload.userErrors);
  return payload;
}

let events: Client | undefined;

/** Follows a subscription until it ends; what ends it is called. The client connects again by itself. */
export function follow<Data, Variables>(
  document: Document<Data, Variables>,
  variables: Variables,
  next: (data: Data) => void,
  ended: () => void,
): () => void {
  note(document as Document<unknown, never>, variables);
  events ??= createClient({
    url: address,
    headers,
    retryAttempts: Number.MAX_SAFE_INTEGER,
    retry: () => new Promise((resolve) => setTimeout(resolve, retryMilliseconds)),
  });
  return events.subscribe<Data>(
    { query: document.toString(), variables: variables as Record<string, unknown> },
    { next: ({ data }) => data && next(data), error: ended, complete: ended },
  );
}

/** The playground with an operation in it. Its link holds the operation behind #, which no server gets. */
export function playgroundLink({ query, variables }: Sent): string {
  const question = { query, variables: JSON.stringify(variables, null, 2), view: {} };
  const bytes = new TextEncoder().encode(JSON.stringify(question));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `/#question=${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** A key for a mutation that makes something: the same for each repeat of one try. */
export const newKey = () => `console-${crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-")}`;
