import { VicError } from '@vic/errors';
import { normalizeDn } from '@vic/directory';
import type { Schema, Selectable } from '@vic/sql';

/** The kinds of groups: Harbor's numbers, and 4 for groups made here. 2 is Harbor's HTTP proxy, which is not here. */
export const GROUP_TYPES = { ldap: 1, oidc: 3, internal: 4 } as const;

/** The number of a kind of groups. */
export type GroupType = (typeof GROUP_TYPES)[keyof typeof GROUP_TYPES];

/** A group of users. */
export interface Group {
  readonly id: number;
  readonly name: string;
  readonly type: GroupType;
  /** Empty unless it is a group of an LDAP directory. */
  readonly ldapDn: string;
}

/** A group to be made, or met at a source. */
export interface NewGroup {
  readonly name: string;
  readonly type: GroupType;
  readonly ldapDn: string;
}

const MAX_NAME_LENGTH = 255;
const MAX_DN_LENGTH = 1024;

/** The group of a row. */
export function groupOfRow(row: Selectable<Schema['user_groups']>): Group {
  return { id: row.id, name: row.name, type: row.type as GroupType, ldapDn: row.ldap_dn };
}

/** What no two groups of a type share. */
export function groupKey({ type, name, ldapDn }: NewGroup): string {
  return type === GROUP_TYPES.ldap ? normalizeDn(ldapDn) : name.trim().toLowerCase();
}

/** Refuses a group that cannot be. */
export function requireGroup({ name, type, ldapDn }: NewGroup): void {
  if (name.trim() === '' || name.length > MAX_NAME_LENGTH) throw invalid('group name with illegal length');
  if (type !== GROUP_TYPES.ldap) return;
  if (!/^[A-Za-z][\w.-]*\s*=/.test(ldapDn.trim()) || ldapDn.length > MAX_DN_LENGTH) {
    throw invalid('the LDAP group DN is invalid');
  }
}

/** The type with that number; refuses what is none. */
export function groupTypeOf(number: number): GroupType {
  const type = Object.values(GROUP_TYPES).find((candidate) => candidate === number);
  if (type !== undefined) return type;
  throw invalid(`invalid group type: ${number}; it is 1 (LDAP), 3 (OIDC) or 4 (made here)`);
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'GROUP_INVALID', message });
}
