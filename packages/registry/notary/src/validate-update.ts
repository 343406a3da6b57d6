import { invalidUpdate, oldVersion } from './notary-error.ts';
import {
  type RoleKeys,
  type TufFile,
  type TufSigned,
  type TufType,
  isExpired,
  isSignedBy,
  matchesMeta,
  parseTuf,
} from './tuf-metadata.ts';
import type { TufKey } from './tuf-key.ts';

/** Metadata files of one collection by role: `root`, `targets`, `targets/releases`, `snapshot`. */
export type RoleFiles = ReadonlyMap<string, Buffer>;

/** What an update is checked against. */
export interface UpdateContext {
  readonly current: RoleFiles;
  readonly update: RoleFiles;
  readonly nowMs: number;
}

/** An update that may be stored, less the snapshot and timestamp that the server adds. */
export interface CheckedUpdate {
  readonly root: TufFile<'Root'>;
  /** The snapshot of the client, when it signed one itself. */
  readonly snapshot: TufFile<'Snapshot'> | undefined;
  /** Root, targets and delegations as they will be: current ones replaced by those of the update. */
  readonly files: RoleFiles;
}

const DELEGATION = /^targets\/[a-z0-9_/-]{1,230}$/;

/** Checks an update as TUF and Notary's rules want it; throws for the first rule it breaks. */
export function validateUpdate(context: UpdateContext): CheckedUpdate {
  const root = validateRoot(context);
  const files = new Map(context.current);
  files.delete('snapshot');
  files.delete('timestamp');
  for (const [role, bytes] of context.update) if (role !== 'snapshot') files.set(role, bytes);
  const delegations = new Map<string, { readonly role: RoleKeys; readonly keys: Readonly<Record<string, TufKey>> }>();
  // Delegations come after the role that delegates to them, which is a prefix of their name.
  for (const role of [...files.keys()].filter(isTargetsRole).sort()) {
    const authority =
      role === 'targets' ? { role: root.signed.roles.targets, keys: root.signed.keys } : delegations.get(role);
    const targets = validateTargets(context, role, files, authority);
    if (targets !== undefined) addDelegations(delegations, role, targets);
  }
  return { root, snapshot: validateSnapshot(context, root, files), files };
}

function validateRoot({ current, update, nowMs }: UpdateContext): TufFile<'Root'> {
  const currentBytes = current.get('root');
  const newBytes = update.get('root') ?? currentBytes;
  if (newBytes === undefined) throw invalidUpdate('root', 'is missing, and the collection has none yet');
  const root = parseTuf('Root', newBytes, 'root');
  requireSignature(root, 'root', root.signed.roles.root, root.signed.keys);
  if (isExpired(root, nowMs)) throw invalidUpdate('root', 'has expired');
  const timestampKeys = root.signed.roles.timestamp.keyids;
  if (timestampKeys.length !== 1 || root.signed.roles.timestamp.threshold !== 1) {
    throw invalidUpdate('root', 'must name one timestamp key, the one of this server');
  }
  if (currentBytes === undefined || currentBytes.equals(newBytes)) return root;
  const before = parseTuf('Root', currentBytes, 'root');
  if (root.signed.version !== before.signed.version + 1) {
    if (root.signed.version <= before.signed.version) throw oldVersion('root', before.signed.version);
    throw invalidUpdate('root', `has version ${root.signed.version} after ${before.signed.version}`);
  }
  // A rotation has to be signed by those who could sign before.
  requireSignature(root, 'root', before.signed.roles.root, before.signed.keys);
  return root;
}

function validateTargets(
  { current, update, nowMs }: UpdateContext,
  role: string,
  files: RoleFiles,
  authority: { readonly role: RoleKeys; readonly keys: Readonly<Record<string, TufKey>> } | undefined,
): TufSigned<'Targets'> | undefined {
  const bytes = files.get(role);
  if (bytes === undefined) return undefined;
  const file = parseTuf('Targets', bytes, role);
  const before = current.get(role);
  if (authority === undefined) {
    // A delegation taken away leaves a file behind that nobody vouches for any more.
    if (update.has(role)) throw invalidUpdate(role, 'belongs to no role that the collection delegates to');
    return undefined;
  }
  if (update.has(role)) {
    requireSignature(file, role, authority.role, authority.keys);
    if (isExpired(file, nowMs)) throw invalidUpdate(role, 'has expired');
    if (before !== undefined && !before.equals(bytes)) {
      const { version } = parseTuf('Targets', before, role).signed;
      if (file.signed.version <= version) throw oldVersion(role, version);
    }
  } else if (role === 'targets' && !isSignedBy(file, authority.role, authority.keys)) {
    throw invalidUpdate(role, 'is no longer signed by the keys that the new root names');
  }
  return file.signed;
}

function validateSnapshot(
  { current, update, nowMs }: UpdateContext,
  root: TufFile<'Root'>,
  files: RoleFiles,
): TufFile<'Snapshot'> | undefined {
  const bytes = update.get('snapshot');
  if (bytes === undefined) return undefined;
  const snapshot = parseTuf('Snapshot', bytes, 'snapshot');
  requireSignature(snapshot, 'snapshot', root.signed.roles.snapshot, root.signed.keys);
  if (isExpired(snapshot, nowMs)) throw invalidUpdate('snapshot', 'has expired');
  const before = current.get('snapshot');
  if (before !== undefined && !before.equals(bytes)) {
    const { version } = parseTuf('Snapshot', before, 'snapshot').signed;
    if (snapshot.signed.version <= version) throw oldVersion('snapshot', version);
  }
  for (const [role, content] of files) {
    if (update.has(role) || role === 'root' || role === 'targets') {
      if (!matchesMeta(content, snapshot.signed.meta[role])) {
        throw invalidUpdate('snapshot', `does not list the ${role} metadata as it is`);
      }
    }
  }
  return snapshot;
}

function requireSignature(
  file: TufFile<TufType>,
  role: string,
  keys: RoleKeys,
  known: Readonly<Record<string, TufKey>>,
): void {
  if (isSignedBy(file, keys, known)) return;
  throw invalidUpdate(role, `is not signed by ${keys.threshold} of the keys that may sign it`);
}

function addDelegations(
  delegations: Map<string, { readonly role: RoleKeys; readonly keys: Readonly<Record<string, TufKey>> }>,
  delegator: string,
  targets: TufSigned<'Targets'>,
): void {
  for (const { name, keyids, threshold } of targets.delegations.roles) {
    if (!name.startsWith(`${delegator}/`))
      throw invalidUpdate(delegator, `delegates to ${name}, which is not below it`);
    delegations.set(name, { role: { keyids, threshold }, keys: targets.delegations.keys });
  }
}

/** Whether the name is that of `targets` or of a delegation below it. */
export function isTargetsRole(role: string): boolean {
  return role === 'targets' || DELEGATION.test(role);
}
