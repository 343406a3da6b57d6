import { VicError } from '@vic/errors';
import type { SecretBox } from '@vic/secrets';
import { fetchPage, isUniqueViolation, rewriteColumn } from '@vic/sql';
import type { Database, Insertable, ListMapping, Schema, Selectable, ListRequest, ListPage } from '@vic/sql';
import { isAdapterType } from '../peers/adapter-catalog.ts';
import { endpointUsers } from './endpoint-users.ts';
import type { EndpointSettings, EndpointStatus, RegistryEndpoint } from './registry-endpoint.ts';
import { hostOf, validateEndpoint } from './validate-endpoint.ts';

/** What endpoints are kept with. */
export interface EndpointsDeps {
  readonly database: Database;
  readonly secrets: SecretBox;
  readonly now?: () => number;
}

type Row = Selectable<Schema['registries']>;

const SECRET_CONTEXT = 'registry:access_secret';
/** How long an endpoint read before is taken as it was; other processes' changes are seen after this. */
const MAX_AGE_MS = 1_000;

const LIST: ListMapping = {
  columns: {
    id: { column: 'id', type: 'number' },
    name: { column: 'name', type: 'text' },
    url: { column: 'url', type: 'text' },
    type: { column: 'type', type: 'text' },
    creation_time: { column: 'created_at_ms', type: 'time' },
  },
  defaultSort: ['id'],
};

/** The other registries this one knows. */
export class RegistryEndpoints {
  readonly #deps: EndpointsDeps;
  readonly #now: () => number;
  readonly #read = new Map<number, { readonly endpoint: RegistryEndpoint; readonly atMs: number }>();

  constructor(deps: EndpointsDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** Adds an endpoint, which answered just now. */
  async create(settings: EndpointSettings): Promise<RegistryEndpoint> {
    const nowMs = this.#now();
    const row = await this.#unlessNameTaken(settings.name, async () =>
      this.#deps.database.db
        .insertInto('registries')
        .values({
          ...this.#columns(validateEndpoint(settings)),
          status: 'healthy',
          replicates_here: 0,
          created_at_ms: nowMs,
          updated_at_ms: nowMs,
        })
        .returningAll()
        .executeTakeFirstOrThrow(),
    );
    return this.#endpointOf(row);
  }

  /** The endpoint with that id, as it was at most a second ago. */
  async find(id: number): Promise<RegistryEndpoint | undefined> {
    const known = this.#read.get(id);
    if (known !== undefined && this.#now() - known.atMs < MAX_AGE_MS) return known.endpoint;
    const row = await this.#deps.database.db
      .selectFrom('registries')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const endpoint = this.#endpointOf(row);
    this.#read.set(id, { endpoint, atMs: this.#now() });
    return endpoint;
  }

  /** The endpoint with that id, or `NotFound`. */
  async get(id: number): Promise<RegistryEndpoint> {
    const endpoint = await this.find(id);
    if (endpoint !== undefined) return endpoint;
    throw new VicError({ class: 'NotFound', code: 'REGISTRY_NOT_FOUND', message: `registry ${id} not found` });
  }

  /** A page of endpoints. */
  async list(query: ListRequest): Promise<ListPage<RegistryEndpoint>> {
    const { db } = this.#deps.database;
    const page = await fetchPage(db, db.selectFrom('registries').selectAll(), query, LIST);
    return { items: page.items.map((row) => this.#endpointOf(row)), total: page.total };
  }

  /** Changes an endpoint, which answered just now. */
  async update(id: number, settings: EndpointSettings): Promise<void> {
    await this.#unlessNameTaken(settings.name, async () =>
      this.#deps.database.db
        .updateTable('registries')
        .set({ ...this.#columns(validateEndpoint(settings)), status: 'healthy', updated_at_ms: this.#now() })
        .where('id', '=', id)
        .execute(),
    );
    this.#read.delete(id);
  }

  /** Removes an endpoint that nothing uses. */
  async delete(id: number): Promise<void> {
    await this.get(id);
    await this.#deps.database.transaction(async (transaction) => {
      const user = await endpointUsers(transaction, id);
      if (user !== undefined) {
        throw new VicError({
          class: 'FailedPrecondition',
          code: 'REGISTRY_IN_USE',
          message: `the registry ${id} is referenced by ${user}, cannot delete it`,
        });
      }
      await transaction.deleteFrom('registries').where('id', '=', id).execute();
    });
    this.#read.delete(id);
  }

  /** Records whether the endpoint answered. */
  async setStatus(id: number, status: EndpointStatus): Promise<void> {
    await this.#deps.database.db
      .updateTable('registries')
      .set({ status })
      .where('id', '=', id)
      .where('status', '!=', status)
      .execute();
    this.#read.delete(id);
  }

  /** Records that the registry of that host copies to this one. */
  async markReplicatesHere(host: string): Promise<void> {
    const rows = await this.#deps.database.db
      .selectFrom('registries')
      .select(['id', 'url'])
      .where('replicates_here', '=', 0)
      .execute();
    for (const { id, url } of rows) {
      if (hostOf(url) !== host.toLowerCase()) continue;
      await this.#deps.database.db.updateTable('registries').set({ replicates_here: 1 }).where('id', '=', id).execute();
      this.#read.delete(id);
    }
  }

  #columns(
    settings: EndpointSettings,
  ): Omit<Insertable<Schema['registries']>, 'status' | 'replicates_here' | 'created_at_ms' | 'updated_at_ms'> {
    const { credential } = settings;
    const secret = credential?.accessSecret ?? '';
    return {
      name: settings.name,
      description: settings.description,
      type: settings.type,
      url: settings.url,
      credential_type: credential?.type ?? '',
      access_key: credential?.accessKey ?? '',
      access_secret_sealed: secret === '' ? '' : this.#deps.secrets.seal(secret, SECRET_CONTEXT),
      insecure: settings.insecure ? 1 : 0,
      ca_certificate: settings.caCertificate,
    };
  }

  #endpointOf(row: Row): RegistryEndpoint {
    const sealed = row.access_secret_sealed;
    const accessSecret = sealed === '' ? '' : this.#deps.secrets.open(sealed, SECRET_CONTEXT);
    return {
      id: row.id,
      name: row.name,
      description: row.description,
      type: isAdapterType(row.type) ? row.type : 'docker-registry',
      url: row.url,
      credential:
        row.credential_type === 'basic' || row.credential_type === 'bearer'
          ? { type: row.credential_type, accessKey: row.access_key, accessSecret }
          : undefined,
      insecure: row.insecure === 1,
      caCertificate: row.ca_certificate,
      status: row.status === 'healthy' ? 'healthy' : 'unhealthy',
      replicatesHere: row.replicates_here === 1,
      createdAtMs: row.created_at_ms,
      updatedAtMs: row.updated_at_ms,
    };
  }

  async #unlessNameTaken<T>(name: string, change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new VicError({
        class: 'AlreadyExists',
        code: 'REGISTRY_EXISTS',
        message: `registry ${name} already exists`,
        cause: error,
      });
    }
  }
}

/** Seals the secrets of endpoints again that `reseal` gives another form for; says how many. */
export async function resealEndpointSecrets(
  { db }: Pick<Database, 'db'>,
  reseal: (sealed: string, context: string) => string | undefined,
): Promise<number> {
  const secrets = { table: 'registries', key: 'id', column: 'access_secret_sealed' } as const;
  return rewriteColumn(db, secrets, (sealed) => reseal(sealed, SECRET_CONTEXT));
}
