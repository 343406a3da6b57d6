import { VicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import {
  type Database,
  type ListMapping,
  type ListPage,
  type ListRequest,
  fetchPage,
  isUniqueViolation,
  rewriteColumn,
} from '@vic/sql';
import {
  type CheckedSettings,
  type ScannerRegistration,
  type ScannerSettings,
  checkSettings,
  registrationOfRow,
} from './scanner-registration.ts';

/** Seals what must be given back in clear. */
export interface CredentialBox {
  seal(text: string, context: string): string;
  open(sealed: string, context: string): string;
}

/** The name of the scanner that is always there. */
const BUILT_IN_NAME = 'Built-in';
const BUILT_IN_URL = 'builtin://scanner';

/** What lists of scanners can be filtered and sorted by. */
const SCANNER_FIELDS: ListMapping = {
  columns: {
    id: { column: 'id', type: 'number' },
    name: { column: 'name', type: 'text' },
    description: { column: 'description', type: 'text' },
    url: { column: 'url', type: 'text' },
    uuid: { column: 'uuid', type: 'text' },
    create_time: { column: 'created_at_ms', type: 'time' },
  },
  defaultSort: ['id'],
};

/** The scanners of the installation, and which project chose which. */
export class ScannerRegistrations {
  readonly #database: Database;
  readonly #box: CredentialBox;
  readonly #now: () => number;

  constructor(deps: { readonly database: Database; readonly box: CredentialBox; readonly now?: () => number }) {
    this.#database = deps.database;
    this.#box = deps.box;
    this.#now = deps.now ?? Date.now;
  }

  /** Makes the registration of the built-in scanner, the default one, unless there is one already. */
  async ensureBuiltIn(): Promise<void> {
    const nowMs = this.#now();
    await this.#database.transaction(async (transaction) => {
      const existing = await transaction.selectFrom('scanner_registrations').select(['kind', 'is_default']).execute();
      if (existing.some(({ kind }) => kind === 'builtin')) return;
      await transaction
        .insertInto('scanner_registrations')
        .values({
          uuid: randomUuid(),
          name: BUILT_IN_NAME,
          description: 'Packages of distributions and languages against imported advisories; SBOM.',
          url: BUILT_IN_URL,
          kind: 'builtin',
          auth: '',
          credential: null,
          skip_cert_verify: 0,
          use_internal_address: 1,
          disabled: 0,
          is_default: existing.some((row) => row.is_default === 1) ? 0 : 1,
          created_at_ms: nowMs,
          updated_at_ms: nowMs,
        })
        .execute();
    });
  }

  /** A page of the registrations. */
  async list(request: ListRequest): Promise<ListPage<ScannerRegistration>> {
    const query = this.#database.db.selectFrom('scanner_registrations').selectAll();
    const { items, total } = await fetchPage(this.#database.db, query, request, SCANNER_FIELDS);
    return { items: items.map(registrationOfRow), total };
  }

  /** The registration with that UUID. */
  async find(uuid: string): Promise<ScannerRegistration | undefined> {
    return this.#one('uuid', uuid);
  }

  /** The registration with that id. */
  async findById(id: number): Promise<ScannerRegistration | undefined> {
    return this.#one('id', id);
  }

  /** The default registration. */
  async default(): Promise<ScannerRegistration | undefined> {
    return this.#one('is_default', 1);
  }

  /** The scanner a project chose, else the default. */
  async ofProject(projectId: number): Promise<ScannerRegistration | undefined> {
    const chosen = await this.#database.db
      .selectFrom('project_scanners')
      .innerJoin('scanner_registrations', 'scanner_registrations.id', 'project_scanners.registration_id')
      .selectAll('scanner_registrations')
      .where('project_scanners.project_id', '=', projectId)
      .executeTakeFirst();
    return chosen === undefined ? this.default() : registrationOfRow(chosen);
  }

  /** Lets a project use that scanner. */
  async choose(projectId: number, uuid: string): Promise<void> {
    const { id } = await this.#required(uuid);
    await this.#database.db
      .insertInto('project_scanners')
      .values({ project_id: projectId, registration_id: id })
      .onConflict((conflict) => conflict.column('project_id').doUpdateSet({ registration_id: id }))
      .execute();
  }

  /** Registers a scanner; gives its UUID. */
  async create(settings: ScannerSettings): Promise<string> {
    const checked = checkSettings(settings);
    if (checked.name === BUILT_IN_NAME) throw reserved(checked.name);
    const [uuid, nowMs] = [randomUuid(), this.#now()];
    await naming(checked, async () =>
      this.#database.db
        .insertInto('scanner_registrations')
        .values({
          uuid,
          kind: 'adapter',
          is_default: 0,
          created_at_ms: nowMs,
          ...this.#columns(checked, uuid),
        })
        .execute(),
    );
    return uuid;
  }

  /** Changes a registration; an empty credential keeps the stored one while there is any authentication. */
  async update(uuid: string, settings: ScannerSettings): Promise<void> {
    const existing = await this.#required(uuid);
    if (existing.kind === 'builtin') throw immutable(existing.name, 'update');
    const kept = settings.auth !== '' && settings.credential === '' ? await this.credential(existing) : undefined;
    const checked = checkSettings({ ...settings, credential: kept ?? settings.credential });
    if (checked.name === BUILT_IN_NAME) throw reserved(checked.name);
    if (existing.isDefault && checked.disabled) throw defaultDisabled(uuid);
    await naming(checked, async () =>
      this.#database.db
        .updateTable('scanner_registrations')
        .set(this.#columns(checked, uuid))
        .where('id', '=', existing.id)
        .execute(),
    );
  }

  /** Removes a registration with its reports; the built-in scanner becomes the default when it was that one. */
  async remove(uuid: string): Promise<ScannerRegistration> {
    const existing = await this.#required(uuid);
    if (existing.kind === 'builtin') throw immutable(existing.name, 'delete');
    await this.#database.transaction(async (transaction) => {
      await transaction.deleteFrom('scanner_registrations').where('id', '=', existing.id).execute();
      if (!existing.isDefault) return;
      await transaction
        .updateTable('scanner_registrations')
        .set({ is_default: 1 })
        .where('kind', '=', 'builtin')
        .execute();
    });
    return existing;
  }

  /** Makes a registration the default one. */
  async makeDefault(uuid: string): Promise<void> {
    const existing = await this.#required(uuid);
    if (existing.disabled) throw defaultDisabled(uuid);
    await this.#database.transaction(async (transaction) => {
      await transaction
        .updateTable('scanner_registrations')
        .set({ is_default: 0 })
        .where('is_default', '=', 1)
        .execute();
      await transaction
        .updateTable('scanner_registrations')
        .set({ is_default: 1 })
        .where('id', '=', existing.id)
        .execute();
    });
  }

  /** The credential in clear, for the adapter only. */
  async credential({ id, uuid }: ScannerRegistration): Promise<string | undefined> {
    const row = await this.#database.db
      .selectFrom('scanner_registrations')
      .select('credential')
      .where('id', '=', id)
      .executeTakeFirst();
    const sealed = row?.credential ?? null;
    return sealed === null ? undefined : this.#box.open(sealed, contextOf(uuid));
  }

  #columns(checked: CheckedSettings, uuid: string) {
    return {
      name: checked.name,
      description: checked.description,
      url: checked.url,
      auth: checked.auth,
      credential: checked.auth === '' ? null : this.#box.seal(checked.credential, contextOf(uuid)),
      skip_cert_verify: Number(checked.skipCertVerify),
      use_internal_address: Number(checked.useInternalAddress),
      disabled: Number(checked.disabled),
      updated_at_ms: this.#now(),
    };
  }

  async #required(uuid: string): Promise<ScannerRegistration> {
    const found = await this.find(uuid);
    if (found !== undefined) return found;
    throw new VicError({
      class: 'NotFound',
      code: 'SCANNER_NOT_FOUND',
      message: `scanner ${uuid.slice(0, 64)} not found`,
    });
  }

  async #one(column: 'uuid' | 'id' | 'is_default', value: string | number): Promise<ScannerRegistration | undefined> {
    const row = await this.#database.db
      .selectFrom('scanner_registrations')
      .selectAll()
      .where(column, '=', value)
      .executeTakeFirst();
    return row === undefined ? undefined : registrationOfRow(row);
  }
}

