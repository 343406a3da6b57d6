import { SingleFlight } from '@vic/async';
import type { Logger } from '@vic/log';
import {
  isFault,
  reference,
  type ApiVersion,
  type ManagedObjectReference,
  type MethodArgs,
  type MethodName,
  type MethodResult,
  type Methods,
  type ServiceContent,
} from '@vic/vim';
import type { HttpRequest, HttpResponse } from '@vic/http-client';
import { Connection, type CallOptions, type ConnectionOptions } from './connection.ts';
import { isReadMethod, retryWhileAway, type Effect } from './retry-while-away.ts';
import { filterForObjects, retrieve } from './property-collector.ts';
import { waitForTask, type TaskOptions } from './wait-for-task.ts';

/** How to connect and as whom. */
export interface VimClientOptions extends ConnectionOptions {
  readonly user: string;
  readonly password: string;
  readonly logger: Logger;
  /** Ends the attempt to connect. */
  readonly signal?: AbortSignal;
  /** How long reads wait for a server that cannot be reached, because it restarts, and changes at most; half a minute by default. */
  readonly absenceMs?: number;
}

/** A request beside the API. */
export type TransferRequest = Omit<HttpRequest, 'url' | 'maxRedirects'>;

/** Methods that start a task. */
export type TaskMethodName = {
  [M in MethodName]: [Methods[M]['taskResult']] extends [never] ? never : M;
}[MethodName];

/** What the task that a method starts ends with. */
export type TaskResult<M extends MethodName> = Methods[M]['taskResult'];

/** What the helpers of this package need of a client. */
export interface VimCaller {
  readonly content: ServiceContent;
  call<M extends MethodName>(
    self: ManagedObjectReference,
    method: M,
    args: MethodArgs<M>,
    options?: CallOptions,
  ): Promise<MethodResult<M>>;
}

const SERVICE_INSTANCE = reference('ServiceInstance', 'ServiceInstance');
const LOGOUT_TIMEOUT_MS = 5000;
/** A host that was killed serves again a few seconds later. */
const DEFAULT_ABSENCE_MS = 30_000;
/** Somebody waits for a change; it is for them to ask again. */
const MAX_CHANGE_ABSENCE_MS = 10_000;

/** A session with a vSphere server, kept alive by logging in again when the server has forgotten it. */
export class VimClient implements VimCaller, AsyncDisposable {
  /** The server's root objects and managers. */
  readonly content: ServiceContent;
  readonly #connection: Connection;
  readonly #options: VimClientOptions;
  readonly #logins = new SingleFlight<void>();

  private constructor(connection: Connection, content: ServiceContent, options: VimClientOptions) {
    this.#connection = connection;
    this.content = content;
    this.#options = options;
  }

  /** Connects, agrees on a version and logs in. */
  static async connect(options: VimClientOptions): Promise<VimClient> {
    await using cleanup = new AsyncDisposableStack();
    const connection = cleanup.use(new Connection(options));
    await connection.negotiate(options.signal);
    const content = await connection.call(SERVICE_INSTANCE, 'RetrieveServiceContent', {}, { signal: options.signal });
    const client = new VimClient(connection, content, options);
    await client.#login(options.signal);
    cleanup.move();
    return client;
  }

  /** The API version agreed on with the server. */
  get version(): ApiVersion {
    return this.#connection.version;
  }

  /** Whether the server is a vCenter, not a lone host. */
  get isVirtualCenter(): boolean {
    return this.content.about.apiType === 'VirtualCenter';
  }

  /**
   * Calls a method; when the session was lost, logs in again and calls once more.
   *
   * Waits for a server that cannot be reached for the moment, with what changes something only while it has not been sent.
   */
  async call<M extends MethodName>(
    self: ManagedObjectReference,
    method: M,
    args: MethodArgs<M>,
    options: CallOptions = {},
  ): Promise<MethodResult<M>> {
    const once = async (): Promise<MethodResult<M>> => this.#callOnce(self, method, args, options);
    return this.#retryWhileAway(isReadMethod(method) ? 'read' : 'change', once, options.signal);
  }

