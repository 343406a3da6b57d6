import { type Permission, type Principal, type ProjectIdentity, type ProjectRole, decide } from '@vic/authz';
import { createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { type AuditedOperation, registerRest, restErrorResponse } from '@vic/rest';
import { SecretBox } from '@vic/secrets';
import type { Database } from '@vic/sql';
import { Identity } from '../identity.ts';
import { identityRoutes } from '../rest/identity-routes.ts';
import { identityConfiguration } from '../sources/configuration-values.ts';

/** As cheap as argon2 allows: tests are about behaviour. */
const CHEAP = { memoryKiB: 8, passes: 1, parallelism: 1 };
const PREFIX = '/api/v2.0';

/** An answer as tests look at it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  /** A text or number at the top of the body. */
  field(name: string): string;
  /** The name and value of each cookie that was set; empty values are removals. */
  readonly cookies: ReadonlyMap<string, string>;
}

/** One request. */
export interface Ask {
  /** `name:secret`. */
  readonly as?: string;
  readonly bearer?: string;
  readonly body?: unknown;
  readonly cookie?: string;
  readonly csrf?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An identity behind HTTP, with a clock, settings, projects and memberships that tests set. */
export class IdentityServer implements AsyncDisposable {
  readonly settings: Record<string, unknown> = {};
  readonly projects: ProjectIdentity[] = [{ id: 7, name: 'library', public: false }];
  /** `userId:projectId`. */
  readonly roles = new Map<string, ProjectRole>();
  /** What was recorded; a request is, after its answer has gone out. */
  readonly audited: AuditedOperation[] = [];
  readonly identity: Identity;
  readonly database: Database;
  nowMs = Date.parse('2026-11-22T10:00:00Z');
  adminPassword = '';
  url = '';
  #resources = new AsyncDisposableStack();

  private constructor(database: Database) {
    this.database = database;
    this.identity = this.anotherProcess();
  }

  /** Starts on a port of its own, with the first administrator made. */
  static async start(open: () => Promise<Database>): Promise<IdentityServer> {
    await using onFailure = new AsyncDisposableStack();
    const database = onFailure.use(await open());
    const http = onFailure.use(createHttpServer({ logger: silentLogger(), errorResponse: restErrorResponse }));
    const server = new IdentityServer(database);
    onFailure.use(server.identity);
    const services = {
      authenticate: async (credentials: Parameters<Identity['authenticate']>[0]) =>
        server.identity.authenticate(credentials),
      authorizer: {
        isAllowed: async (principal: Principal, permission: Permission, project?: ProjectIdentity) =>
          server.#isAllowed(principal, permission, project),
      },
      findProject: async (nameOrId: string, isName: boolean) => server.#find(nameOrId, isName),
      isReadOnly: async () => false,
      record: async (operation: AuditedOperation) => void server.audited.push(operation),
    };
    const administrators = {
      administersProject: async (principal: Principal) =>
        principal.kind === 'user' &&
        [...server.roles].some(([key, role]) => key.startsWith(`${principal.id}:`) && role === 'projectAdmin'),
    };
    const routes = identityRoutes({ identity: server.identity, administrators });
    await registerRest(http.app, { prefix: PREFIX, services, logger: silentLogger() }, [routes]);
    const address = await http.listen({ host: '127.0.0.1', port: 0 });
    server.url = 'port' in address ? `http://127.0.0.1:${address.port}${PREFIX}` : '';
    server.adminPassword = (await server.identity.localUsers.ensureAdministrator())?.password ?? '';
    server.#resources = onFailure.move();
    return server;
  }

  /** Basic credentials of the administrator. */
  get admin(): string {
    return `admin:${this.adminPassword}`;
  }

  /** Sends a request below the API's prefix. */
  async ask(method: string, path: string, { as, bearer, body, cookie, csrf, headers }: Ask = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(as === undefined ? {} : { authorization: `Basic ${Buffer.from(as).toString('base64')}` }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(cookie === undefined ? {} : { cookie }),
        ...(csrf === undefined ? {} : { 'x-harbor-csrf-token': csrf }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const cookies = response.headers.getSetCookie().map((line) => (line.split(';')[0] ?? '').split('=', 2));
    const parsed: unknown = text === '' ? undefined : JSON.parse(text);
    return {
      status: response.status,
      headers: response.headers,
      body: parsed,
      field: (name) => String((parsed as Readonly<Record<string, unknown>>)[name]),
      cookies: new Map(cookies.map(([name = '', value = '']) => [name, value])),
    };
  }

  /** An identity as another process that shares the database has one: with a memory of its own. */
  anotherProcess(): Identity {
    return new Identity({
      database: this.database,
      secrets: new SecretBox(new Uint8Array(32).fill(7)),
      settings: { current: async () => identityConfiguration(this.settings) },
      projects: { findProject: async (nameOrId, isName) => this.#find(nameOrId, isName) },
      externalUrl: 'http://registry.test',
      apiPrefix: PREFIX,
      clock: () => this.nowMs,
      passwordCost: CHEAP,
    });
  }

  /** Makes a local user with the password `Secret123` and gives the id. */
  async addUser(name: string): Promise<number> {
    const user = { name, password: 'Secret123', email: `${name}@example.com`, realName: name, comment: '' };
    return (await this.identity.localUsers.create(user)).id;
  }

  /** Makes a user a member of a project. */
  setRole(userId: number, projectId: number, role: ProjectRole): void {
    this.roles.set(`${userId}:${projectId}`, role);
  }

  /** Stops everything and removes the database. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  #find(nameOrId: string, isName: boolean): ProjectIdentity | undefined {
    return this.projects.find(({ id, name }) => name === nameOrId || (!isName && String(id) === nameOrId));
  }

  #isAllowed(principal: Principal, permission: Permission, project?: ProjectIdentity): boolean {
    if (project === undefined) return decide(principal, permission, { roles: [] }).allowed;
    const role = principal.kind === 'user' ? this.roles.get(`${principal.id}:${project.id}`) : undefined;
    return decide(principal, permission, { project, roles: role === undefined ? [] : [role] }).allowed;
  }
}