/** Seals the credentials again that `reseal` gives another form for; says how many. */
export async function resealScannerCredentials(
  { db }: Pick<Database, 'db'>,
  reseal: (sealed: string, context: string) => string | undefined,
): Promise<number> {
  const credentials = { table: 'scanner_registrations', key: 'id', column: 'credential' } as const;
  return rewriteColumn(db, credentials, (sealed, { uuid }) => reseal(sealed, contextOf(uuid)));
}

function contextOf(uuid: string): string {
  return `scanner ${uuid}`;
}

async function naming(settings: CheckedSettings, change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new VicError({
      class: 'AlreadyExists',
      code: 'SCANNER_EXISTS',
      message: `there is a scanner with the name ${settings.name} or the URL ${settings.url} already`,
      cause: error,
    });
  }
}

function reserved(name: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'SCANNER_NAME_RESERVED',
    message: `name "${name}" is reserved, please try a different name`,
  });
}

function immutable(name: string, what: 'update' | 'delete'): VicError {
  return new VicError({
    class: 'PermissionDenied',
    code: 'SCANNER_IMMUTABLE',
    message: `registration ${name} is not allowed to ${what} as it is immutable: scanner API: ${what}`,
  });
}

function defaultDisabled(uuid: string): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'SCANNER_DEFAULT',
    message: `default registration ${uuid} can not be marked to deactivated`,
    remedy: 'Make another scanner the default first.',
  });
}