  async #callOnce<M extends MethodName>(
    self: ManagedObjectReference,
    method: M,
    args: MethodArgs<M>,
    options: CallOptions,
  ): Promise<MethodResult<M>> {
    const session = this.#connection.session;
    try {
      return await this.#connection.call(self, method, args, options);
    } catch (error) {
      if (!isFault(error, 'NotAuthenticated')) throw error;
      await this.#loginAgain(session, options.signal);
      return await this.#connection.call(self, method, args, options);
    }
  }

  /** Calls a method that starts a task, waits for the task, and gives its result or throws its fault. */
  async runTask<M extends TaskMethodName>(
    self: ManagedObjectReference,
    method: M,
    args: MethodArgs<M>,
    options: TaskOptions = {},
  ): Promise<TaskResult<M>> {
    // Every method of `TaskMethodName` gives a reference to its task.
    const task = (await this.call(self, method, args, { signal: options.signal })) as ManagedObjectReference<'Task'>;
    return (await waitForTask(this, task, { what: method, ...options })) as TaskResult<M>;
  }

  /**
   * Sends a request beside the API, such as a datastore transfer, in this session.
   *
   * When the session was lost, logs in again and sends it once more; a body that is a stream can only be sent once, so
   * the session is looked at before. Reads wait for a server that cannot be reached for the moment.
   */
  async request(path: string, request: TransferRequest): Promise<HttpResponse> {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead) return this.#retryWhileAway('read', async () => this.#requestTwice(path, request), request.signal);
    const { body } = request;
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array)
      return this.#requestTwice(path, request);
    await this.#ensureSession(request.signal);
    return this.#connection.request(path, request);
  }

  /** Logs out and closes all connections; a server that cannot be reached does not make it fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { sessionManager } = this.content;
    try {
      if (sessionManager !== undefined) {
        await this.#connection.call(sessionManager, 'Logout', {}, { timeoutMs: LOGOUT_TIMEOUT_MS });
      }
    } catch (error) {
      this.#options.logger.debug('vim logout failed', { server: this.#connection.origin, error: String(error) });
    }
    await this.#connection[Symbol.asyncDispose]();
  }

  async #requestTwice(path: string, request: TransferRequest): Promise<HttpResponse> {
    const session = this.#connection.session;
    const response = await this.#connection.request(path, request);
    if (response.status !== 401) return response;
    response.discard();
    await this.#loginAgain(session, request.signal);
    return this.#connection.request(path, request);
  }

  /** Logs in again if the server has forgotten the session: reading an entity needs one on every server. */
  async #ensureSession(signal: AbortSignal | undefined): Promise<void> {
    await retrieve(this, [filterForObjects([this.content.rootFolder], ['name'])], { signal });
  }

  async #retryWhileAway<T>(effect: Effect, operation: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const { absenceMs = DEFAULT_ABSENCE_MS } = this.#options;
    const patienceMs = effect === 'read' ? absenceMs : Math.min(absenceMs, MAX_CHANGE_ABSENCE_MS);
    return retryWhileAway({ server: this.#connection.origin, effect, absenceMs: patienceMs }, operation, signal);
  }

  /** One login for all calls that found the same session gone. */
  async #loginAgain(lostSession: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#connection.session !== lostSession) return;
    this.#options.logger.info('vim session lost, logging in again', { server: this.#connection.origin });
    // The login serves every waiting call, so one caller's signal must not end it.
    const login = this.#logins.run('login', () => this.#login());
    await login;
    signal?.throwIfAborted();
  }

  async #login(signal?: AbortSignal): Promise<void> {
    const { sessionManager } = this.content;
    if (sessionManager === undefined) return;
    const { user, password } = this.#options;
    await this.#connection.call(sessionManager, 'Login', { userName: user, password }, { signal });
  }
}
