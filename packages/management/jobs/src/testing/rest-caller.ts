import { ANONYMOUS, type Principal, type ProjectIdentity } from '@vic/authz';
import { createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { type AuditedOperation, type RestRoutes, registerRest, restErrorResponse } from '@vic/rest';

/** What the API answered. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body as JSON; `undefined` when it is none. */
  readonly body: unknown;
}

/** Calls routes over HTTP as the one who is named; `admin` may do everything, others nothing of the system. */
export interface RestCaller extends AsyncDisposable {
  readonly call: (
    as: string | undefined,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
  ) => Promise<RestAnswer>;
  readonly recorded: readonly AuditedOperation[];
}

const PREFIX = '/api/v2.0';
const PROJECT: ProjectIdentity = { id: 1, name: 'library', public: false };

/** An API of these routes, with one private project, `library`, that `admin` and `ada` may do everything in. */
export async function restCaller(...routes: readonly RestRoutes[]): Promise<RestCaller> {
  const server = createHttpServer({ logger: silentLogger(), errorResponse: restErrorResponse });
  const recorded: AuditedOperation[] = [];
  const services = {
    authenticate: async ({ authorization }: { readonly authorization: string | undefined }) => userNamed(authorization),
    authorizer: {
      isAllowed: async (principal: Principal, _permission: unknown, project?: ProjectIdentity) =>
        principal.kind === 'user' &&
        (principal.name === 'admin' || (project !== undefined && principal.name === 'ada')),
    },
    findProject: async (name: string) => (name === PROJECT.name ? PROJECT : undefined),
    isReadOnly: async () => false,
    record: async (operation: AuditedOperation) => void recorded.push(operation),
  };
  await registerRest(server.app, { prefix: PREFIX, services, logger: silentLogger() }, routes);
  return {
    recorded,
    call: async (as, method, path, body) => {
      const headers = as === undefined ? {} : { authorization: as };
      const payload = body === undefined ? {} : { payload: body };
      const answer = await server.app.inject({ method, url: `${PREFIX}${path}`, headers, ...payload });
      const isJson = String(answer.headers['content-type']).startsWith('application/json');
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text: answer.body,
        body: isJson ? (JSON.parse(answer.body) as unknown) : undefined,
      };
    },
    [Symbol.asyncDispose]: async () => server.close(),
  };
}

function userNamed(name: string | undefined): Principal {
  if (name === undefined) return ANONYMOUS;
  return { kind: 'user', id: name.length, name, systemAdministrator: name === 'admin', groupIds: [] };
}
