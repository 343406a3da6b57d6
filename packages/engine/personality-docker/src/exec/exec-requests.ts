import type { ExecCreate } from '@vic/docker-api';

/** How many sessions' requests are remembered; the port layer forgets sessions with their containers. */
const MAX_REMEMBERED = 4096;

/** What clients asked for when they made exec sessions: which streams they want and their detach keys. */
export class ExecRequests {
  readonly #requests = new Map<string, ExecCreate>();

  /** Remembers a request, forgetting the oldest when there are too many. */
  remember(execId: string, request: ExecCreate): void {
    this.#requests.set(execId, request);
    const [oldest] = this.#requests.keys();
    if (this.#requests.size > MAX_REMEMBERED && oldest !== undefined) this.#requests.delete(oldest);
  }

  /** The request of a session; all streams when it is not remembered. */
  of(execId: string): ExecCreate {
    return this.#requests.get(execId) ?? { AttachStdin: true, AttachStdout: true, AttachStderr: true };
  }
}
