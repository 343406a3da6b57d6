import { SingleFlight } from '@vic/async';
import { VicError } from '@vic/errors';
import type { SecretBox } from '@vic/secrets';
import { type Database, rewriteColumn } from '@vic/sql';
import { parseSettings } from './parse-settings.ts';
import type { SettingValue } from './setting-definition.ts';
import { SETTING_DEFINITIONS, type SettingName, type SettingValues, isSettingName } from './setting-definitions.ts';

/** Refuses, by throwing, what the rest of the program cannot do; sees all values as they would be. */
export type SettingsCheck = (
  next: SettingValues,
  changed: ReadonlySet<SettingName>,
  current: SettingValues,
) => Promise<void> | void;

/** What {@link Settings} is made of. */
export interface SettingsDeps {
  readonly database: Database;
  readonly secrets: SecretBox;
  /** From the override file: these values hold, and no setting can be changed. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly checks?: readonly SettingsCheck[];
  /** Whether `auth_mode` may still be changed: while there is no user but the administrator. */
  canChangeAuthMode(): Promise<boolean>;
}

/** How long another process may act on a setting that was changed. */
const STALE_MS = 2000;

const DEFAULTS = Object.fromEntries(
  Object.entries(SETTING_DEFINITIONS).map(([name, definition]) => [name, definition.default]),
) as unknown as SettingValues;

/** What an administrator may change while the program runs. */
export class Settings {
  readonly #database: Database;
  readonly #secrets: SecretBox;
  readonly #overrides: Partial<SettingValues> | undefined;
  readonly #deps: SettingsDeps;
  readonly #loading = new SingleFlight<SettingValues>();
  #cached: { readonly values: SettingValues; readonly atMs: number } | undefined;
  /** Changes made here: what was begun to be read before the last of them is not what holds now. */
  #changes = 0;

  constructor(deps: SettingsDeps) {
    this.#database = deps.database;
    this.#secrets = deps.secrets;
    this.#overrides = deps.overrides === undefined ? undefined : parseSettings(deps.overrides);
    this.#deps = deps;
  }

  /** Whether an override file holds the settings. */
  get overridden(): boolean {
    return this.#overrides !== undefined;
  }

  /** Whether a setting can be changed at present. */
  async isEditable(name: SettingName): Promise<boolean> {
    return !this.overridden && (name !== 'auth_mode' || (await this.#deps.canChangeAuthMode()));
  }

  /** The value of one setting. */
  async get<N extends SettingName>(name: N): Promise<SettingValues[N]> {
    return (await this.values())[name];
  }

  /** All settings, secrets included: for the program, never for an answer. */
  async values(): Promise<SettingValues> {
    const cached = this.#cached;
    if (cached !== undefined && performance.now() - cached.atMs < STALE_MS) return cached.values;
    return this.#loading.run(`after ${this.#changes}`, async () => this.#load());
  }

  /** Changes settings; those not named, or named with `null`, stay as they are. */
  async update(changes: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.overridden) throw overridden();
    const parsed = parseSettings(changes);
    const current = await this.#load();
    const changed = new Set(Object.keys(parsed).filter(isSettingName));
    const next: SettingValues = { ...current, ...parsed };
    checkAuditForwarding(next);
    if (next.auth_mode !== current.auth_mode && !(await this.#deps.canChangeAuthMode())) throw authModeFixed();
    for (const check of this.#deps.checks ?? []) await check(next, changed, current);
    await this.#database.transaction(async (transaction) => {
      for (const name of changed) {
        const row = { value: this.#encode(name, next[name]), updated_at: Date.now() };
        await transaction
          .insertInto('setting')
          .values({ name, ...row })
          .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
          .execute();
      }
    });
    this.#changes++;
    this.#cached = undefined;
  }

  async #load(): Promise<SettingValues> {
    const atMs = performance.now();
    const changes = this.#changes;
    const rows = await this.#database.db.selectFrom('setting').select(['name', 'value']).execute();
    const stored: Record<string, SettingValue> = {};
    // What a newer release knows, or an older one knew, stays in the table.
    for (const { name, value } of rows) if (isSettingName(name)) stored[name] = this.#decode(name, value);
    const values: SettingValues = { ...DEFAULTS, ...stored, ...this.#overrides };
    if (changes === this.#changes) this.#cached = { values, atMs };
    return values;
  }

  #encode(name: SettingName, value: SettingValue): string {
    const json = JSON.stringify(value);
    return isSecret(name) ? this.#secrets.seal(json, contextOf(name)) : json;
  }

  #decode(name: SettingName, value: string): SettingValue {
    const json = isSecret(name) ? this.#secrets.open(value, contextOf(name)) : value;
    return JSON.parse(json) as SettingValue;
  }
}

/** Whether a setting is never answered. */
export function isSecret(name: SettingName): boolean {
  return 'secret' in SETTING_DEFINITIONS[name];
}

/** Seals the secret settings again that `reseal` gives another form for; says how many. */
export async function resealSettings(
  { db }: Pick<Database, 'db'>,
  reseal: (sealed: string, context: string) => string | undefined,
): Promise<number> {
  const values = { table: 'setting', key: 'name', column: 'value' } as const;
  return rewriteColumn(db, values, (sealed, { name }) =>
    isSettingName(name) && isSecret(name) ? reseal(sealed, contextOf(name)) : undefined,
  );
}

function contextOf(name: SettingName): string {
  return `setting ${name}`;
}

function checkAuditForwarding(next: SettingValues): void {
  if (!next.skip_audit_log_database || next.audit_log_forward_endpoint !== '') return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'SETTING_INVALID',
    message: 'audit log forward endpoint should be configured before enable skip audit log in database',
  });
}

function authModeFixed(): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'SETTING_INVALID',
    message: 'the auth mode cannot be modified as new users have been inserted into database',
  });
}

function overridden(): VicError {
  return new VicError({
    class: 'PermissionDenied',
    code: 'SETTINGS_OVERRIDDEN',
    message: 'current config is init by env variable: CONFIG_OVERWRITE_JSON, it cannot be updated',
  });
}
