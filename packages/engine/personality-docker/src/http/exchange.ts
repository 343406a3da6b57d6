import type { Duplex, Readable, Writable } from 'node:stream';

/** Headers of an answer. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** One HTTP request and the means to answer it, whatever server carries it. */
export interface Exchange {
  readonly method: string;
  /** The raw request target: path and query, still percent-encoded. */
  readonly target: string;
  /** A request header by lower-case name. */
  header(name: string): string | undefined;
  readonly body: Readable;
  /** Fires when the client has gone before the answer was complete. */
  readonly signal: AbortSignal;
  /** Whether an answer was begun, so that no error can be answered any more. */
  readonly answered: boolean;
  /** A complete answer; 204 and 304 take an empty body. */
  answer(status: number, headers: AnswerHeaders, body: string): void;
  /** Sends the head at once and gives the stream of the body. */
  stream(status: number, headers: AnswerHeaders): Writable;
  /** Takes the connection over: 101 when the client asked to upgrade, 200 otherwise; then bytes both ways, each side closable on its own. */
  hijack(contentType: string): Duplex;
  /** Whether the client asked for an upgraded connection. */
  readonly upgrade: boolean;
}
